'use strict';

const fs = require('node:fs');
const path = require('node:path');

const nodeMajor = Number(process.versions.node.split('.')[0]);

/**
 * The version of an installed peer, read from its folder: a package may not export its package.json.
 * @param {string} name the folder in node_modules, an alias included
 */
function packageVersion(name) {
  const file = path.join(__dirname, '..', 'node_modules', name, 'package.json');
  return JSON.parse(fs.readFileSync(file, 'utf8')).version;
}

module.exports = { nodeMajor, packageVersion };
