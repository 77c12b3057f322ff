'use strict';

/** What calls came to, in forms that tests can compare. */

/**
 * What a call came to, in a form that two clients can be compared by. Messages are left out: they are for people.
 *
 * @param {Promise<Response>} call
 */
async function outcome(call) {
  try {
    const response = await call;
    const { status, url, redirected, type } = response;
    return { status, url, redirected, type, text: await response.text() };
  } catch (error) {
    return { rejected: error.name };
  }
}

/** @returns {Promise<Error>} what the call was rejected with; a call that succeeds fails the test */
function caught(call) {
  return call.then(
    () => {
      throw new Error('the call was expected to fail');
    },
    (error) => error,
  );
}

/** The codes of the attempts' faults; `null` for an attempt that brought the answer. */
const codesOf = ({ attempts }) => attempts.map(({ fault }) => fault?.code ?? null);

module.exports = { outcome, caught, codesOf };
