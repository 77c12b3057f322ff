'use strict';

/**
 * `timeout.body`: how long a body may be silent while somebody waits for it. Used by calls that set it alone, because to
 * see a body's silence one has to stand where it is read.
 */

const { isStream } = require('../../fetch/brands');
const { endConnection } = require('./discard');
const { isNodeStream } = require('./streams');

/**
 * @param {unknown} body of a response
 * @param {number} limit ms
 * @param {import('./time-limits').TimeLimits} limits of the attempt
 */
function watchSilence(body, limit, limits) {
  if (isStream(body)) watchWebStream(body, limit, limits);
  else if (isNodeStream(body)) watchNodeStream(body, limit, limits);
}

/**
 * Every way to read a web stream is a method of it, those of the response included: they ask it for a reader. Each read is
 * timed; the ways that ask inside Node go through a stream of ours.
 */
function watchWebStream(body, limit, limits) {
  const getReader = body.getReader.bind(body);
  const watched = (...args) => timed(getReader(...args), limit, limits);
  const relay = () => relayOf(watched());
  const values = (options) => iterate(watched(), options);
  const methods = {
    getReader: watched,
    values,
    [Symbol.asyncIterator]: values,
    pipeTo: (...args) => relay().pipeTo(...args),
    pipeThrough: (...args) => relay().pipeThrough(...args),
    tee: () => relay().tee(),
  };
  for (const name of Reflect.ownKeys(methods)) {
    Object.defineProperty(body, name, { value: methods[name], writable: true, configurable: true });
  }
}

function timed(reader, limit, limits) {
  const read = reader.read.bind(reader);
  reader.read = async (...args) => {
    let timer;
    const silent = new Promise((resolve, reject) => {
      timer = setTimeout(() => {
        reject(limits.expireBody(limit));
        limits.abort();
      }, limit);
    });
    try {
      return await Promise.race([read(...args), silent]);
    } finally {
      clearTimeout(timer);
    }
  };
  return reader;
}

function relayOf(reader) {
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

async function* iterate(reader, { preventCancel = false } = {}) {
  let isOver = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        isOver = true;
        return;
      }
      yield value;
    }
  } catch (error) {
    isOver = true;
    throw error;
  } finally {
    if (!isOver && !preventCancel) await reader.cancel();
    reader.releaseLock();
  }
}

/** A Node stream is pushed into: what arrives is seen there, whoever reads and however. */
function watchNodeStream(body, limit, limits) {
  const push = body.push.bind(body);
  // A body that is never read must not keep the process alive.
  const timer = setTimeout(check, limit).unref();
  function check() {
    // Where nobody waits for it the client stops to read, and the silence is ours.
    const isAwaited = body.readableLength === 0 && (body.readableFlowing === true || body.listenerCount('readable') > 0);
    // Not by the signal: node-fetch would tell of an abort first.
    if (isAwaited) endConnection(body, limits.expireBody(limit));
    else timer.refresh();
  }
  body.push = (...args) => {
    timer.refresh();
    return push(...args);
  };
  const end = () => clearTimeout(timer);
  body.once('close', end).once('end', end);
}

module.exports = { watchSilence };
