'use strict';

/** Calls that never come to an answer: made by the million, they show what a failure leaves behind. */

const { RETRY, urlAt, abortsWith, failsWith, checkUnwatched } = require('../lib/scene');

async function refused(scene) {
  await failsWith(['ECONNREFUSED'], scene.fetch(urlAt(scene, scene.addresses.refusing, '/'), { retry: false }));
}

async function refusedAgain(scene) {
  const retry = { ...RETRY, retries: 1, backoff: { base: 0 } };
  await failsWith(['ECONNREFUSED'], scene.fetch(urlAt(scene, scene.addresses.refusing, '/'), { retry }));
}

async function reset(scene) {
  const url = urlAt(scene, scene.addresses.plain, '/json', { strike: 'rst', at: 'before', times: 1 });
  await failsWith(['ECONNRESET'], scene.fetch(url, { retry: false }));
}

async function beforeStart(scene) {
  const reason = new Error('enough');
  await abortsWith(reason, scene.fetch(urlAt(scene, scene.addresses.plain, '/never'), { signal: AbortSignal.abort(reason) }));
}

/** Before native code has heard of it, or as it does. */
async function atOnce(scene) {
  await abortedBy((abort) => abort(), scene);
}

/** While it connects or sends. */
async function nextTurn(scene) {
  await abortedBy(setImmediate, scene);
}

/** While it waits for the answer. */
async function later(scene) {
  await abortedBy((abort) => setTimeout(abort, 2), scene);
}

async function invalid(scene) {
  await failsWith(['ERR_INVALID_URL', 'ERR_INVALID_ARG_VALUE'], scene.fetch('http://[nowhere/'));
}

async function abortedBy(schedule, scene) {
  const controller = new AbortController();
  const reason = new Error('enough');
  const call = scene.fetch(urlAt(scene, scene.addresses.plain, '/never'), { signal: controller.signal });
  schedule(() => controller.abort(reason));
  await abortsWith(reason, call);
  checkUnwatched(controller.signal);
}

module.exports = { refused, refusedAgain, reset, beforeStart, atOnce, nextTurn, later, invalid };
