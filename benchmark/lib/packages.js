'use strict';

const fs = require('node:fs');
const path = require('node:path');

const nodeMajor = Number(process.versions.node.split('.')[0]);

/** Peers whose newest version needs Node 22, and the alias of the last one that does not. */
const BEFORE_NODE_22 = { got: 'got-14', ky: 'ky-1', 'p-retry': 'p-retry-7', undici: 'undici-7' };

/**
 * @param {keyof typeof BEFORE_NODE_22} name
 * @returns {string} what to load the peer by: its newest version that runs on this Node
 */
const newest = (name) => (nodeMajor >= 22 ? name : BEFORE_NODE_22[name]);

/**
 * The version of an installed peer, read from its folder: a package may not export its package.json.
 * @param {string} name the folder in node_modules, an alias included
 */
function packageVersion(name) {
  const file = path.join(__dirname, '..', 'node_modules', name, 'package.json');
  return JSON.parse(fs.readFileSync(file, 'utf8')).version;
}

module.exports = { newest, packageVersion };
