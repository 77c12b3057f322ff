'use strict';

/** Directories for the files of a test, gone with it. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const made = [];

/** @returns {string} the path of an empty directory */
function scratch() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'unreset-test-'));
  made.push(directory);
  return directory;
}

function removeScratch() {
  for (const directory of made.splice(0)) fs.rmSync(directory, { recursive: true, force: true });
}

module.exports = { scratch, removeScratch };
