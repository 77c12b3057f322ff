'use strict';

/** Answers that their caller lets go of: cancelled, or forgotten and left to the collector of garbage. */

const assert = require('node:assert/strict');

const { urlOf, drawBody } = require('../lib/scene');

/** More than is read ahead of the caller, so the transfer is not over when it is dropped. */
const LONG = [300_000, 500_000];

async function unread(scene) {
  const response = await long(scene);
  assert.equal(response.status, 200);
}

async function cancelled(scene) {
  const reader = (await long(scene)).body.getReader();
  await reader.read();
  await reader.cancel();
}

async function halfRead(scene) {
  await (await long(scene)).body.getReader().read();
}

/** As a loop over it does that is left. */
async function left(scene) {
  const iterator = (await long(scene, { signal: scene.lasting })).body[Symbol.asyncIterator]();
  await iterator.next();
  await iterator.return();
}

/** One of the two branches is read a little; neither is cancelled. */
async function cloned(scene) {
  const response = await long(scene);
  response.clone();
  await response.body.getReader().read();
}

/** The server says no more after the first bytes, for ever. */
async function stalled(scene) {
  const response = await long(scene, {}, { strike: 'stall', at: 'body', after: 100, times: 1 });
  await response.body.getReader().read();
}

function long(scene, init, strike) {
  const { query } = drawBody(scene, ...LONG);
  return scene.fetch(urlOf(scene, '/body', { ...query, ...strike }), init);
}

module.exports = { unread, cancelled, halfRead, left, cloned, stalled };
