'use strict';

/**
 * Whom this Node trusts: asked when a client makes its first connection over TLS, and not before. To load `node:tls` takes
 * 9 to 28 ms (Node 20 to 26), for which no other call should wait, and to list the certificates up to 17 ms more.
 */

const { readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');
const native = require('../native');

/** Node reads it when the process starts. */
const EXTRA_CA_CERTS = process.env.NODE_EXTRA_CA_CERTS;

/** With this option Node asks OpenSSL for its roots instead of bringing its own. */
const USES_OPENSSL_ROOTS = hasFlag('--use-openssl-ca');
/** Where OpenSSL has them by name and hash: `openssl rehash`. */
const HASHED = /^[\da-f]{8}\.\d+$/;

/** What Node listed last, and what native code made of it. */
let known;
/** What it does not list. */
let unlisted;

/** Thrown to stop `tls.connect` where it has warned and has opened nothing. */
const WARNED = Symbol('warned');

/** Whether the environment says that certificates are not to be verified. */
function acceptsAnyone() {
  return process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0';
}

/**
 * A client begins to speak TLS.
 *
 * @param {boolean} wantsRoots
 * @returns {import('../native').NativeRoots | undefined} the default roots; `undefined` where Node has none
 */
function beginTls(wantsRoots) {
  const warns = acceptsAnyone();
  if (!warns && !wantsRoots) return undefined;
  const tls = loadTls();
  if (tls === undefined) return undefined;
  if (warns) warnAsNode(tls);
  return wantsRoots ? defaultRoots(tls) : undefined;
}

function loadTls() {
  try {
    return require('node:tls');
  } catch {
    // A Node built without OpenSSL.
    return undefined;
  }
}

/** Shared by all clients: in native code, too, to read them takes longer than a call. */
function defaultRoots(tls) {
  // The same array until somebody calls `tls.setDefaultCACertificates`.
  const list = listed(tls);
  if (known?.list !== list) {
    unlisted ??= unlistedFiles(tls).map(read).join('\n');
    known = { list, roots: new native.NativeRoots(`${list.join('\n')}\n${unlisted}`) };
  }
  return known.roots;
}

function listed(tls) {
  if (tls.getCACertificates !== undefined) return tls.getCACertificates('default');
  return USES_OPENSSL_ROOTS ? [] : tls.rootCertificates;
}

function unlistedFiles(tls) {
  // Before Node 22.15 nothing tells what Node read from there.
  const extra = EXTRA_CA_CERTS && tls.getCACertificates === undefined ? [EXTRA_CA_CERTS] : [];
  return USES_OPENSSL_ROOTS ? [...extra, ...opensslFiles()] : extra;
}

/** Where the variables of OpenSSL say. The places that it was built with are known to OpenSSL alone. */
function opensslFiles() {
  const { SSL_CERT_FILE, SSL_CERT_DIR } = process.env;
  const hashed = (directory) => namesIn(directory).filter((name) => HASHED.test(name)).map((name) => path.join(directory, name));
  const directories = SSL_CERT_DIR ? SSL_CERT_DIR.split(path.delimiter) : [];
  return [...(SSL_CERT_FILE ? [SSL_CERT_FILE] : []), ...directories.flatMap(hashed)];
}

function namesIn(directory) {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Of the file with the extra ones Node has warned if it cannot be read; OpenSSL does not warn of its own. */
function read(file) {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/**
 * Node warns with the first connection of a process, whoever makes it. It is Node that is made to warn here: so there is
 * one warning and not two, in its words.
 */
function warnAsNode(tls) {
  try {
    tls.connect({
      get minDHSize() {
        throw WARNED;
      },
    });
  } catch (error) {
    if (error !== WARNED) throw error;
  }
}

/** Whether Node was started with an option that takes no value. */
function hasFlag(flag) {
  return process.execArgv.includes(flag) || (process.env.NODE_OPTIONS ?? '').split(/\s+/).includes(flag);
}

module.exports = { acceptsAnyone, beginTls, hasFlag };
