'use strict';

/**
 * The server of the recovery benchmark, in a process of its own: what a client does to its event loop must not reach
 * the server, nor the other way round. It is told by each request what to do, so it knows no scripts, and it counts
 * what truly happened: requests that arrived, and effects of POSTs.
 *
 *     /calls/<id>?length=16384        the body of lib/bodies.js for that id; more by query, times in ms:
 *       &live=1                       another version with every request, and no validator
 *       &busy=900                     503 with Retry-After until so long after the first request of that id
 *       &delay=3000                   holds the head back (a POST has had its effect by then)
 *       &pace=8000                    spreads the body over that time
 */

const { createServer } = require('node:http');
const { setTimeout: sleep } = require('node:timers/promises');

const { makeBody } = require('./lib/bodies');
const { Bucket } = require('./lib/bucket');

/** Pieces of a paced body. */
const PIECES = 8;

/**
 * @param {object} options
 * @param {number} options.seed of the bodies
 * @param {{ perSecond: number, refusalCost: number }} [options.capacity] requests answered per second, the others get
 *   503, each at that part of the cost of an answer; no limit by default
 */
function createOrigin({ seed, capacity }) {
  /** @type {Map<string, { requests: number, effects: number, busyUntil?: number }>} */
  const calls = new Map();
  const bucket = capacity && new Bucket(capacity);
  const server = createServer(serve);
  // No hint by `Keep-Alive: timeout=5`, and no closing by itself.
  server.keepAliveTimeout = 0;

  async function serve(req, res) {
    const { pathname, searchParams } = new URL(req.url, 'http://origin');
    const ask = (name) => Number(searchParams.get(name) ?? 0);
    const id = pathname.slice('/calls/'.length);
    const call = calls.get(id) ?? { requests: 0, effects: 0 };
    calls.set(id, call);
    const version = ask('live') ? call.requests : 0;
    call.requests += 1;

    const sent = await bodyOf(req);
    if (sent === undefined) return undefined;
    if (bucket && !bucket.take(performance.now())) return refuse(res);
    if (ask('busy')) {
      call.busyUntil ??= performance.now() + ask('busy');
      const retryAfter = String(Math.ceil(ask('busy') / 1000));
      if (performance.now() < call.busyUntil) return refuse(res, { 'retry-after': retryAfter });
    }
    if (req.method === 'POST') {
      if (sent !== JSON.stringify({ id })) return end(res, 400);
      call.effects += 1;
    }

    const body = makeBody(seed, id, version, ask('length'));
    if (ask('delay')) await sleep(ask('delay'));
    return answer(req, res, { body, etag: ask('live') ? undefined : `"${id}"`, pace: ask('pace') });
  }

  return { server, calls };
}

/** Undefined when the connection ended first, which is what all this is about. */
async function bodyOf(req) {
  try {
    return Buffer.concat(await req.toArray()).toString();
  } catch {
    return undefined;
  }
}

/** 200 with the body, or what RFC 9110 says to `Range`, `If-Range` and `If-Match`. */
function answer(req, res, { body, etag, pace }) {
  const { range, 'if-range': ifRange, 'if-match': ifMatch } = req.headers;
  if (ifMatch !== undefined && ifMatch !== '*' && ifMatch !== etag) return end(res, 412);
  const headers = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes', ...(etag && { etag }) };

  const wanted = ifRange === undefined || ifRange === etag ? /^bytes=(\d+)-(\d*)$/.exec(range ?? '') : null;
  if (!wanted) return end(res, 200, headers, body, pace);
  const first = Number(wanted[1]);
  const last = Math.min(wanted[2] === '' ? Infinity : Number(wanted[2]), body.length - 1);
  if (first > last) return end(res, 416, { 'content-range': `bytes */${body.length}` });
  const contentRange = { 'content-range': `bytes ${first}-${last}/${body.length}` };
  return end(res, 206, { ...headers, ...contentRange }, body.subarray(first, last + 1), pace);
}

const refuse = (res, headers = {}) => end(res, 503, headers, Buffer.from('busy\n'));

async function end(res, status, headers = {}, body = Buffer.alloc(0), pace = 0) {
  res.writeHead(status, { ...headers, 'content-length': body.length });
  if (pace > 0) {
    res.flushHeaders();
    const piece = Math.ceil(body.length / PIECES);
    for (let from = 0; from < body.length; from += piece) {
      await sleep(pace / PIECES);
      res.write(body.subarray(from, from + piece));
    }
    res.end();
  } else {
    res.end(body);
  }
}

/** As a child process: its options are its argument, its messages say where it listens and what it has counted. */
function main() {
  const { server, calls } = createOrigin(JSON.parse(process.argv[2]));
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
  process.on('message', (message) => {
    // close(), as servers do it, without a look at what may be on its way.
    if (message === 'close-idle') server.closeIdleConnections();
    else process.send({ calls: [...calls] });
  });
  process.on('disconnect', () => process.exit());
}

if (require.main === module) main();

module.exports = { createOrigin };
