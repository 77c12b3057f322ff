'use strict';

const fs = require('node:fs');
const path = require('node:path');

const { cases } = require('../cases');

const FOLDER = path.join(__dirname, '..', 'peers');

/**
 * A client under comparison: a file in peers/. The operations that it lacks are not measured.
 *
 * @typedef {object} Peer
 * @property {string} version of the client
 * @property {string[]} [cases] the only cases in which it says something; all of them by default
 * @property {() => Promise<void>} setup loads the client: requiring the file must not, the runner does it too
 * @property {(url: string) => Promise<any>} [json] GET, gives the parsed body
 * @property {(url: string) => Promise<any>} [inflated] as `json`, of a body that comes compressed
 * @property {(url: string) => Promise<ArrayBuffer | Uint8Array>} [bytes] GET, gives the whole body
 * @property {(url: string) => Promise<any>} [post] POST of JSON_BODY, gives the parsed body
 * @property {(url: string) => Promise<number>} [drain] GET, reads the body as a stream, gives its length
 */

/** @returns {string[]} the names of all peers, this project's first */
function peerNames() {
  const names = fs.readdirSync(FOLDER).map((file) => path.basename(file, '.js')).sort();
  const isOurs = (name) => name.startsWith('unreset');
  return [...names.filter(isOurs), ...names.filter((name) => !isOurs(name))];
}

/**
 * @param {string} name
 * @returns {Peer}
 */
function loadPeer(name) {
  return require(path.join(FOLDER, name));
}

/**
 * @param {string} peerName
 * @param {string} caseName
 */
function takesPart(peerName, caseName) {
  const peer = loadPeer(peerName);
  return cases[caseName].operation in peer && (peer.cases?.includes(caseName) ?? true);
}

module.exports = { peerNames, loadPeer, takesPart };
