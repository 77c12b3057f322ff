'use strict';

/**
 * The `tls` option of `createFetch`, in the shapes that Node's `tls.connect` takes. What is wrong with a certificate or a
 * key is said here, when the client is made: a handshake that fails for it says little, and much later.
 */

const { hasFlag } = require('../engine/node-trust');
const { checkArray, checkBoolean, checkOptions, invalidSecret, invalidType, invalidValue } = require('../validate');

const KEYS = ['ca', 'cert', 'key', 'passphrase', 'minVersion', 'rejectUnauthorized'];
const MIN_VERSIONS = ['TLSv1.2', 'TLSv1.3'];

/** Each section with its own text; whatever stands between them is for people. */
const CERTIFICATES = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^]*?-----END \1-----/g;

/** What native code can sign with. */
const SUPPORTED_KEYS = 'RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519';

/**
 * @param {import('../..').TlsOptions | undefined} value
 * @returns {{ rejectUnauthorized: boolean | undefined, native: object | undefined }} `native` goes to native code as JSON
 */
function parseTls(value, name = 'tls') {
  const given = value === undefined ? {} : checkOptions(value, name, KEYS);
  const native = {};
  if (isGiven(given.ca)) native.ca = listOf(given.ca, `${name}.ca`, 'certificates in PEM', certificatesOf).flat();
  const identities = identitiesOf(given, name);
  if (identities.length > 0) native.identities = identities;
  const minVersion = minVersionOf(given.minVersion, `${name}.minVersion`);
  if (minVersion !== undefined) native.minVersion = minVersion;
  const { rejectUnauthorized } = given;
  if (rejectUnauthorized !== undefined) checkBoolean(rejectUnauthorized, `${name}.rejectUnauthorized`);
  return { rejectUnauthorized, native: Object.keys(native).length > 0 ? native : undefined };
}

/** As Node has it, `null` is not given. */
function isGiven(value) {
  return value !== undefined && value !== null;
}

function minVersionOf(value, name) {
  // `tls.DEFAULT_MIN_VERSION` says so too, but to load `node:tls` takes longer than all of this package.
  if (!isGiven(value)) return hasFlag('--tls-min-v1.3') ? 'TLSv1.3' : undefined;
  if (!MIN_VERSIONS.includes(value)) {
    throw invalidValue(name, MIN_VERSIONS.map((version) => `'${version}'`).join(' or '), value);
  }
  return value;
}

/** One or an array of them. */
function listOf(value, name, what, check) {
  return Array.isArray(value) ? checkArray(value, name, what, check) : [check(value, name)];
}

/** The certificates in one file, each as PEM. */
function certificatesOf(value, name) {
  const { X509Certificate } = require('node:crypto');
  const sections = textOf(value, name, 'certificates in PEM').match(CERTIFICATES);
  if (sections === null) throw invalidSecret(name, 'certificates in PEM');
  return sections.map((section, index) => {
    try {
      return new X509Certificate(section).toString();
    } catch (cause) {
      throw because(cause, invalidSecret(name, `certificates in PEM: number ${index + 1} in it cannot be read`));
    }
  });
}

/** Bytes are read one character each: what is not PEM need not be text. */
function textOf(value, name, what) {
  if (typeof value === 'string') return value;
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
  throw invalidType(name, `${what}, as a string or a Buffer, or an array of those`, typeof value);
}

/** Certificate chains with their keys, which may be given in any order. */
function identitiesOf({ cert, key, passphrase }, name) {
  if (isGiven(passphrase) && typeof passphrase !== 'string') {
    throw invalidType(`${name}.passphrase`, 'a string', typeof passphrase);
  }
  if (!isGiven(cert) && !isGiven(key)) return [];
  if (!isGiven(cert)) throw invalidSecret(`${name}.cert`, `given together with ${name}.key`);
  if (!isGiven(key)) throw invalidSecret(`${name}.key`, `given together with ${name}.cert`);
  const { X509Certificate } = require('node:crypto');
  const chains = listOf(cert, `${name}.cert`, 'certificates in PEM', certificatesOf);
  const keys = listOf(key, `${name}.key`, 'private keys in PEM', (value, at) => privateKeyOf(value, at, passphrase, name));
  return chains.map((chain) => {
    const [leaf] = chain;
    const own = keys.find((candidate) => new X509Certificate(leaf).checkPrivateKey(candidate));
    if (own === undefined) throw invalidSecret(`${name}.key`, `the private key of the certificate in ${name}.cert`);
    return { cert: chain.join(''), key: own.export({ type: 'pkcs8', format: 'pem' }) };
  });
}

/** A key, or `{ pem, passphrase }` where several have passphrases of their own. */
function privateKeyOf(value, at, shared, name) {
  const { createPrivateKey } = require('node:crypto');
  const isPair = typeof value === 'object' && value !== null && 'pem' in value;
  const text = textOf(isPair ? value.pem : value, isPair ? `${at}.pem` : at, 'private keys in PEM');
  const passphrase = (isPair ? value.passphrase : undefined) ?? shared ?? undefined;
  let key;
  try {
    key = createPrivateKey({ key: text, passphrase });
  } catch (cause) {
    throw because(cause, unreadableKey(cause, at, passphrase, name));
  }
  if (!isSupported(key)) throw invalidSecret(at, SUPPORTED_KEYS);
  return key;
}

function unreadableKey({ code }, at, passphrase, name) {
  if (code === 'ERR_MISSING_PASSPHRASE' || (passphrase === undefined && /BAD_PASSWORD_READ|INTERRUPTED/.test(code))) {
    return invalidSecret(`${name}.passphrase`, `given: ${at} is encrypted`);
  }
  if (/BAD_DECRYPT|BAD_PASSWORD/.test(code)) {
    return invalidSecret(`${name}.passphrase`, `the one with which ${at} is encrypted`);
  }
  return invalidSecret(at, 'a private key in PEM');
}

function isSupported({ asymmetricKeyType, asymmetricKeyDetails: { modulusLength, namedCurve } = {} }) {
  switch (asymmetricKeyType) {
    case 'rsa':
      return modulusLength >= 2048 && modulusLength <= 4096;
    case 'ec':
      return namedCurve === 'prime256v1' || namedCurve === 'secp384r1';
    default:
      return asymmetricKeyType === 'ed25519';
  }
}

function because(cause, error) {
  return Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
}

module.exports = { parseTls };
