'use strict';

/**
 * Runs one case on the built-in fetch and on ours, each against servers of its own, and says what each came to:
 * what the caller saw and what the servers saw.
 */

const { createHash } = require('node:crypto');
const net = require('node:net');
const { once } = require('node:events');

const { fetch, builtIn } = require('../../../support/fetch-contenders');
const { ok, startOrigin } = require('../../../../testing');

/** Headers whose value is not compared: the address differs, and the others have their line in `differences.md`. */
const NOT_COMPARED = new Set(['host', 'connection', 'accept-encoding']);

/** Random by design: the boundary of a form, as both write it. */
const BOUNDARY = /-{4}formdata-undici-0\d+/g;

/** Longer bodies (bytes) are compared by their digest: no report of a failure should be MiB long. */
const SHOWN_WHOLE = 16 * 1024;

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {(fetch: typeof globalThis.fetch, at: Site) => unknown} run what it returns is compared, and so is the name
 *   of what it throws
 * @property {(request: import('../../../../testing').Received, response: import('node:http').ServerResponse) => unknown} [answer]
 *   of both servers; `ok` unless it is given
 * @property {(socket: import('node:net').Socket, head: string) => void} [raw] answers instead, once per request, byte by byte
 * @property {boolean} [readBody] `false`: the answer comes as soon as the head of the request is there
 * @property {Difference} [differs]
 */

/**
 * @typedef {object} Difference
 * @property {string} as the heading in `docs/differences.md`
 * @property {boolean} [here] `false`: not with this version of Node
 * @property {object | ((theirs: object) => object)} ours what ours comes to, as `toMatchObject` takes it; a function
 *   makes it of what the built-in comes to, where that is nearly the same
 */

/**
 * @typedef {object} Site
 * @property {string} url without a slash at its end
 * @property {string} other the URL of a second server
 * @property {(index: number) => Promise<import('../../../../testing').Received>} received by the first server
 */

/** @param {Case} row */
async function compare(row) {
  const [theirs, ours] = await Promise.all([builtIn, fetch].map((client) => observe(client, row)));
  return { theirs, ours };
}

async function observe(client, { run, answer = ok, raw, readBody }) {
  const start = () => (raw === undefined ? startOrigin(answer, { readBody }) : startRaw(raw));
  const [origin, other] = await Promise.all([start(), start()]);
  let came;
  try {
    came = { returned: await run(client, { url: origin.url, other: other.url, received: origin.received }) };
  } catch (error) {
    came = { threw: error?.name ?? error };
  }
  const observed = { ...came, seen: requestsOf(origin), seenByOther: requestsOf(other) };
  await Promise.all([origin.close(), other.close()]);
  return anonymous(observed, [[origin.url, 'http://origin'], [other.url, 'http://other']]);
}

/** Those that arrived whole: how far another came is a matter of time. */
function requestsOf({ requests }) {
  return requests.filter(({ complete }) => complete).map(seen);
}

function seen({ method, path, headers, body }) {
  const compared = Object.entries(headers).filter(([name]) => !NOT_COMPARED.has(name));
  return { method, path, headers: Object.fromEntries(compared), body: shown(body) };
}

function shown(body) {
  if (body.length <= SHOWN_WHOLE) return body.toString('latin1');
  return `${body.length} bytes, ${createHash('sha256').update(body).digest('hex')}`;
}

/** The same value with addresses and boundaries, wherever they stand, replaced by names. */
function anonymous(value, names) {
  if (typeof value === 'string') {
    const named = names.reduce((text, [url, name]) => (
      text.replaceAll(url, name).replaceAll(encodeURIComponent(url), name).replaceAll(url.slice('http://'.length), name)), value);
    return named.replace(BOUNDARY, 'BOUNDARY');
  }
  if (Array.isArray(value)) return value.map((element) => anonymous(element, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, anonymous(member, names)]));
}

/** A server that speaks HTTP by hand, for what Node's own would not send. */
async function startRaw(answer) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    let head = '';
    socket.on('data', (chunk) => {
      if (head.includes('\r\n\r\n')) return;
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      answer(socket, head);
      head = '';
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests: [],
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** All of a response that a caller can see. */
async function whole(response) {
  const { status, statusText, ok: isOk, url, redirected, type, headers, bodyUsed } = response;
  const hasBody = response.body !== null;
  const text = await response.text();
  const told = [...headers].filter(([name]) => !['date', 'connection', 'keep-alive', 'transfer-encoding'].includes(name));
  return { status, statusText, ok: isOk, url, redirected, type, headers: told, hasBody, bodyUsed, text };
}

module.exports = { compare, whole };
