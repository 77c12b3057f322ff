'use strict';

/** Calls whose first attempts are reset, cut off or left without an answer, and which must come to their answer all the same. */

const assert = require('node:assert/strict');

const { RETRY, urlOf, urlAt, drawBody, drawStrike, checkBytes, checkJson } = require('../lib/scene');
const { contents } = require('../lib/contents');

const BROKEN = ['rst', 'rst', 'fin'];
/**
 * When a server that is silent is given up (ms). A server that is merely slow on a busy machine is given up too, so
 * calls with this limit may also fail with it.
 */
const PATIENCE = 60;

async function json(scene) {
  const url = urlOf(scene, '/json', drawStrike(scene, BROKEN, 10));
  await checkJson(await scene.fetch(url, { retry: RETRY }), scene);
}

/** Half of it has been read when it breaks: it goes on where it broke. */
async function streamed(scene) {
  const body = drawBody(scene, 50_000, 300_000);
  const url = urlOf(scene, '/body', { ...body.query, ...drawStrike(scene, BROKEN, body.query.size) });
  const response = await scene.fetch(url, { retry: RETRY });
  const pieces = [];
  for await (const piece of response.body) pieces.push(piece);
  checkBytes(Buffer.concat(pieces), body.bytes);
}

async function coded(scene) {
  const query = { key: scene.draws.integer('key', 0, 7), size: 60_000, coding: scene.draws.pick('coding', ['gzip', 'br']) };
  const url = urlOf(scene, '/body', { ...query, ...drawStrike(scene, BROKEN, 200) });
  const response = await scene.fetch(url, { retry: RETRY });
  checkBytes(await response.arrayBuffer(), contents(query.key, query.size));
}

/** Hooks run in JavaScript between two attempts. */
async function hooked(scene) {
  let retries = 0;
  const retry = { ...RETRY, onRetry: async () => { retries++; }, shouldRetry: () => undefined };
  const url = urlOf(scene, '/json', { strike: 'rst', at: 'before', times: 2 });
  await checkJson(await scene.fetch(url, { retry }), scene);
  assert.ok(retries >= 2, `onRetry was called ${retries} times`);
}

async function stalled(scene) {
  const body = drawBody(scene, 1000, 100_000);
  const strike = { ...drawStrike(scene, ['stall'], body.query.size), times: 1 };
  const timeout = { headers: PATIENCE, body: PATIENCE };
  try {
    const response = await scene.fetch(urlOf(scene, '/body', { ...body.query, ...strike }), { retry: RETRY, timeout });
    checkBytes(await response.arrayBuffer(), body.bytes);
  } catch (error) {
    if (error.code !== 'ETIMEDOUT') throw error;
  }
}

/** Through the fault proxy, whose resets come at an exact byte and whatever the call. */
async function proxied(scene) {
  const body = drawBody(scene, 20_000, 100_000);
  const url = urlAt(scene, scene.addresses.proxied, '/body', body.query);
  const response = await scene.fetch(url, { retry: { ...RETRY, retries: 20 } });
  checkBytes(await response.arrayBuffer(), body.bytes);
}

/** Without a retry the fault is the caller's. */
async function unretried(scene) {
  const url = urlOf(scene, '/json', { ...drawStrike(scene, BROKEN, 10), times: 4 });
  const call = scene.fetch(url, { retry: false, resume: false }).then((response) => response.json());
  await call.then(() => assert.fail('it succeeded'), ({ code }) => assert.equal(code, 'ECONNRESET'));
}

module.exports = { json, streamed, coded, hooked, stalled, proxied, unretried };
