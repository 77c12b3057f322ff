'use strict';

/**
 * Scenario 3: a camera uploads pictures over WebSockets, to a store that limits the bytes of a second, and to an archive that limits
 * frames and messages. The shape of this file is described in examples/README.md.
 */

const http = require('node:http');
const { once } = require('node:events');
const { setTimeout: pause } = require('node:timers/promises');
const { WebSocketServer } = require('ws');

// --- The code people have, and the code they write instead ---------------------------------------

const plain = {
  label: 'ws, its errors logged',
  client({ url, saved }) {
    const WebSocket = require('ws');

    const ws = new WebSocket(url);
    ws.on('message', (text) => saved(JSON.parse(text)));
    ws.on('error', (err) => console.log(`error: ${err.code}`));
    ws.on('close', (code) => console.log(`closed: ${code}`));
    return {
      upload: (pictures) => ws.on('open', () => pictures.forEach((picture) => ws.send(picture))),
      close: () => ws.terminate(),
    };
  },
};

const usual = {
  label: 'the same, connected again to send what is not saved',
  client({ url, saved, isSaved }) {
    const WebSocket = require('ws');

    let ws;
    let retries = 5;
    function upload(pictures) {
      ws = new WebSocket(url);
      ws.on('open', () => pictures.filter((picture) => !isSaved(picture)).forEach((picture) => ws.send(picture)));
      ws.on('message', (text) => saved(JSON.parse(text)));
      ws.on('error', (err) => console.log(`error: ${err.code}`)); // "adjust the payload size": to what?
      ws.on('close', (code) => {
        console.log(`closed: ${code}`);
        if (retries-- > 0) setTimeout(upload, 200, pictures);
      });
    }
    return { upload, close: () => { retries = 0; ws.terminate(); } };
  },
};

const ours = {
  label: 'another import; what is too large is heard of, and what had left when a connection was lost is sent again',
  client({ url, saved, isSaved, tooLarge }) {
    const { WebSocket } = require('unreset'); // the import

    const left = new Set(); // and perhaps not arrived
    const ws = new WebSocket(url, {
      onConnect: async (session) => saved(JSON.parse(await session.once())), // what the server has
    });
    const send = (picture) => ws.send(picture, () => left.add(picture));
    ws.on('reconnect', () => {
      const again = [...left].filter((picture) => !isSaved(picture));
      left.clear();
      again.forEach(send);
    });
    ws.on('message', (text) => saved(JSON.parse(text)));
    ws.on('oversized', ({ data, bytes, largest, fault }) => {
      console.log(`${bytes} bytes are too many; ${largest} got through`);
      tooLarge(data, fault);
    });
    ws.on('disconnect', ({ code, fault }) => console.log(`${code}: ${fault.reason}`));
    ws.on('adapt', ({ reason, frame, pace }) => {
      if (reason === 'reset') console.log(`from now on frames of ${frame} bytes, ${pace} bytes a second`);
    });
    return { upload: (pictures) => pictures.forEach(send), close: () => ws.close(1000) };
  },
};

// --- The servers ---------------------------------------------------------------------------------

const KIB = 1024;
/** The store: a bucket of bytes, and how many flow into it each second. Who takes more is cut off. */
const BUCKET = 1024 * KIB;
const REFILL = 512 * KIB;
/** The archive: longer frames are cut off by the gateway before it, longer messages are refused by itself. */
const LONGEST_FRAME = 32 * KIB;
const LONGEST_MESSAGE = 128 * KIB;

const PICTURES = {
  store: Array(8).fill(256 * KIB),
  archive: [24 * KIB, 100 * KIB, 8 * KIB, 200 * KIB, 8 * KIB],
};
const nameOf = (server, index) => `${server}, picture ${index + 1} (${PICTURES[server][index] / KIB} KiB)`;
const TOO_LARGE = nameOf('archive', 3);

async function start() {
  const requests = [];
  let doubles = 0;
  const note = (line, did) => requests.push({ line, at: performance.now(), did });

  const servers = {
    store: await serve('store', {}, () => bucketOf(BUCKET, REFILL)),
    archive: await serve('archive', { maxPayload: LONGEST_MESSAGE }, () => longestFrame(LONGEST_FRAME)),
  };

  /** `limit()` makes, once for the server or once for each connection, what says of bytes that come whether they are too many. */
  async function serve(name, options, limit) {
    const server = http.createServer();
    const websockets = new WebSocketServer({ server, ...options });
    const has = new Set();
    const bucket = name === 'store' && limit();
    websockets.on('connection', (ws, { socket }) => {
      ws.send(JSON.stringify([...has]));
      ws.on('error', ({ code }) => {
        if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') note(TOO_LARGE, 'Close 1009');
      });
      ws.on('message', (picture) => {
        const [number] = picture;
        if (has.has(number)) doubles += 1;
        has.add(number);
        note(nameOf(name, number), 'answered');
        ws.send(JSON.stringify([number]));
      });
      const isTooMuch = bucket || limit();
      // After what ws makes of the same bytes.
      socket.on('data', (bytes) => {
        if (!isTooMuch(bytes) || socket.destroyed) return;
        note(name, 'RST');
        socket.resetAndDestroy();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { server, websockets };
  }

  const urlOf = ({ server }) => `ws://127.0.0.1:${server.address().port}`;
  return {
    address: { store: urlOf(servers.store), archive: urlOf(servers.archive) },
    requests,
    /** Pictures that a server was given whole more than once. */
    duplicates: () => doubles,
    async close() {
      for (const { server, websockets } of Object.values(servers)) {
        for (const ws of websockets.clients) ws.terminate();
        server.close();
        await once(server, 'close');
      }
    },
  };
}

/** Says of bytes whether they overdraw the bucket. */
function bucketOf(size, perSecond) {
  let level = size;
  let at = performance.now();
  return ({ length }) => {
    const now = performance.now();
    level = Math.min(size, level + ((now - at) / 1000) * perSecond) - length;
    at = now;
    return level < 0;
  };
}

/** Says of the bytes of one connection, in their order, whether a frame begins there that is too long (RFC 6455, section 5.2). */
function longestFrame(longest) {
  const MASK = 4;
  let head = Buffer.alloc(0);
  let rest = 0;
  return (bytes) => {
    for (let at = 0; at < bytes.length;) {
      const skipped = Math.min(rest, bytes.length - at);
      rest -= skipped;
      at += skipped;
      if (at === bytes.length) break;
      head = Buffer.concat([head, bytes.subarray(at, ++at)]);
      const short = head.length > 1 ? head[1] & 0x7f : 0;
      const size = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (head.length < size) continue;
      const payload = { 2: () => short, 4: () => head.readUInt16BE(2), 10: () => Number(head.readBigUInt64BE(2)) }[size]();
      if (payload > longest) return true;
      rest = payload + MASK;
      head = head.subarray(0, 0);
    }
    return false;
  };
}

// --- The program ---------------------------------------------------------------------------------

/** How long all of it is waited for, ms: ours, because it goes on, and the others, which have done what they do. */
const PATIENCE = 3000;
const LONG_PATIENCE = 13_000;

const calls = Object.entries(PICTURES).flatMap(([server, sizes]) => sizes.map((size, index) => ({
  name: nameOf(server, index),
  meets: server === 'store' ? ['bytes per second'] : meetsAtArchive(size),
})));

function meetsAtArchive(size) {
  if (size > LONGEST_MESSAGE) return ['longest message'];
  return size > LONGEST_FRAME ? ['longest frame'] : [];
}

/** Uploads the pictures of both servers at the same time, all at once. */
async function run(variant, address, report) {
  const patience = pause(variant === ours ? LONG_PATIENCE : PATIENCE, undefined, { ref: false });
  // A handle of the program's own: a client that is gone must not end it.
  const alive = setInterval(() => {}, 1000);
  await Promise.all(Object.keys(PICTURES).map((server) => uploadAll(variant, server, address[server], patience, report)));
  clearInterval(alive);
}

async function uploadAll(variant, server, url, patience, report) {
  const fates = new Map();
  let tell;
  const all = new Promise((resolve) => {
    tell = () => fates.size === PICTURES[server].length && resolve();
  });
  const client = variant.client({
    url,
    saved(numbers) {
      for (const number of numbers) fates.set(number, { outcome: 'succeeded', saw: 'saved' });
      tell();
    },
    isSaved: ([number]) => fates.has(number),
    tooLarge([number], { reason, code, kind, delivery }) {
      fates.set(number, { outcome: 'failed', saw: 'too large', error: { message: reason, code, kind, delivery } });
      tell();
    },
  });
  client.upload(PICTURES[server].map((size, index) => Buffer.alloc(size, index)));
  await Promise.race([all, patience]);
  client.close();
  PICTURES[server].forEach((size, index) => {
    report({ call: nameOf(server, index), ...(fates.get(index) ?? { outcome: 'failed', saw: 'nothing' }) });
  });
}

// --- What ours must have done --------------------------------------------------------------------

/** Claims about the run of `ours`, each decided by what happened. */
function promises({ outcomes, requests, duplicates }) {
  const refused = outcomes.find(({ call }) => call === TOO_LARGE);
  const strikes = (line, did) => requests.filter((request) => request.line === line && request.did === did).length;
  return [
    {
      claim: 'every picture was saved but the one that is longer than any message may be',
      kept: outcomes.every(({ call, outcome }) => (outcome === 'succeeded') === (call !== TOO_LARGE)),
    },
    {
      claim: 'that one was sent once; the program was told its size, and what size gets through',
      kept: refused.error?.code === 'WS_1009' && strikes(TOO_LARGE, 'Close 1009') === 1,
    },
    {
      claim: 'it learnt how fast, and in frames of what size, from at most three resets each',
      kept: strikes('store', 'RST') <= 3 && strikes('archive', 'RST') <= 3,
    },
    { claim: 'no picture was saved twice', kept: duplicates === 0 },
  ];
}

module.exports = {
  number: 3,
  title: 'large messages',
  story: 'A camera uploads pictures over WebSockets; one server limits the bytes of a second, the other frames and messages.',
  calls,
  start,
  run,
  promises,
  plain,
  usual,
  ours,
};
