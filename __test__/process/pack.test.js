'use strict';

const fs = require('node:fs');
const path = require('node:path');

const { version } = require('../../package.json');
const { builtAddon } = require('../../lib/native/build');
const { ADDON, fakeCargo, mustRun, pack, programs, run, temporaryDirectory } = require('../support/packages');

/** Windows finds programs in another way than by an executable script on the PATH. */
const describePosix = process.platform === 'win32' ? describe.skip : describe;

describePosix('the packed package, installed in an empty project', () => {
  let directory, tools, project, installed, packed, installation;

  const addon = () => path.join(installed, 'native', path.basename(ADDON));

  /** What a user's shell offers: `tools`, and a cargo or none where `cargoDirectory` is left out. */
  function environment(cargoDirectory) {
    const env = { ...process.env, PATH: [cargoDirectory, tools].filter(Boolean).join(path.delimiter) };
    delete env.CARGO_TARGET_DIR;
    return { cwd: project, env };
  }

  /** A directory with a stand-in for cargo, which `calls()` tells about. */
  function cargo(options) {
    const bin = fs.mkdtempSync(path.join(directory, 'cargo-'));
    return { ...fakeCargo(bin, options), ...environment(bin) };
  }

  /** As npm does it after unpacking; the output of install scripts is otherwise hidden. */
  const runInstallScript = (options) => run('npm', ['rebuild', 'unreset', '--foreground-scripts'], options);
  const unreset = (args, options) => run(path.join(project, 'node_modules', '.bin', 'unreset'), args, options);
  const requireIt = (options) => run(process.execPath, ['-p', `typeof require('unreset').fetch`], options);

  beforeAll(async () => {
    directory = temporaryDirectory();
    project = path.join(directory, 'project');
    installed = path.join(project, 'node_modules', 'unreset');
    fs.mkdirSync(project);
    tools = programs(path.join(directory, 'tools'), ['npm', 'sh']);
    fs.writeFileSync(path.join(project, 'package.json'), '{ "name": "project", "private": true }');
    // A Rust project of the user's around it must not take the package for one of its members.
    fs.writeFileSync(path.join(project, 'Cargo.toml'), '[workspace]\nmembers = []\n');

    packed = await pack(directory);
    const shell = cargo();
    const args = ['install', packed.tarball, '--offline', '--no-audit', '--no-fund', '--foreground-scripts'];
    installation = { ...(await mustRun('npm', args, shell)), calls: shell.calls() };
  });

  afterAll(() => fs.rmSync(directory, { recursive: true, force: true }));

  beforeEach(() => {
    fs.mkdirSync(path.dirname(addon()), { recursive: true });
    fs.copyFileSync(ADDON, addon());
  });

  describe('with an addon that fits', () => {
    it('is installed without building or saying anything', () => {
      expect(installation.calls).toEqual([]);
      expect(installation.stderr).not.toContain('unreset:');
    });

    it('can be required and imported', async () => {
      const script = `import { fetch, classify } from 'unreset'; import { startOrigin } from 'unreset/testing';
        console.log(typeof fetch, typeof classify, typeof startOrigin);`;

      expect((await requireIt(environment())).stdout.trim()).toBe('function');
      const imported = await mustRun(process.execPath, ['--input-type=module', '-e', script], environment());
      expect(imported.stdout.trim()).toBe('function function function');
    });
  });

  describe('its files', () => {
    it('are the addon, what installs it, and nothing that only a checkout needs', () => {
      expect(packed.files).toEqual(expect.arrayContaining([
        'index.js', 'index.d.ts', 'testing.js', 'testing.d.ts', 'bin/unreset.js', 'scripts/install.js', 'LICENSE', 'Cargo.toml', 'Cargo.lock',
        `native/${path.basename(ADDON)}`,
      ]));
      const stray = /^(__test__|benchmark|examples|target|coverage|scripts\/(?!install\.js$))|\.(tmp|tgz|log)$/;
      expect(packed.files.filter((file) => stray.test(file))).toEqual([]);
    });

    it('are a complete crate, also below a Cargo workspace of the user', async () => {
      const args = ['metadata', '--no-deps', '--offline', '--format-version=1'];
      const { stdout } = await mustRun('cargo', args, { cwd: installed });

      expect(JSON.parse(stdout).workspace_root).toBe(installed);
    });

    it('include every file that the Rust sources include', () => {
      const sources = packed.files.filter((file) => file.endsWith('.rs'));
      const included = sources.flatMap((source) => {
        const text = fs.readFileSync(path.join(installed, source), 'utf8');
        return [...text.matchAll(/include_(?:str|bytes)!\(\s*"([^"]+)"/g)]
          .map(([, name]) => path.posix.join(path.posix.dirname(source), name));
      });

      expect(sources.length).toBeGreaterThan(0);
      expect(included.filter((file) => !packed.files.includes(file))).toEqual([]);
    });
  });

  describe('without an addon that fits', () => {
    beforeEach(() => fs.rmSync(addon()));

    it('is built from the packed sources when it is installed', async () => {
      const shell = cargo();
      expect((await runInstallScript(shell)).status).toBe(0);

      expect(shell.calls()).toEqual([{
        args: ['build', '--lib', '--locked', '--message-format=json-render-diagnostics', '--release'],
        cwd: installed,
      }]);
      expect((await requireIt(environment())).stdout.trim()).toBe('function');
      // What cargo leaves behind is larger than most projects.
      expect(fs.existsSync(path.join(installed, 'target'))).toBe(false);
      expect(fs.readdirSync(path.dirname(addon())).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    });

    it('is built in place of an addon that does not load', async () => {
      fs.writeFileSync(addon(), 'made for another machine');
      const shell = cargo();
      await runInstallScript(shell);

      expect(shell.calls()).toHaveLength(1);
      expect((await requireIt(environment())).stdout.trim()).toBe('function');
    });

    it.each([
      ['there is no cargo', undefined, 'cargo cannot be run'],
      ['cargo is too old', { version: '1.87.0' }, 'cargo is version 1.87.0: Rust 1.88.0 or newer is needed'],
      ['cargo fails', { status: 101 }, 'cargo could not build the addon (exit code 101)'],
    ])('does not fail the installation when %s; the first require does, and says what to do', async (_, options, why) => {
      const shell = options ? cargo(options) : environment();
      const { status, stdout, stderr } = await runInstallScript(shell);

      expect(status).toBe(0);
      expect(stdout + stderr).toContain(why);
      expect(stdout + stderr).toContain('npx unreset build');

      const required = await requireIt(shell);
      expect(required.status).not.toBe(0);
      for (const part of ['ERR_UNRESET_NATIVE', process.platform, process.version, 'npx unreset build']) {
        expect(required.stderr).toContain(part);
      }
    });

    it('is built by `unreset build`', async () => {
      const shell = cargo();
      const { status, stderr } = await unreset(['build'], shell);

      expect(status).toBe(0);
      expect(stderr).toContain(`built ${addon()}`);
      expect(shell.calls()[0].args).toContain('--release');
      expect((await requireIt(environment())).stdout.trim()).toBe('function');
    });

    it('is built without optimisation by `unreset build --debug`', async () => {
      const shell = cargo();
      await unreset(['build', '--debug'], shell);

      expect(shell.calls()[0].args).not.toContain('--release');
      expect(builtAddon(installed)).toEqual({ profile: 'debug', fresh: true });
    });

    it('is stale once the Rust sources differ from what it was built from', async () => {
      await unreset(['build'], cargo());
      expect(builtAddon(installed)).toEqual({ profile: 'release', fresh: true });

      const source = path.join(installed, 'src', 'lib.rs');
      const text = fs.readFileSync(source, 'utf8');
      fs.writeFileSync(source, `${text}// changed\n`);
      const changed = builtAddon(installed);
      fs.writeFileSync(source, text);

      expect(changed).toEqual({ profile: 'release', fresh: false });
    });

    it.each([
      ['there is no cargo', undefined, 'cargo cannot be run'],
      ['cargo fails', { status: 101 }, 'cargo could not build the addon'],
    ])('`unreset build` fails when %s', async (_, options, why) => {
      const { status, stderr } = await unreset(['build'], options ? cargo(options) : environment());

      expect(status).toBe(1);
      expect(stderr).toContain(why);
      expect(fs.existsSync(addon())).toBe(false);
    });
  });

  describe('the command line', () => {
    it('shows its commands, and the help of each', async () => {
      const { status, stdout } = await unreset(['--help'], environment());
      expect(status).toBe(0);
      expect(stdout).toMatch(/^Usage: unreset <command>[^]*^ {2}build {2}/m);

      const build = await unreset(['build', '--help'], environment());
      expect(build.status).toBe(0);
      expect(build.stdout).toMatch(/^Usage: unreset build/);
    });

    it('shows the version', async () => {
      expect((await unreset(['--version'], environment())).stdout.trim()).toBe(version);
    });

    it.each([
      [['biuld'], 'unknown command: biuld'],
      [['toString'], 'unknown command: toString'],
      [['build', '--fast'], "Unknown option '--fast'"],
      [['build', 'now'], "Unexpected argument 'now'"],
    ])('refuses %j', async (args, why) => {
      const { status, stdout, stderr } = await unreset(args, environment());

      expect(status).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toContain(why);
      expect(stderr).toContain('Usage: unreset');
    });
  });
});
