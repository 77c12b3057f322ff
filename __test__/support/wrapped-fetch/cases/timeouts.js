'use strict';

/** Limits on time, where a wrapper can see it pass. */

const { inTurn, ok, silence, startOrigin } = require('../../../../testing');
const { QUICK, caught, codesOf } = require('./common');

const told = ({ name, code, cause, recovery }) => ({
  name, code, phase: cause.phase, delivery: cause.delivery, reason: cause.reason.match(/timeout\.\w+/)[0], gaveUp: recovery.gaveUp,
});
const timedOut = (reason, gaveUp) => ({
  name: 'TypeError', code: 'ETIMEDOUT', phase: 'wait', delivery: 'unknown', reason, gaveUp,
});

async function failsWith({ inner, wrapFetch }, timeout, retry) {
  const origin = await startOrigin(silence);
  const error = await caught(wrapFetch(inner, { timeout, retry })(origin.url));
  // The client was told to end what it had begun.
  for (const { closed } of origin.requests) await closed;
  return told(error);
}

module.exports = {
  'timeout.attempt ends an attempt, and the next one is made': {
    async run({ inner, wrapFetch }) {
      const origin = await startOrigin(inTurn(silence, ok));
      const response = await wrapFetch(inner, { timeout: { attempt: 100 }, retry: QUICK })(origin.url);
      return { text: await response.text(), codes: codesOf(response.recovery) };
    },
    expected: { text: 'ok', codes: ['ETIMEDOUT', null] },
  },
  'timeout.attempt is an error when no retry is left': {
    run: (context) => failsWith(context, { attempt: 30 }, false),
    expected: timedOut('timeout.attempt', 'attempts-exhausted'),
  },
  'timeout.headers': {
    run: (context) => failsWith(context, { attempt: 20_000, headers: 30 }, false),
    expected: timedOut('timeout.headers', 'attempts-exhausted'),
  },
  'timeout.total ends the call': {
    run: (context) => failsWith(context, { attempt: 20_000, total: 30 }, QUICK),
    expected: timedOut('timeout.total', 'out-of-time'),
  },
};
