'use strict';

/** What every kind of call needs: where to call, what to expect, and how to say that it came otherwise. */

const assert = require('node:assert/strict');
const { getEventListeners } = require('node:events');

const { contents } = require('./contents');

/**
 * @typedef {object} Scene  one call
 * @property {string} name tells it from all others of the run
 * @property {number} number its place in the run
 * @property {typeof import('../../..').fetch} fetch
 * @property {import('./draws').Draws} draws
 * @property {{ plain: string, secure: string, multiplexed: string, proxied: string, refusing: string }} addresses
 * @property {AbortSignal} lasting outlives all calls, and never aborts
 */

/** Enough retries for what the server strikes, at once; without a budget, which would end some of them by the clock. */
const RETRY = Object.freeze({ retries: 3, backoff: Object.freeze({ base: 4, cap: 16 }), budget: false });

/** One call in five goes over TLS, and one in five over HTTP/2. */
const SECURE = 0.2;
const MULTIPLEXED = 0.2;

/** @param {Scene} scene @param {string} path @param {Record<string, string | number>} [query] */
function urlOf(scene, path, query = {}) {
  return urlAt(scene, drawServer(scene, 'strike' in query), path, query);
}

/** A strike ends a connection, and with HTTP/2 whatever other calls are on it: these go elsewhere. */
function drawServer({ addresses: { plain, secure, multiplexed }, draws }, isStruck) {
  const drawn = draws.fraction('server');
  if (drawn < SECURE) return secure;
  return drawn < SECURE + MULTIPLEXED && !isStruck ? multiplexed : plain;
}

/** At one of the servers. */
function urlAt(scene, address, path, query = {}) {
  return `${address}${path}?${new URLSearchParams({ call: scene.name, ...query })}`;
}

/** A body of `least` to `most` bytes. */
function drawBody(scene, least, most) {
  const key = scene.number;
  const size = scene.draws.integer('size', least, most);
  return { query: { key, size }, bytes: contents(key, size) };
}

/** A strike against the first attempts, at a place before byte `within` of the body. */
function drawStrike(scene, how, within) {
  return {
    strike: scene.draws.pick('how', how),
    at: scene.draws.pick('at', ['before', 'head', 'body']),
    after: scene.draws.integer('after', 1, within - 1),
    times: scene.draws.integer('times', 1, 2),
  };
}

/** @param {ArrayBuffer | Uint8Array} arrived @param {Buffer} expected */
function checkBytes(arrived, expected) {
  const bytes = Buffer.from(arrived.buffer ?? arrived, arrived.byteOffset ?? 0, arrived.byteLength);
  assert.ok(bytes.equals(expected), `${bytes.length} bytes are not the ${expected.length} that were sent`);
}

/** @param {Response} response @param {Scene} scene */
async function checkJson(response, scene) {
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { call: scene.name });
}

/** Resolves if `call` fails with one of the codes. */
async function failsWith(codes, call) {
  const error = await failureOf(call);
  assert.ok(codes.includes(error.code), `it failed with ${error.code ?? error}, not with ${codes.join(' or ')}`);
}

/** Resolves if `call` ends as it should or with the reason of the abort. */
async function endsOrAborts(call, reason) {
  await call.catch((error) => {
    if (error !== reason) throw error;
  });
}

/** Resolves if `call` fails with `reason` itself. */
async function abortsWith(reason, call) {
  const error = await failureOf(call);
  assert.equal(error, reason, `it failed with ${error}, not with the reason of the abort`);
}

/** A call that has ended has no business with its signal any more. @param {AbortSignal} signal */
function checkUnwatched(signal) {
  assert.equal(getEventListeners(signal, 'abort').length, 0, 'a listener was left on the signal');
}

async function failureOf(call) {
  const ended = await call.then(() => undefined, (error) => ({ error }));
  assert.ok(ended, 'it succeeded, and should have failed');
  return ended.error;
}

module.exports = {
  RETRY,
  urlOf,
  urlAt,
  drawBody,
  drawStrike,
  checkBytes,
  checkJson,
  failsWith,
  endsOrAborts,
  abortsWith,
  checkUnwatched,
};
