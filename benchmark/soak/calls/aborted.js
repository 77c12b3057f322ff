'use strict';

/** Calls that their caller ends: before they begin, at a random moment, between two attempts, in the middle of a body. */

const { RETRY, urlOf, urlAt, drawBody, checkBytes, checkJson, endsOrAborts, abortsWith, checkUnwatched } = require('../lib/scene');

/** Longer than a call takes here (ms): the abort comes at any moment of it, or after it. */
const MOMENTS = 12;

async function beforeStart(scene) {
  const reason = new Error('enough');
  await abortsWith(reason, scene.fetch(urlOf(scene, '/json'), { signal: AbortSignal.abort(reason) }));
}

async function atOnce(scene) {
  const { signal, abort, reason } = aborting();
  const call = scene.fetch(urlOf(scene, '/json'), { signal });
  abort();
  await abortsWith(reason, call);
  checkUnwatched(signal);
}

async function atAnyMoment(scene) {
  const { signal, abort, reason } = aborting();
  const timer = setTimeout(abort, scene.draws.fraction('moment') * MOMENTS);
  const body = drawBody(scene, 1, 500_000);
  const call = async () => {
    const response = await scene.fetch(urlOf(scene, '/body', body.query), { signal });
    checkBytes(await response.arrayBuffer(), body.bytes);
  };
  await endsOrAborts(call(), reason);
  clearTimeout(timer);
  checkUnwatched(signal);
}

/** The server never answers. */
async function whileWaiting(scene) {
  const { signal, abort, reason } = aborting();
  const call = scene.fetch(urlOf(scene, '/never'), { signal });
  setTimeout(abort, scene.draws.fraction('moment') * MOMENTS);
  await abortsWith(reason, call);
  checkUnwatched(signal);
}

/** In the wait before the next attempt, which would be longer than the test. */
async function betweenAttempts(scene) {
  const { signal, abort, reason } = aborting();
  const retry = { retries: 5, backoff: { base: 60_000, cap: 60_000 }, budget: false, onRetry: () => { setImmediate(abort); } };
  await abortsWith(reason, scene.fetch(urlAt(scene, scene.addresses.refusing, '/'), { signal, retry }));
  checkUnwatched(signal);
}

async function insideBody(scene) {
  const { signal, abort, reason } = aborting();
  const { query } = drawBody(scene, 300_000, 500_000);
  const response = await scene.fetch(urlOf(scene, '/body', query), { signal });
  const reader = response.body.getReader();
  await reader.read();
  abort();
  await abortsWith(reason, reader.read());
  checkUnwatched(signal);
}

async function insideUpload(scene) {
  const { signal, abort, reason } = aborting();
  async function* source() {
    yield 'some';
    setImmediate(abort);
    // Goes on until it is told that nobody reads any more.
    for (;;) {
      await new Promise(setImmediate);
      yield 'more';
    }
  }
  const call = scene.fetch(urlOf(scene, '/received'), { method: 'POST', body: source(), duplex: 'half', signal });
  await abortsWith(reason, call);
  checkUnwatched(signal);
}

/** One signal for two calls, with a struck one between them. */
async function together(scene) {
  const { signal, abort, reason } = aborting();
  const never = scene.fetch(urlOf(scene, '/never'), { signal });
  const struck = scene.fetch(urlOf(scene, '/json', { strike: 'rst', at: 'head', times: 1 }), { signal, retry: RETRY });
  const answered = endsOrAborts(struck.then((response) => checkJson(response, scene)), reason);
  setTimeout(abort, scene.draws.fraction('moment') * MOMENTS);
  await abortsWith(reason, never);
  await answered;
  checkUnwatched(signal);
}

function aborting() {
  const controller = new AbortController();
  const reason = new Error('enough');
  return { signal: controller.signal, abort: () => controller.abort(reason), reason };
}

module.exports = { beforeStart, atOnce, atAnyMoment, whileWaiting, betweenAttempts, insideBody, insideUpload, together };
