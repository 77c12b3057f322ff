'use strict';

/**
 * Whom this Node trusts: asked when a client makes its first connection over TLS, and not before. To load `node:tls` takes
 * 9 to 28 ms (Node 20 to 26), which a program that speaks plain HTTP would pay for nothing.
 */

const { readFileSync } = require('node:fs');
const native = require('../native');

/** Node reads it when the process starts. */
const EXTRA_CA_CERTS = process.env.NODE_EXTRA_CA_CERTS;

/** What of `tls` was read last, and what native code made of it. */
let known;
let extraRoots;

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
  const list = tls.getCACertificates?.('default') ?? tls.rootCertificates;
  if (known?.list !== list) {
    extraRoots ??= tls.getCACertificates === undefined ? readExtraRoots() : '';
    known = { list, roots: new native.NativeRoots(`${list.join('\n')}\n${extraRoots}`) };
  }
  return known.roots;
}

/** Before Node 22.15 nothing tells what Node read from there. A file that it cannot read it has warned of. */
function readExtraRoots() {
  if (!EXTRA_CA_CERTS) return '';
  try {
    return readFileSync(EXTRA_CA_CERTS, 'latin1');
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

module.exports = { acceptsAnyone, beginTls };
