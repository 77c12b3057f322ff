'use strict';

const fs = require('node:fs');
const path = require('node:path');

const { version } = require('../../package.json');
const { loadAddon } = require('../../lib/native/load');
const { currentTarget, addonPath, libcFromReport } = require('../../lib/native/target');
const { ADDON, ROOT, mustRun, temporaryDirectory } = require('../support/packages');

describe('the loader of the native addon', () => {
  let root;

  beforeEach(() => {
    root = temporaryDirectory();
    fs.mkdirSync(path.join(root, 'native'));
  });

  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  function failure(options) {
    try {
      loadAddon({ root, version, ...options });
    } catch (error) {
      return error;
    }
    throw new Error('the addon was loaded');
  }

  it('loads the addon of this version', () => {
    expect(loadAddon({ root: ROOT, version }).version()).toBe(version);
  });

  it('says what is missing, for which platform, and how to build it', () => {
    const error = failure();
    const file = addonPath(root, currentTarget());

    expect(error).toMatchObject({
      code: 'ERR_UNRESET_NATIVE',
      platform: process.platform,
      arch: process.arch,
      nodeVersion: process.version,
      file,
      problem: `there is no ${file}`,
    });
    const { name } = currentTarget();
    for (const part of [process.platform, process.arch, process.version, name, 'npx unreset build', 'Rust']) {
      expect(error.message).toContain(part);
    }
    expect(error.cause).toBeUndefined();
  });

  it('says why an addon that is there cannot be loaded, and keeps the cause', () => {
    fs.writeFileSync(addonPath(root, currentTarget()), 'not a library');
    const error = failure();

    expect(error.code).toBe('ERR_UNRESET_NATIVE');
    expect(error.message).toContain('is there but cannot be loaded');
    expect(error.message).toContain(error.cause.message);
    expect(error.message).toContain('npx unreset build');
  });

  it('refuses the addon of another version', () => {
    const error = failure({ root: ROOT, version: '0.0.0-other' });

    expect(error.code).toBe('ERR_UNRESET_NATIVE');
    expect(error.problem).toBe(`${ADDON} is version ${version}, this package is version 0.0.0-other`);
  });

  it('refuses an addon that does not say its version', () => {
    // Any module will do: `require` takes a JavaScript file where the override names one.
    const stranger = path.join(root, 'stranger.js');
    fs.writeFileSync(stranger, 'module.exports = {};');
    const before = process.env.UNRESET_NATIVE_PATH;
    process.env.UNRESET_NATIVE_PATH = stranger;
    try {
      expect(failure().problem).toContain('is version unknown');
    } finally {
      if (before === undefined) delete process.env.UNRESET_NATIVE_PATH;
      else process.env.UNRESET_NATIVE_PATH = before;
    }
  });

  it('loads the addon that UNRESET_NATIVE_PATH names, relative to the working directory', async () => {
    fs.copyFileSync(ADDON, path.join(root, 'elsewhere.node'));
    const script = `const { loadAddon } = require(${JSON.stringify(path.join(ROOT, 'lib', 'native', 'load.js'))});
      console.log(loadAddon({ root: '/nowhere', version: '${version}' }).version());`;
    const { stdout } = await mustRun(process.execPath, ['-e', script], {
      cwd: root,
      env: { ...process.env, UNRESET_NATIVE_PATH: 'elsewhere.node' },
    });

    expect(stdout.trim()).toBe(version);
  });
});

describe('the target of an addon', () => {
  it('names platform and processor', () => {
    expect(currentTarget().name).toMatch(new RegExp(`^${process.platform}-${process.arch}`));
  });

  (process.platform === 'linux' ? it : it.skip)('tells the C library as the diagnostic report does', () => {
    expect(currentTarget().libc).toBe(libcFromReport());
    expect(currentTarget().name).toBe(`linux-${process.arch}-${libcFromReport()}`);
  });
});
