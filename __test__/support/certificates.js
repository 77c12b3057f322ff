'use strict';

/** Certificates: for servers that nobody should accept, for some that are in order, and authorities that issue them. */

const selfsigned = require('selfsigned');

const DAY = 86_400_000;

/**
 * @typedef {object} Differences
 * @property {string} [name] the DNS name it is for; without it, 127.0.0.1
 * @property {string} [cn] the common name, where that is another
 * @property {string[]} [names] the alternative names, where there are several or none: addresses and DNS names
 * @property {number} [from] days from now at which it begins
 * @property {number} [until] days from now at which it ends
 * @property {boolean} [authority] whether it says that it is one; nothing is said without
 * @property {number} [pathLength] how many authorities may follow below it
 * @property {string[]} [usages] key usages as selfsigned names them
 * @property {string[]} [purposes] extended key usages as selfsigned names them
 * @property {'ec' | 'rsa'} [keyType]
 * @property {number} [keySize] bits, of RSA
 * @property {'sha1' | 'sha256'} [algorithm]
 * @property {string} [curve]
 * @property {{ key: string, cert: string }} [issuer] without it, it issues itself
 */

/**
 * @param {Differences} [differences]
 * @returns {Promise<{ key: string, cert: string }>}
 */
async function makeCertificate(differences = {}) {
  const { name, cn = name ?? '127.0.0.1', from = -1, until = 1, issuer } = differences;
  const { keyType = 'ec', keySize, curve, algorithm = 'sha256' } = differences;
  const { private: key, cert } = await selfsigned.generate([{ name: 'commonName', value: cn }], {
    keyType,
    keySize,
    curve,
    algorithm,
    ca: issuer,
    notBeforeDate: new Date(Date.now() + from * DAY),
    notAfterDate: new Date(Date.now() + until * DAY),
    extensions: extensionsOf(differences),
  });
  return { key, cert };
}

/**
 * An authority. What it issues is made with `issuer`.
 *
 * @param {string} cn
 * @param {Differences} [differences]
 */
function makeAuthority(cn, differences) {
  return makeCertificate({ cn, names: [], authority: true, ...differences });
}

function extensionsOf({ name, names = [name ?? '127.0.0.1'], authority, pathLength, usages, purposes }) {
  const extensions = [];
  if (names.length > 0) extensions.push({ name: 'subjectAltName', altNames: names.map(alternativeName) });
  if (authority !== undefined) {
    extensions.push({ name: 'basicConstraints', cA: authority, pathLenConstraint: pathLength, critical: true });
  }
  if (usages) extensions.push({ name: 'keyUsage', ...all(usages) });
  if (purposes) extensions.push({ name: 'extKeyUsage', ...all(purposes) });
  // Without any, selfsigned adds its own.
  return extensions.length > 0 ? extensions : [{ name: 'basicConstraints', cA: false }];
}

function alternativeName(name) {
  return /^[\d.]+$|:/.test(name) ? { type: 7, ip: name } : { type: 2, value: name };
}

function all(names) {
  return Object.fromEntries(names.map((name) => [name, true]));
}

module.exports = { makeCertificate, makeAuthority };
