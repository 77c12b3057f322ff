'use strict';

/**
 * Packs this package and installs it in empty projects, with a stand-in for cargo where a test is about what is
 * built and not about the compiler: a release build takes minutes.
 */

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { currentTarget, addonPath } = require('../../lib/native/target');

const ROOT = path.join(__dirname, '..', '..');

/** The addon of this checkout. */
const ADDON = addonPath(ROOT, currentTarget());

/** A directory that the caller removes. */
function temporaryDirectory() {
  // The real path: macOS reaches its temporary directory through a link, and cargo reports where it leads.
  return fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'unreset-test-'));
}

/**
 * Runs a program and returns how it ended, whatever its exit code.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').ExecFileOptions} [options]
 * @returns {Promise<{ status: number, stdout: string, stderr: string }>}
 */
function run(command, args, options) {
  return new Promise((resolve, reject) => {
    execFile(command, args, { maxBuffer: 1 << 26, ...options }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ status: error ? error.code : 0, stdout, stderr });
    });
  });
}

/** As {@link run}, for a program that has to succeed. */
async function mustRun(command, args, options) {
  const result = await run(command, args, options);
  if (result.status !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with ${result.status}\n${result.stdout}${result.stderr}`);
  }
  return result;
}

/**
 * Makes a directory for a PATH that holds this Node, the programs named, and no other: no cargo of the machine.
 * @param {string} directory
 * @param {string[]} names
 */
function programs(directory, names) {
  fs.mkdirSync(directory);
  fs.symlinkSync(process.execPath, path.join(directory, 'node'));
  for (const name of names) {
    const places = process.env.PATH.split(path.delimiter).map((place) => path.join(place, name));
    fs.symlinkSync(fs.realpathSync(places.find((place) => fs.existsSync(place))), path.join(directory, name));
  }
  return directory;
}

/** Packs with the addon that is there: `prepack` would make an optimised build first. */
async function pack(directory) {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory];
  const { stdout } = await mustRun('npm', args, { cwd: ROOT });
  const [{ filename, files }] = JSON.parse(stdout);
  return { tarball: path.join(directory, filename), files: files.map((file) => file.path) };
}

/**
 * Puts a `cargo` into `directory` that reports `version` and, asked to build, notes its arguments and its working
 * directory in `calls.json` and reports a copy of this checkout's addon as the library it built.
 * @returns {{ calls: () => { args: string[], cwd: string }[] }}
 */
function fakeCargo(directory, { version = '1.95.0', status = 0 } = {}) {
  const record = path.join(directory, 'calls.json');
  const library = path.join(directory, 'libunreset.so');
  fs.copyFileSync(ADDON, library);
  const artifact = { reason: 'compiler-artifact', target: { kind: ['cdylib', 'rlib'] }, filenames: [library] };
  fs.writeFileSync(path.join(directory, 'cargo'), `#!${process.execPath}
const fs = require('node:fs');
const args = process.argv.slice(2);
if (args[0] === '--version') {
  console.log('cargo ${version} (0000000 2026-01-01)');
} else {
  fs.appendFileSync(${JSON.stringify(record)}, JSON.stringify({ args, cwd: process.cwd() }) + '\\n');
  fs.mkdirSync('target', { recursive: true });
  console.log(${JSON.stringify(JSON.stringify(artifact))});
  console.log('{"reason":"build-finished","success":${status === 0}}');
  process.exitCode = ${status};
}
`, { mode: 0o755 });
  return {
    calls: () => (fs.existsSync(record) ? fs.readFileSync(record, 'utf8').trim().split('\n').map(JSON.parse) : []),
  };
}

module.exports = { ROOT, ADDON, temporaryDirectory, run, mustRun, programs, pack, fakeCargo };
