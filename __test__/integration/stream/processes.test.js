'use strict';

/** `downloadTo` across processes: one that is killed, two at once, and disks that are full. */

const { spawn } = require('node:child_process');
const { randomBytes } = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { createInterface } = require('node:readline');

const { FaultProxy, downloadTo } = require('../../..');
const { closeAll } = require('../../../testing');
const { serveFile } = require('../../support/file-server');
const { serveLargeFile, digestOfLargeFile, MIB } = require('../../support/large-file');
const { removeScratch, scratch } = require('../../support/scratch');

const PROGRAM = path.join(__dirname, '../../process/programs/download-to.js');

/** The user that owns nothing. */
const NOBODY = 65_534;

jest.setTimeout(120_000);

let directory;
let file;
const children = new Set();
beforeEach(() => {
  directory = scratch();
  file = path.join(directory, 'file');
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  await closeAll();
  removeScratch();
});

/** A process that prints lines of JSON. */
function start(command, args, options) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
  children.add(child);
  const lines = [];
  const waiting = new Set();
  createInterface(child.stdout).on('line', (line) => {
    lines.push(JSON.parse(line));
    for (const check of waiting) check();
  });
  const closed = once(child, 'close');
  return {
    child,
    closed,
    /** The first line of which this is true. */
    line: (predicate) => new Promise((resolve) => {
      const check = () => {
        const found = lines.find(predicate);
        if (found === undefined) return;
        waiting.delete(check);
        resolve(found);
      };
      waiting.add(check);
      check();
    }),
    async result() {
      await closed;
      return lines.filter((line) => line.progress === undefined).at(-1);
    },
  };
}

const download = (url, options = {}) => start(process.execPath, [PROGRAM, url, file, JSON.stringify(options)]);

test('a process that is killed in the middle: the next one goes on', async () => {
  const size = 64 * MIB;
  const origin = await serveLargeFile(size);
  const proxy = await FaultProxy.listen({ upstream: origin.port });
  const stall = proxy.add({ type: 'stall', on: 'response', afterBytes: size / 2 });
  const first = download(proxy.url('/'));
  await first.line(({ progress }) => progress > size / 4);
  first.child.kill('SIGKILL');
  await first.closed;
  expect(fs.readdirSync(directory).toSorted()).toEqual(['file.part', 'file.part.json', 'file.part.lock']);
  const there = fs.statSync(`${file}.part`).size;
  stall.remove();
  const digest = `sha256-${digestOfLargeFile(size)}`;
  const result = await download(proxy.url('/'), { digest }).result();
  expect(result).toEqual({ bytes: size, continuedAt: there, files: { file: size } });
  expect(origin.requests[1].headers.range).toBe(`bytes=${there}-`);
});

test('killed again and again, it comes to its end', async () => {
  const size = 32 * MIB;
  const origin = await serveLargeFile(size);
  const proxy = await FaultProxy.listen({ upstream: origin.port });
  proxy.add({ type: 'bandwidth', on: 'response', rate: 64 * MIB });
  let there = 0;
  for (let kills = 0; kills < 4; kills += 1) {
    const run = download(proxy.url('/'));
    await run.line(({ progress }) => progress > there + MIB);
    run.child.kill('SIGKILL');
    await run.closed;
    there = fs.statSync(`${file}.part`).size;
  }
  const result = await downloadTo(proxy.url('/'), file, { digest: `sha256-${digestOfLargeFile(size)}` });
  expect(result).toMatchObject({ bytes: size, continuedAt: there });
});

test('two processes on one path: the second is refused and told whose it is, and the first is whole', async () => {
  const content = randomBytes(300_000);
  let release;
  const hold = new Promise((resolve) => { release = resolve; });
  const origin = await serveFile(content, { piece: 100_000, hold });
  const first = download(origin.url);
  await first.line(({ progress }) => progress > 0);
  expect(await download(origin.url).result()).toMatchObject({
    name: 'FaultError', code: 'ERR_DOWNLOAD_LOCKED', owner: first.child.pid, delivery: 'not-sent', transient: false,
  });
  release();
  expect(await first.result()).toMatchObject({ bytes: content.length, files: { file: content.length } });
  expect(content.equals(fs.readFileSync(file))).toBe(true);
});

test('many at once, some of which are killed: whoever comes through has all of it', async () => {
  const size = 8 * MIB;
  const origin = await serveLargeFile(size);
  const digest = `sha256-${digestOfLargeFile(size)}`;
  for (let round = 0; round < 3; round += 1) {
    const runs = Array.from({ length: 4 }, () => download(origin.url, { digest }));
    await Promise.race(runs.map((run) => run.line(({ progress }) => progress > 0)));
    runs[round].child.kill('SIGKILL');
    const results = await Promise.all(runs.map((run) => run.result()));
    for (const result of results.filter((each) => each !== undefined)) {
      if (result.code !== undefined) expect(result.code).toBe('ERR_DOWNLOAD_LOCKED');
      else expect(result.bytes).toBe(size);
    }
  }
  expect(await downloadTo(origin.url, file, { digest })).toMatchObject({ bytes: size });
  expect(fs.readdirSync(directory)).toEqual(['file']);
});

(process.platform === 'win32' ? test.skip : test)('a file that may not be so large is a fault of that name, and the part is kept', async () => {
  const content = randomBytes(2 * MIB);
  const origin = await serveFile(content);
  // 1 MiB, in blocks of 512 bytes.
  const limited = start('/bin/sh', ['-c', 'ulimit -f 2048; exec "$0" "$@"', process.execPath, PROGRAM, origin.url, file]);
  expect(await limited.result()).toMatchObject({
    name: 'FaultError', code: 'EFBIG', kind: 'client', transient: false, syscall: 'write', offset: MIB, partial: `${file}.part`,
  });
  expect(fs.statSync(`${file}.part`).size).toBe(MIB);
  const result = await downloadTo(origin.url, file);
  expect(result.continuedAt).toBe(MIB);
  expect(content.equals(fs.readFileSync(file))).toBe(true);
});

(process.platform === 'win32' ? test.skip : test)('a directory that may be written to and not be read', async () => {
  const content = randomBytes(1000);
  const origin = await serveFile(content);
  // May do everything: the child is somebody else.
  const isRoot = process.getuid() === 0;
  if (isRoot) fs.chownSync(directory, NOBODY, NOBODY);
  fs.chmodSync(directory, 0o300);
  const run = start(process.execPath, [PROGRAM, origin.url, file, '{}'], isRoot ? { uid: NOBODY, gid: NOBODY } : {});
  expect(await run.result()).toMatchObject({ bytes: 1000 });
  fs.chmodSync(directory, 0o700);
  expect(fs.readdirSync(directory)).toEqual(['file']);
});

/** In a namespace of its own anybody may mount a small disk, unless the system forbids it. */
function canMount() {
  const { status } = require('node:child_process').spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return status === 0;
}

(canMount() ? test : test.skip)('a disk that is full is a fault of that name; with room made it goes on [needs: unshare]', async () => {
  const size = 2 * MIB;
  const origin = await serveLargeFile(size);
  const script = `
    mount -t tmpfs -o size=3m tmpfs "$2" || exit 9
    head -c 2097152 /dev/zero > "$2/filler"
    "$0" "$1" "$3" "$4"
    rm "$2/filler"
    "$0" "$1" "$3" "$4" "$5"`;
  const digest = JSON.stringify({ digest: `sha256-${digestOfLargeFile(size)}` });
  const run = start('unshare', ['-rm', '/bin/sh', '-c', script, process.execPath, PROGRAM, directory, origin.url, file, digest]);
  const full = await run.line(({ code }) => code !== undefined);
  expect(full).toMatchObject({ name: 'FaultError', code: 'ENOSPC', kind: 'client', transient: false, syscall: 'write', partial: `${file}.part` });
  expect(full.message).toMatch(/disk is full/);
  expect(full.offset).toBeGreaterThan(0);
  expect(full.files['file.part']).toBe(full.offset);
  expect(await run.result()).toEqual({ bytes: size, continuedAt: full.offset, files: { file: size } });
});
