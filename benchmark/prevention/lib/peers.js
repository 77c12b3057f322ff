'use strict';

/**
 * The clients: those of the speed benchmark, of which only `post` is used, and what is of interest only here.
 *
 * @typedef {Pick<import('../../lib/peers').Peer, 'version' | 'setup' | 'post'>} PreventionPeer
 */
const FILES = {
  unreset: '../../peers/unreset',
  'unreset-unguarded': '../peers/unreset-unguarded',
  fetch: '../../peers/fetch',
  'undici-request': '../../peers/undici-request',
  got: '../../peers/got',
  'axios-agent': '../peers/axios-agent',
};

/**
 * @param {string} name
 * @returns {PreventionPeer}
 */
const loadPeer = (name) => require(FILES[name]);

module.exports = { peerNames: () => Object.keys(FILES), loadPeer };
