'use strict';

/**
 * Builds the addon for this machine from the Rust sources of the package. One function for its three callers:
 * the checkout's `npm run build`, the install script and `npx unreset build`.
 */

const { spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const { addonProblem } = require('./check');
const { currentTarget, addonPath } = require('./target');

/** What the addon is built from, relative to the package. */
const SOURCES = ['Cargo.toml', 'Cargo.lock', 'build.rs', '.cargo', 'src'];

/** The addon cannot be built here, for a reason that its message states. */
class BuildError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = 'BuildError';
    this.code = 'ERR_UNRESET_BUILD';
  }
}

/**
 * @param {object} options
 * @param {string} options.root the package's directory
 * @param {'release' | 'debug'} [options.profile] `release` is optimised and stripped and takes minutes
 * @param {boolean} [options.clean] remove what cargo leaves behind, several hundred MB, unless the user's own
 *   settings say where that goes
 * @param {(line: string) => void} [options.log]
 * @returns {Promise<string>} the path of the addon
 * @throws {BuildError}
 */
async function buildAddon({ root, profile = 'release', clean = false, log = () => {} }) {
  const needed = requiredRust(root);
  const found = await installedRust(root, needed);
  log(`building the native addon (${profile}) with cargo ${found.join('.')}`);

  const targetDirectory = path.join(root, 'target');
  const ownTarget = clean && !process.env.CARGO_TARGET_DIR && !fs.existsSync(targetDirectory);
  try {
    // Taken first: what is changed during the build is not in it.
    const sources = sourcesDigest(root);
    const library = await cargoBuild(root, profile);
    const addon = addonPath(root, currentTarget());
    replaceFile(addon, (temporary) => fs.copyFileSync(library, temporary));
    replaceFile(recordPath(addon), (temporary) => fs.writeFileSync(temporary, JSON.stringify({ profile, sources })));
    const problem = addonProblem(root);
    if (problem) throw new BuildError(`the addon was built, but ${problem}`);
    log(`built ${addon}`);
    return addon;
  } finally {
    if (ownTarget) fs.rmSync(targetDirectory, { recursive: true, force: true });
  }
}

/**
 * What is known of the addon that is there.
 * @param {string} root
 * @returns {{ profile: 'release' | 'debug', fresh: boolean } | undefined} undefined when there is none; `fresh`
 *   when it was built from the sources as they are now
 */
function builtAddon(root) {
  const addon = addonPath(root, currentTarget());
  if (!fs.existsSync(addon) || !fs.existsSync(recordPath(addon))) return undefined;
  const { profile, sources } = JSON.parse(fs.readFileSync(recordPath(addon), 'utf8'));
  return { profile, fresh: sources === sourcesDigest(root) };
}

const recordPath = (addon) => addon.replace(/\.node$/, '.json');

/** The `rust-version` of Cargo.toml as numbers. */
function requiredRust(root) {
  const manifest = path.join(root, 'Cargo.toml');
  if (!fs.existsSync(manifest)) throw new BuildError(`the Rust sources are not there: ${manifest} is missing`);
  const [, version = ''] = /^rust-version = "([^"]+)"/m.exec(fs.readFileSync(manifest, 'utf8')) ?? [];
  return parseVersion(version);
}

/** The version of cargo as numbers; a cargo comes with the compiler of its own version. */
async function installedRust(root, needed) {
  const wanted = `Rust ${needed.join('.')} or newer is needed (https://rustup.rs)`;
  let output;
  try {
    output = await run('cargo', ['--version'], { cwd: root });
  } catch (cause) {
    throw new BuildError(`cargo cannot be run (${cause.message}): ${wanted}`, { cause });
  }
  const found = parseVersion(output);
  if (isOlder(found, needed)) throw new BuildError(`cargo is version ${found.join('.')}: ${wanted}`);
  return found;
}

/**
 * Runs cargo and returns the path of the library, which cargo itself reports: it depends on CARGO_TARGET_DIR,
 * on the user's cargo configuration and on the platform's naming.
 */
async function cargoBuild(root, profile) {
  const args = ['build', '--lib', '--locked', '--message-format=json-render-diagnostics'];
  if (profile === 'release') args.push('--release');

  let library;
  try {
    const output = await run('cargo', args, { cwd: root, stderr: 'inherit' });
    library = output.split('\n').filter(Boolean).map((line) => JSON.parse(line)).flatMap(librariesIn).at(-1);
  } catch (cause) {
    throw new BuildError(`cargo could not build the addon (${cause.message}); its own messages are above`, { cause });
  }
  if (!library) throw new BuildError('cargo built no loadable library for this platform');
  return library;
}

function librariesIn(message) {
  if (message.reason !== 'compiler-artifact' || !message.target.kind.includes('cdylib')) return [];
  return message.filenames.filter((file) => /\.(so|dylib|dll)$/.test(file));
}

/** Writes a file in one step: a process may have the old addon mapped, and another may be about to load it. */
function replaceFile(file, write) {
  const temporary = `${file}.${process.pid}.tmp`;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  try {
    write(temporary);
    fs.renameSync(temporary, file);
  } catch (cause) {
    // Windows refuses to replace a library that a process has loaded.
    throw new BuildError(`${file} could not be written (${cause.message}); is a program using it?`, { cause });
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

/** A digest of names and contents. Times say nothing: git, npm and copies set them as they please. */
function sourcesDigest(root) {
  const hash = crypto.createHash('sha256');
  for (const file of SOURCES.flatMap((name) => filesUnder(path.join(root, name)))) {
    hash.update(`${path.relative(root, file)}\0`).update(fs.readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

function filesUnder(name) {
  if (!fs.existsSync(name)) return [];
  if (!fs.statSync(name).isDirectory()) return [name];
  return fs.readdirSync(name).sort().flatMap((entry) => filesUnder(path.join(name, entry)));
}

/** Runs a program without a shell and returns what it wrote to its standard output. */
function run(command, args, { cwd, stderr = 'ignore' }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', stderr], windowsHide: true });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    child.once('error', reject);
    child.once('close', (status, signal) => {
      if (status === 0) resolve(output);
      else reject(new Error(signal ? `ended by ${signal}` : `exit code ${status}`));
    });
  });
}

function parseVersion(text) {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  if (!match) throw new BuildError(`no version in ${JSON.stringify(text)}`);
  return match.slice(1).map((part) => Number(part ?? 0));
}

function isOlder(version, than) {
  const index = version.findIndex((part, position) => part !== than[position]);
  return index !== -1 && version[index] < than[index];
}

module.exports = { buildAddon, builtAddon, BuildError };
