'use strict';

/** What calls came to. */

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

module.exports = { caught, codesOf };
