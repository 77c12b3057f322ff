'use strict';

/** What the cases tell of calls: plain data. */

/** Waits that no test notices. */
const QUICK = { backoff: { base: 1 } };

/** The codes of the attempts' faults, `null` for the one that was answered. */
const codesOf = ({ attempts }) => attempts.map(({ fault }) => fault?.code ?? null);

/** Of a call that has to fail. */
async function failure(call) {
  const error = await caught(call);
  const { name, recovery } = error;
  return { name, codes: recovery && codesOf(recovery), gaveUp: recovery?.gaveUp };
}

async function caught(call) {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error('the call was expected to fail');
}

/** What the client's own errors are called. */
const NAMES = { undici: 'TypeError', 'node-fetch': 'FetchError' };

module.exports = { QUICK, NAMES, codesOf, caught, failure };
