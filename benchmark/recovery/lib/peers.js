'use strict';

const fs = require('node:fs');
const path = require('node:path');

const FOLDER = path.join(__dirname, '..', 'peers');

/**
 * A client under comparison: a file in recovery/peers/. Both operations give the bytes of an answer whose status is
 * 2xx, or reject; what the client itself does not check is left unchecked.
 *
 * @typedef {object} RecoveryPeer
 * @property {string} version of the client
 * @property {() => Promise<void>} setup loads the client: requiring the file must not, the runner does it too
 * @property {(url: string) => Promise<Uint8Array>} get
 * @property {(url: string, json: object) => Promise<Uint8Array>} post
 */

/** @returns {string[]} the names of all peers: this project's, the bare fetch, then the others */
function peerNames() {
  const names = fs.readdirSync(FOLDER).map((file) => path.basename(file, '.js')).sort();
  const first = ['unreset', 'fetch'];
  return [...first, ...names.filter((name) => !first.includes(name))];
}

/**
 * @param {string} name
 * @returns {RecoveryPeer}
 */
const loadPeer = (name) => require(path.join(FOLDER, name));

module.exports = { peerNames, loadPeer };
