'use strict';

/**
 * Scenario 7: a program prints files that come over the network: it pipes what it opens into its standard output.
 * The shape of this file is described in examples/README.md.
 */

const http = require('node:http');
const net = require('node:net');
const { once } = require('node:events');
const { Writable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { setTimeout: pause } = require('node:timers/promises');

// --- The code people have, and the code they write instead ---------------------------------------

const plain = {
  label: 'pipe, and a listener on what it returns',
  client() {
    return async ({ open }, stdout) => {
      const readable = await open({ offset: 0 });
      readable.pipe(stdout).on('error', (err) => console.log(`error: ${err.code}`));
    };
  },
};

const usual = {
  label: 'the same, begun again when it was reset: but what pipe returns is stdout, and stdout has no error',
  client() {
    return async function print({ open }, stdout) {
      const readable = await open({ offset: 0 });
      readable.pipe(stdout).on('error', (err) => {
        console.log(`error: ${err.code}`);
        if (err.code === 'ECONNRESET') print({ open }, stdout);
      });
    };
  },
};

const repaired = {
  label: 'the listener on the source: it is begun again, and so is what it prints',
  client() {
    return async function print({ open }, stdout) {
      const readable = await open({ offset: 0 });
      readable.on('error', (err) => {
        console.log(`error: ${err.code}`);
        if (err.code === 'ECONNRESET') print({ open }, stdout);
      });
      readable.pipe(stdout);
    };
  },
};

const ours = {
  label: 'download for a URL, resumable for any other source, and pipeline, which sees every error',
  client({ resumed }) {
    const { download, resumable } = require('unreset');

    return async ({ url, open }, stdout) => {
      const stream = url ? download(url) : resumable(open);
      stream.on('resume', resumed); // for this report; a program may log it, or leave it
      await pipeline(stream, stdout);
      return stream.recovery;
    };
  },
};

// --- The servers ---------------------------------------------------------------------------------

/** Bytes of each file, and where it breaks. */
const SIZE = 40_000;
const BREAKS_AT = [10_000, 20_000, 30_000];

/** What meets each file, in the order of the connections that ask for it; then it is simply sent. */
const SCRIPT = {
  '/small': [],
  '/reset': ['RST'],
  '/cut': ['FIN'],
  '/often': ['RST', 'FIN', 'RST'],
  '/busy': ['503'],
  '/without-ranges': ['RST'],
  '/changed': ['RST'],
  'over TCP': ['RST', 'FIN'],
};
const NAMES = Object.keys(SCRIPT);

/** Lines, so that a person can see in them what is missing or there twice. */
function contentOf(name, version) {
  const lines = Array.from({ length: SIZE / 40 }, (_, line) => `${name} v${version}, line ${line}`.padEnd(39, '.'));
  return Buffer.from(`${lines.join('\n')}\n`);
}

/** How each file stands: a new version is there after the first break of `/changed`. */
const versionAt = (name, request) => (name === '/changed' && request > 0 ? 2 : 1);

async function start() {
  const requests = [];
  const sockets = new Set();
  let repeated = 0;

  /** What the next connection meets that asks for `name` at `offset`. */
  function met(name, offset) {
    const before = requests.filter(({ line }) => line.startsWith(`${name} `)).length;
    const did = SCRIPT[name][before] ?? 'answered';
    requests.push({ line: `${name} at ${offset}`, at: performance.now(), did });
    if (before > 0 && offset === 0 && SCRIPT[name][before - 1] !== '503') repeated += 1;
    return { did, content: contentOf(name, versionAt(name, before)), version: versionAt(name, before), end: BREAKS_AT[before] };
  }

  /** Sends as far as the script lets it, and then what the script says. */
  function send(stream, socket, { did, content, end }, offset) {
    if (did === 'answered') {
      stream.end(content.subarray(offset));
      return;
    }
    stream.write(content.subarray(offset, Math.max(offset, end)));
    // When the other end has it.
    setTimeout(() => (did === 'RST' ? socket.resetAndDestroy() : socket.destroy()), 30);
  }

  const files = http.createServer({ keepAlive: false }, (req, res) => {
    const range = /^bytes=(\d+)-$/.exec(req.headers.range ?? '');
    const known = SCRIPT[req.url].length > 0 && req.url !== '/without-ranges';
    const asked = known && range ? Number(range[1]) : 0;
    const exchange = met(req.url, asked);
    const etag = `"v${exchange.version}"`;
    if (exchange.did === '503') {
      res.writeHead(503, { connection: 'close' }).end('The server is busy.\n');
      return;
    }
    const offset = req.headers['if-range'] === etag ? asked : 0;
    res.writeHead(offset > 0 ? 206 : 200, {
      etag,
      'content-length': SIZE - offset,
      connection: 'close',
      ...(offset > 0 && { 'content-range': `bytes ${offset}-${SIZE - 1}/${SIZE}` }),
    });
    send(res, req.socket, exchange, offset);
  });

  /** A line says what is wanted and from where; what follows is the rest of it. */
  const raw = net.createServer((socket) => {
    socket.on('error', () => {}).once('data', (line) => {
      const offset = Number(line);
      send(socket, socket, met('over TCP', offset), offset);
    });
  });

  for (const server of [files, raw]) {
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }

  return {
    address: { files: files.address().port, raw: raw.address().port },
    requests,
    /** Files that were sent from their first byte once more. */
    duplicates: () => repeated,
    async close() {
      for (const socket of sockets) socket.destroy();
      for (const server of [files, raw]) {
        server.close();
        await once(server, 'close');
      }
    },
  };
}

// --- The program ---------------------------------------------------------------------------------

/** How long a file is waited for that does not come to its end, ms. */
const PATIENCE = 3000;

const calls = NAMES.map((name) => ({ name, meets: SCRIPT[name] }));

/** Prints all files at once, and the one over TCP when they have come: what it meets may end the process. */
async function run(variant, { files, raw }, report) {
  const fromServer = (name) => ({
    name,
    url: `http://127.0.0.1:${files}${name}`,
    open: () => new Promise((resolve, reject) => {
      http.get(`http://127.0.0.1:${files}${name}`, { agent: false }, resolve).on('error', reject);
    }),
  });
  const overTcp = {
    name: 'over TCP',
    open({ offset }) {
      const socket = net.connect(raw, '127.0.0.1');
      socket.write(`${offset}\n`);
      // `resumable` is told how long it is, or a FIN would look like its end.
      return variant === ours ? { stream: socket, length: SIZE } : socket;
    },
  };
  await Promise.all(NAMES.slice(0, -1).map((name) => print(variant, fromServer(name), report)));
  await print(variant, overTcp, report);
}

async function print(variant, source, report) {
  const printed = [];
  const stdout = new Writable({
    write(chunk, encoding, callback) {
      printed.push(chunk);
      callback();
    },
  });
  const resumes = [];
  const finished = new Promise((resolve) => { stdout.on('finish', resolve); });
  let error;
  let recovery;
  const end = new AbortController();
  try {
    const call = variant.client({ resumed: (event) => resumes.push(event) });
    const printing = call(source, stdout).then((told) => {
      recovery = told;
      return finished;
    });
    await Promise.race([printing, pause(PATIENCE, undefined, { signal: end.signal })]);
  } catch (err) {
    console.log(`${source.name}: ${err.message}`);
    error = err;
  } finally {
    end.abort();
  }
  report({ call: source.name, ...outcomeOf(source.name, Buffer.concat(printed), stdout.writableFinished, error), recovery: recovery ?? error?.recovery });
}

/** What stands in the terminal, and whether anybody could know that it is not all. */
function outcomeOf(name, printed, isEnded, error) {
  const isWhole = [1, 2].some((version) => printed.equals(contentOf(name, version)));
  const saw = `${printed.length} of ${SIZE} bytes`;
  if (isWhole) return { outcome: 'succeeded', saw };
  if (error) return { outcome: 'failed', saw, error: { message: error.message, code: error.code, delivery: error.delivery, offset: error.offset } };
  if (!isEnded) return { outcome: 'failed', saw: `${saw}, and then nothing` };
  return { outcome: 'wrong', saw };
}

// --- What ours must have done --------------------------------------------------------------------

/** Claims about the run of `ours`, each decided by what happened. */
function promises({ outcomes, requests, duplicates }) {
  const of = (name) => outcomes.find((outcome) => outcome.call === name) ?? {};
  const seen = (name) => requests.filter(({ line }) => line.startsWith(`${name} `));
  const changed = of('/changed');
  return [
    {
      claim: 'every file that could be printed whole was: through RST, FIN, 503 and three breaks in one file',
      kept: NAMES.filter((name) => name !== '/changed').every((name) => of(name).outcome === 'succeeded'),
    },
    {
      claim: 'each went on where it broke: no file was sent from its beginning but the one whose server knows no ranges',
      kept: duplicates === 1 && seen('/often').slice(1).every(({ line }) => !line.endsWith(' at 0')),
    },
    {
      claim: 'the file that changed meanwhile was not spliced: the program was told so, and at which byte',
      kept: changed.outcome === 'failed' && changed.error?.code === 'ERR_RESUME_CHANGED' && changed.error.offset > 0
        && changed.error.offset < SIZE,
    },
    {
      claim: 'a source that is no URL went on as well, and its FIN was not taken for its end',
      kept: of('over TCP').outcome === 'succeeded' && seen('over TCP').length === 3,
    },
  ];
}

module.exports = {
  number: 7,
  title: 'streams',
  story: 'A program pipes files from the network into its standard output; the connections break in the middle.',
  calls,
  start,
  run,
  promises,
  plain,
  usual,
  repaired,
  ours,
};
