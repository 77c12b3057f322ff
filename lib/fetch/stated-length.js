'use strict';

/**
 * A request stream whose length the caller has stated as Content-Length.
 *
 * What is sent ends at the stated length. A stream that has more would be cut off there, and the server would
 * take the rest of it for all of it. So the last piece leaves only when the source has ended as well.
 */

const { openReader, bytesOf } = require('./upload');

/**
 * @param {() => unknown} open makes what is read
 * @param {number} length in bytes
 * @returns {() => ReadableStream<Uint8Array>}
 */
function ofStatedLength(open, length) {
  return () => {
    let reader;
    let left = length;
    let last;
    return new ReadableStream(
      {
        async pull(controller) {
          reader ??= await openReader(open);
          for (;;) {
            const { done, value } = await reader.read();
            if (done) {
              if (left > 0) throw mismatch(`ended after ${length - left} bytes`, length);
              if (last !== undefined) controller.enqueue(last);
              controller.close();
              return;
            }
            const bytes = bytesOf(value);
            if (bytes.byteLength === 0) continue;
            left -= bytes.byteLength;
            if (left < 0) {
              reader.cancel();
              throw mismatch('goes on', length);
            }
            if (left > 0) {
              controller.enqueue(bytes);
              return;
            }
            last = bytes;
          }
        },
        cancel: (reason) => reader?.cancel(reason),
      },
      { highWaterMark: 0 },
    );
  };
}

function mismatch(found, length) {
  const error = new TypeError(`body: the stream ${found}, but "content-length" says ${length} bytes`);
  return Object.assign(error, { code: 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH' });
}

module.exports = { ofStatedLength };
