'use strict';

/** Calls that nothing happens to. What is left behind of these is left behind of every program. */

const assert = require('node:assert/strict');

const { contents } = require('../lib/contents');
const { urlOf, drawBody, checkBytes, checkJson } = require('../lib/scene');

/** Of the coded bodies, so that the server encodes each but once. */
const CODED_KEYS = 8;
const CODED_SIZE = 60_000;

async function json(scene) {
  await checkJson(await scene.fetch(urlOf(scene, '/json')), scene);
}

async function watched(scene) {
  await checkJson(await scene.fetch(urlOf(scene, '/json'), { signal: scene.lasting }), scene);
}

async function bytes(scene) {
  const body = drawBody(scene, 1, 200_000);
  const response = await scene.fetch(urlOf(scene, '/body', body.query));
  checkBytes(await response.arrayBuffer(), body.bytes);
}

async function coded(scene) {
  const key = scene.draws.integer('key', 0, CODED_KEYS - 1);
  const coding = scene.draws.pick('coding', ['gzip', 'gzip', 'deflate', 'br']);
  const response = await scene.fetch(urlOf(scene, '/body', { key, size: CODED_SIZE, coding }));
  checkBytes(await response.bytes(), contents(key, CODED_SIZE));
}

async function streamed(scene) {
  const body = drawBody(scene, 100_000, 500_000);
  const response = await scene.fetch(urlOf(scene, '/body', body.query));
  const pieces = [];
  for await (const piece of response.body) pieces.push(piece);
  checkBytes(Buffer.concat(pieces), body.bytes);
}

async function redirected(scene) {
  const response = await scene.fetch(urlOf(scene, '/redirect'));
  assert.ok(response.redirected);
  await checkJson(response, scene);
}

async function cloned(scene) {
  const body = drawBody(scene, 1000, 100_000);
  const response = await scene.fetch(urlOf(scene, '/body', body.query));
  const copy = response.clone();
  const [first, second] = await Promise.all([response.arrayBuffer(), copy.arrayBuffer()]);
  checkBytes(first, body.bytes);
  checkBytes(second, body.bytes);
}

async function headOnly(scene) {
  const { query } = drawBody(scene, 1, 1000);
  const response = await scene.fetch(urlOf(scene, '/body', query), { method: 'HEAD' });
  assert.equal(response.headers.get('content-length'), String(query.size));
}

module.exports = { json, watched, bytes, coded, streamed, redirected, cloned, headOnly };
