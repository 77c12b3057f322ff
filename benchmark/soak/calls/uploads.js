'use strict';

/** Calls with a body: bytes, streams, functions that make streams, sources that fail. */

const assert = require('node:assert/strict');

const { RETRY, urlOf, drawBody, failsWith } = require('../lib/scene');

async function posted(scene) {
  const { bytes } = drawBody(scene, 1, 50_000);
  await checkReceived(await post(scene, bytes), bytes.length);
}

async function streamed(scene) {
  const { bytes } = drawBody(scene, 1, 200_000);
  await checkReceived(await post(scene, streamOf(pieces(bytes)), { duplex: 'half' }), bytes.length);
}

/** The first attempt is reset while it sends; the next one sends a stream of its own. */
async function reopened(scene) {
  const { bytes } = drawBody(scene, 1, 200_000);
  const strike = { strike: 'rst', at: 'before', times: 1 };
  const response = await post(scene, () => pieces(bytes), { method: 'PUT', duplex: 'half', retry: RETRY }, strike);
  await checkReceived(response, bytes.length);
}

/** The answer comes while the body is still being sent, and stops it. */
async function refused(scene) {
  const { bytes } = drawBody(scene, 100_000, 300_000);
  const response = await scene.fetch(urlOf(scene, '/too-large'), {
    method: 'POST',
    body: streamOf(pieces(bytes)),
    duplex: 'half',
  });
  assert.equal(response.status, 413);
  assert.equal(await response.text(), 'too large');
}

/** The source itself fails midway. */
async function failing(scene) {
  const { bytes } = drawBody(scene, 1000, 100_000);
  const failure = Object.assign(new Error('the source failed'), { code: 'SOURCE_FAILED' });
  async function* source() {
    yield bytes.subarray(0, bytes.length / 2);
    throw failure;
  }
  const call = post(scene, source(), { duplex: 'half', retry: RETRY });
  await call.then(() => assert.fail('it succeeded without its body'), ({ cause }) => assert.equal(cause, failure));
}

/** A POST that was sent and not answered must not be sent again: it fails. */
async function lost(scene) {
  const { bytes } = drawBody(scene, 1, 10_000);
  const strike = { strike: scene.draws.pick('how', ['rst', 'fin']), at: 'before', times: 4 };
  await failsWith(['ECONNRESET'], post(scene, bytes, { retry: RETRY }, strike));
}

function post(scene, body, init, strike) {
  return scene.fetch(urlOf(scene, '/received', strike), { method: 'POST', body, ...init });
}

async function checkReceived(response, length) {
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { bytes: length });
}

/** Each in a turn of its own, as from a file. */
async function* pieces(bytes) {
  for (let from = 0; from < bytes.length; from += 16_384) {
    await new Promise(setImmediate);
    yield bytes.subarray(from, from + 16_384);
  }
}

function streamOf(iterator) {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await iterator.return();
    },
  });
}

module.exports = { posted, streamed, reopened, refused, failing, lost };
