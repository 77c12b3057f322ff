'use strict';

/**
 * The same faults through every surface: what is told, counted and put on results is the same, whoever makes the attempts.
 */

const http = require('node:http');
const { setTimeout: sleep } = require('node:timers/promises');
const axios = require('axios');

const { createFetch, createPolicy, retry, wrapAxios, wrapFetch, wrapHttp } = require('../../..');
const { closeAll, inTurn, ok, partial, reply, rst, silence, startOrigin } = require('../../../testing');

const QUICK = { backoff: { base: 1, cap: 2 } };
const NAMES = ['attempt', 'retry', 'recovered', 'gave-up', 'breaker'];
const STATUSES = [408, 425, 429, 500, 502, 503, 504];

afterEach(closeAll);

async function read(response) {
  await response.text();
  return response;
}

function requestWith({ request }, url, init) {
  return new Promise((resolve, reject) => {
    // No connection is used twice: whether one was stale is known to this surface alone.
    const sent = request(url, { agent: false, ...init }, (response) => {
      response.on('error', reject).on('end', () => resolve(response)).resume();
    });
    sent.on('error', reject).end();
  });
}

/** Each surface: a call under a policy. What `retry` is given rejects with the statuses that the others judge. */
const SURFACES = {
  fetch: (policy) => {
    const client = createFetch({ retry: policy, resume: false });
    return (url, init) => client(url, init).then(read);
  },
  wrapFetch: (policy) => {
    const client = wrapFetch(globalThis.fetch, { retry: policy });
    return (url, init) => client(url, init).then(read);
  },
  wrapAxios: (policy) => {
    const client = wrapAxios(axios.create({ validateStatus: null }), { retry: policy });
    return (url, init) => client({ url, ...init });
  },
  wrapHttp: (policy) => {
    const client = wrapHttp(http, { retry: policy });
    return (url, init) => requestWith(client, url, init);
  },
  retry: (policy, { retries, shouldRetry, breaker }) => {
    const isJudged = (status) => (retries !== 0 && STATUSES.includes(status)) || (shouldRetry && status >= 400) || (breaker && status >= 500);
    return (url, init) => retry(async () => {
      const response = await fetch(url, init).then(read);
      if (isJudged(response.status)) throw response;
      return response;
    }, { policy, origin: new URL(url).origin, signal: init.signal, idempotent: init.method !== 'POST' });
  },
};

const nameOf = (fault) => fault && `${fault.code} ${fault.delivery}`;
const RESET = 'ECONNRESET unknown';
const status = (code) => `HTTP_${code} answered`;
const counts = (fields) => ({ calls: 1, retries: 0, recovered: 0, gaveUp: 0, refused: 0, ...fields });

const throwing = () => {
  throw new Error('of a hook');
};
const late = () => sleep(60);
const shortBody = { part: 'abc', headers: { 'content-length': '10' } };

/**
 * `told`: name of the event, number of the attempt, fault or reason. `why` and the messages of breakers, which of native calls
 * come from another thread, are left out. `attempts` and `gaveUp` are those of `recovery`, where there is one.
 */
const SCRIPTS = {
  'a reset, then an answer': {
    answers: inTurn(rst, ok),
    told: [['attempt', 1, RESET], ['retry', 1, RESET], ['attempt', 2, null], ['recovered', [RESET, null]]],
    stats: counts({ retries: 1, recovered: 1 }), attempts: [RESET, null],
  },
  'a 503, then an answer': {
    answers: inTurn(reply(503), ok),
    told: [['attempt', 1, status(503)], ['retry', 1, status(503)], ['attempt', 2, null], ['recovered', [status(503), null]]],
    stats: counts({ retries: 1, recovered: 1 }), attempts: [status(503), null],
  },
  'resets only': {
    answers: rst, options: { retries: 1 },
    told: [['attempt', 1, RESET], ['retry', 1, RESET], ['attempt', 2, RESET], ['gave-up', 'attempts-exhausted', RESET]],
    stats: counts({ retries: 1, gaveUp: 1 }), attempts: [RESET, RESET], gaveUp: 'attempts-exhausted',
  },
  '503 only': {
    answers: reply(503), options: { retries: 1 },
    told: [['attempt', 1, status(503)], ['retry', 1, status(503)], ['attempt', 2, status(503)], ['gave-up', 'attempts-exhausted', status(503)]],
    stats: counts({ retries: 1, gaveUp: 1 }), attempts: [status(503), status(503)], gaveUp: 'attempts-exhausted',
  },
  'a POST that is reset': {
    answers: rst, init: { method: 'POST' },
    told: [['attempt', 1, RESET], ['gave-up', 'not-idempotent', RESET]],
    stats: counts({ gaveUp: 1 }), attempts: [RESET], gaveUp: 'not-idempotent',
  },
  'a POST that is answered with 500': {
    answers: reply(500), init: { method: 'POST' },
    told: [['attempt', 1, status(500)], ['gave-up', 'not-idempotent', status(500)]],
    stats: counts({ gaveUp: 1 }), attempts: [status(500)], gaveUp: 'not-idempotent',
  },
  'a 404 under a hook that has no opinion': {
    answers: reply(404), options: { shouldRetry() {} },
    told: [['attempt', 1, null]],
    stats: counts(), attempts: [null],
  },
  'a reset, then a 404 under a hook that has no opinion': {
    answers: inTurn(rst, reply(404)), options: { shouldRetry() {} },
    told: [['attempt', 1, RESET], ['retry', 1, RESET], ['attempt', 2, null], ['recovered', [RESET, null]]],
    stats: counts({ retries: 1, recovered: 1 }), attempts: [RESET, null],
  },
  'a 404 that a hook has repeated': {
    answers: reply(404), options: { retries: 1, shouldRetry: () => true },
    told: [['attempt', 1, status(404)], ['retry', 1, status(404)], ['attempt', 2, null], ['recovered', [status(404), null]]],
    stats: counts({ retries: 1, recovered: 1 }), attempts: [status(404), null],
  },
  'a 501, which only a breaker wants to know of': {
    answers: reply(501), options: { breaker: true },
    told: [['attempt', 1, null]],
    stats: counts(), attempts: [null],
  },
  'a 503 that is not to be repeated, under a breaker': {
    answers: reply(503), options: { retries: 0, breaker: true },
    told: [['attempt', 1, null]],
    stats: counts(), attempts: [null],
  },
  'a wait that the server wants too long': {
    answers: reply(503, { 'retry-after': '10000' }),
    told: [['attempt', 1, status(503)], ['gave-up', 'retry-after-too-long', status(503)]],
    stats: counts({ gaveUp: 1 }), attempts: [status(503)], gaveUp: 'retry-after-too-long',
  },
  'a breaker that opens': {
    answers: rst, options: { retries: 5, breaker: { minCalls: 2, failureRate: 1 } },
    told: [['attempt', 1, RESET], ['retry', 1, RESET], ['attempt', 2, RESET], ['gave-up', 'breaker-open', RESET]],
    stats: counts({ retries: 1, gaveUp: 1, refused: 1 }), attempts: [RESET, RESET], gaveUp: 'breaker-open', changes: ['open'],
  },
  'an onRetry hook that takes longer than the call may': {
    answers: rst, options: { within: 30, backoff: { base: 0 }, onRetry: late },
    told: [['attempt', 1, RESET], ['retry', 1, RESET], ['gave-up', 'out-of-time', RESET]],
    stats: counts({ retries: 1, gaveUp: 1 }), attempts: [RESET], gaveUp: 'out-of-time',
  },
  'the same with a 404 that was to be repeated': {
    answers: reply(404), options: { within: 30, backoff: { base: 0 }, onRetry: late, shouldRetry: () => true },
    told: [['attempt', 1, status(404)], ['retry', 1, status(404)], ['gave-up', 'out-of-time', status(404)]],
    stats: counts({ retries: 1, gaveUp: 1 }), attempts: [status(404)], gaveUp: 'out-of-time',
  },
  'a shouldRetry hook that throws': {
    answers: rst, options: { shouldRetry: throwing },
    told: [['attempt', 1, RESET]], stats: counts(), error: 'of a hook',
  },
  'an onRetry hook that throws': {
    answers: rst, options: { onRetry: throwing },
    told: [['attempt', 1, RESET]], stats: counts({ retries: 1 }), error: 'of a hook',
  },
  'an abort during an attempt': {
    answers: silence, abort: 'received',
    told: [], stats: counts(),
  },
  'an abort during a wait': {
    answers: rst, options: { backoff: { base: 3_600_000, cap: 3_600_000 }, within: Infinity }, abort: 'retry',
    told: [['attempt', 1, RESET], ['retry', 1, RESET]], stats: counts({ retries: 1 }),
  },
  'an abort during a hook that never ends': {
    answers: rst, options: { shouldRetry: () => new Promise(() => {}) }, abort: 'shouldRetry',
    told: [], stats: counts(),
  },
  'an abort during an onRetry hook that ends later': {
    answers: rst, options: { onRetry: late }, abort: 'onRetry',
    told: [], stats: counts({ retries: 1 }), settles: 80,
  },
  'a body that breaks': {
    // The others have the body before they answer: there it is an attempt like any other.
    surfaces: ['fetch', 'wrapFetch', 'wrapHttp'],
    answers: inTurn(rst, partial(rst, shortBody)),
    told: [
      ['attempt', 1, RESET], ['retry', 1, RESET], ['attempt', 2, null], ['recovered', [RESET, null]],
      ['attempt', 2, 'ECONNRESET answered'], ['gave-up', 'not-resumable', 'ECONNRESET answered'],
    ],
    stats: counts({ retries: 1, recovered: 1, gaveUp: 1 }), attempts: [RESET, 'ECONNRESET answered'], gaveUp: 'not-resumable',
  },
  'a body that breaks, of a response that was taken for want of a better one': {
    surfaces: ['fetch', 'wrapFetch', 'wrapHttp'],
    options: { retries: 1 },
    answers: inTurn(rst, (request, response) => {
      response.writeHead(503, shortBody.headers);
      response.write(shortBody.part, () => rst(request, response));
    }),
    told: [['attempt', 1, RESET], ['retry', 1, RESET], ['attempt', 2, status(503)], ['gave-up', 'attempts-exhausted', status(503)]],
    stats: counts({ retries: 1, gaveUp: 1 }), attempts: [RESET, status(503)], gaveUp: 'attempts-exhausted',
  },
};

/** What each event is about. */
const SUBJECTS = {
  attempt: ({ attempt, fault }) => [attempt, nameOf(fault)],
  retry: ({ attempt, fault }) => [attempt, nameOf(fault)],
  recovered: ({ recovery }) => [recovery.attempts.map(({ fault }) => nameOf(fault))],
  'gave-up': ({ gaveUp, fault }) => [gaveUp, nameOf(fault)],
  breaker: ({ to }) => [to],
};

function record(policy) {
  const told = [];
  for (const name of NAMES) policy.on(name, (message) => told.push([name, ...SUBJECTS[name](message)]));
  return told;
}

/** Makes the hook abort the call when it is asked. */
function aborting(options, name, controller) {
  const hook = options?.[name];
  if (hook === undefined) return options;
  return {
    ...options,
    [name](...args) {
      setImmediate(() => controller.abort());
      return hook(...args);
    },
  };
}

const PAIRS = Object.entries(SCRIPTS).flatMap(([script, { surfaces = Object.keys(SURFACES) }]) => (
  surfaces.map((surface) => [script, surface])
));

test.each(PAIRS)('%s: %s', async (script, surface) => {
  const { answers, options, init, abort, told: expected, stats, attempts, gaveUp, error, changes = [], settles } = SCRIPTS[script];
  const origin = await startOrigin(answers);
  const controller = new AbortController();
  const own = { ...QUICK, ...(abort ? aborting(options, abort, controller) : options) };
  const policy = createPolicy(own);
  const told = record(policy);
  if (abort === 'retry') policy.on('retry', () => controller.abort());
  const call = SURFACES[surface](policy, own)(origin.url, { method: 'GET', ...init, ...(abort && { signal: controller.signal }) });
  const settled = call.then((answer) => ({ answer }), (thrown) => ({ thrown }));
  if (abort === 'received') {
    await origin.received(0);
    controller.abort();
  }
  const { answer, thrown } = await settled;
  // What a hook that was given up says afterwards is of no interest.
  if (settles !== undefined) await sleep(settles);
  expect(told.filter(([name]) => name !== 'breaker')).toEqual(expected);
  expect(told.filter(([name]) => name === 'breaker').map(([, to]) => to)).toEqual(changes);
  expect(policy.stats()[origin.url]).toMatchObject(stats);
  if (error !== undefined) expect(thrown.message).toBe(error);
  const { recovery } = answer ?? thrown;
  if (attempts === undefined || recovery === undefined) return;
  expect(recovery.attempts.map(({ fault }) => nameOf(fault))).toEqual(attempts);
  expect(recovery.gaveUp).toBe(gaveUp);
});
