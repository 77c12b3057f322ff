'use strict';

/** Certificates for servers that nobody should accept, and one that is in order. */

const selfsigned = require('selfsigned');

const DAY = 86_400_000;

/**
 * @param {object} [differences]
 * @param {string} [differences.name] the DNS name it is for; without it, 127.0.0.1
 * @param {number} [differences.from] days from now at which it begins
 * @param {number} [differences.until] days from now at which it ends
 * @returns {Promise<{ key: string, cert: string }>}
 */
async function makeCertificate({ name, from = -1, until = 1 } = {}) {
  const { private: key, cert } = await selfsigned.generate([{ name: 'commonName', value: name ?? '127.0.0.1' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() + from * DAY),
    notAfterDate: new Date(Date.now() + until * DAY),
    extensions: [
      { name: 'subjectAltName', altNames: [name === undefined ? { type: 7, ip: '127.0.0.1' } : { type: 2, value: name }] },
    ],
  });
  return { key, cert };
}

module.exports = { makeCertificate };
