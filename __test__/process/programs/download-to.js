'use strict';

/**
 * `download-to.js <url> <path> [options as JSON]`: one `downloadTo`. Prints the bytes that are there whenever more are, and at
 * the end what came of it, each as a line of JSON.
 */

const { readdirSync, statSync } = require('node:fs');
const path = require('node:path');
const { downloadTo } = require('../../..');

const [url, file, options = '{}'] = process.argv.slice(2);

const print = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);

/** `undefined` where the directory may not be read. */
function filesBeside() {
  const directory = path.dirname(file);
  let names;
  try {
    names = readdirSync(directory);
  } catch {
    return undefined;
  }
  return Object.fromEntries(names.map((name) => [name, statSync(path.join(directory, name)).size]));
}

downloadTo(url, file, { ...JSON.parse(options), onProgress: ({ bytes }) => print({ progress: bytes }) }).then(
  ({ bytes, continuedAt }) => print({ bytes, continuedAt, files: filesBeside() }),
  ({ name, code, kind, delivery, transient, message, offset, partial, owner, syscall }) =>
    print({ name, code, kind, delivery, transient, message, offset, partial, owner, syscall, files: filesBeside() }),
);
