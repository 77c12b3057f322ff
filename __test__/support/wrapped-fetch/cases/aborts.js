'use strict';

/** What the caller aborts ends at once, in the way of the client. */

const { getEventListeners } = require('node:events');
const { partial, refusedPort, reply, silence, startOrigin } = require('../../../../testing');
const { caught, codesOf } = require('./common');

/** Never passes in a test. */
const LONG = { backoff: { base: 60_000, cap: 60_000 }, within: Infinity };

/** The client's own way: the signal's reason by the standard, before that an error of its own. */
function describe(error, signal, kind) {
  const isOwn = kind === 'undici' ? error === signal.reason : error.name === 'AbortError' && error !== signal.reason;
  // A reason belongs to the caller, and may be the reason of a thousand calls.
  const recovery = kind === 'undici' ? error.recovery === undefined : error.recovery.gaveUp === 'aborted';
  return { isOwn, recovery, listeners: getEventListeners(signal, 'abort').length };
}
const expected = { isOwn: true, recovery: true, listeners: 0 };

module.exports = {
  'an abort between two attempts': {
    async run({ inner, kind, wrapFetch }) {
      const controller = new AbortController();
      const { signal } = controller;
      const port = await refusedPort();
      const onRetry = () => void setImmediate(() => controller.abort(new Error('enough')));
      const url = `http://127.0.0.1:${port}/`;
      const error = await caught(wrapFetch(inner, { retry: { ...LONG, onRetry } })(url, { signal }));
      return describe(error, signal, kind);
    },
    expected,
  },

  'an abort after a status': {
    async run({ inner, kind, wrapFetch }) {
      const controller = new AbortController();
      const { signal } = controller;
      const origin = await startOrigin(reply(503));
      const onRetry = () => void setImmediate(() => controller.abort(new Error('enough')));
      const error = await caught(wrapFetch(inner, { retry: { ...LONG, onRetry } })(origin.url, { signal }));
      return { ...describe(error, signal, kind), requests: origin.requests.length };
    },
    expected: { ...expected, requests: 1 },
  },

  'an abort while an attempt waits': {
    async run({ inner, kind, wrapFetch }) {
      const controller = new AbortController();
      const origin = await startOrigin(silence);
      const call = caught(wrapFetch(inner)(origin.url, { signal: controller.signal }));
      await origin.received(0);
      controller.abort(new Error('enough'));
      const { isOwn, recovery } = describe(await call, controller.signal, kind);
      return { isOwn, recovery };
    },
    expected: { isOwn: true, recovery: true },
  },

  'an abort while an attempt with limits waits': {
    async run({ inner, kind, wrapFetch }) {
      const controller = new AbortController();
      const origin = await startOrigin(silence);
      const call = caught(wrapFetch(inner, { timeout: { attempt: 20_000 } })(origin.url, { signal: controller.signal }));
      await origin.received(0);
      controller.abort(new Error('enough'));
      return describe(await call, controller.signal, kind);
    },
    expected,
  },

  'an abort while the body of a call with limits is read': {
    async run({ inner, wrapFetch }) {
      const controller = new AbortController();
      const { signal } = controller;
      const origin = await startOrigin(partial(silence));
      const response = await wrapFetch(inner, { timeout: { attempt: 20_000 } })(origin.url, { signal });
      const during = getEventListeners(signal, 'abort').length;
      setImmediate(() => controller.abort(new Error('enough')));
      const error = await caught(response.text());
      await origin.requests[0].closed;
      const isAbort = error === signal.reason || error.name === 'AbortError';
      return { isAbort, during, after: getEventListeners(signal, 'abort').length, gaveUp: response.recovery.gaveUp };
    },
    expected: { isAbort: true, during: 1, after: 0, gaveUp: 'aborted' },
  },

  'a signal that was aborted before': {
    async run({ inner, wrapFetch }) {
      const origin = await startOrigin();
      const signal = AbortSignal.abort(new Error('enough'));
      const error = await caught(wrapFetch(inner)(origin.url, { signal }));
      return { isAbort: error === signal.reason || error.name === 'AbortError', requests: origin.requests.length };
    },
    expected: { isAbort: true, requests: 0 },
  },

  'calls with one signal leave nothing on it': {
    async run({ inner, wrapFetch }) {
      const { signal } = new AbortController();
      const origin = await startOrigin();
      const fetch = wrapFetch(inner, { timeout: { attempt: 20_000, total: 20_000 } });
      const codes = [];
      for (let call = 0; call < 50; call++) {
        const response = await fetch(origin.url, { signal });
        await response.text();
        codes.push(...codesOf(response.recovery));
      }
      return { answered: codes.length, left: getEventListeners(signal, 'abort').length };
    },
    expected: { answered: 50, left: 0 },
  },
};
