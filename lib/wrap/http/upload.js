'use strict';

/**
 * What the caller writes: to the attempt that runs, and into the log from which the next one would be given it.
 *
 * Between two attempts there is nobody to write to. What is written then waits in the log, and `write` returns
 * false, so that a caller who heeds backpressure waits for the 'drain' of the next attempt.
 */

const { OutgoingMessage } = require('node:http');

const { BodyLog } = require('./body-log');
const { writeAfterEnd } = require('./errors');

/**
 * What the callback of `end` is: a listener of 'finish', as up to Node 22; since then it is called before them, and also
 * when the body could not be sent.
 */
const END_IS_EVENT = isEvent();

function isEvent() {
  const message = new OutgoingMessage();
  // One that has been ended, and has not left.
  Object.assign(message, { finished: true, outputSize: 1 });
  message.end(() => {});
  return message.listenerCount('finish') > 0;
}

/** @typedef {import('./body-log').Waiting} Waiting */

class Upload {
  #facade;
  #log;
  /** There will be no other attempt: the caller writes to this one. */
  #settled = false;
  #needsDrain = false;

  /** The caller has ended it. */
  ended = false;
  /** Told the caller that all of it has been handed to the system. */
  finished = false;

  /**
   * @param {import('node:events').EventEmitter} facade
   * @param {boolean} keeps whether there may be another attempt at all
   */
  constructor(facade, keeps) {
    this.#facade = facade;
    this.#log = new BodyLog(keeps);
  }

  /** Whether another attempt could be given all that was written. */
  get replays() {
    return !this.#log.overflowed;
  }

  /** Whether the caller waits for 'drain'. */
  get needsDrain() {
    return this.#needsDrain && !this.ended;
  }

  /** @param {import('node:http').ClientRequest} request that runs */
  write(request, chunk, encoding, callback) {
    if (this.#settled || this.ended) return this.#returned(request.write(chunk, encoding, callback));
    const waiting = waitingFor(callback);
    const takesMore = request.write(chunk, encoding, waiting && ((error) => this.#onWritten(waiting, error)));
    this.#log.write(chunk, encoding, waiting);
    return this.#returned(takesMore);
  }

  /** @param {import('node:http').ClientRequest} request that has failed */
  writeLater(request, chunk, encoding, callback) {
    // Throws for what is no chunk, and sends nothing any more.
    request.write(chunk, encoding);
    if (this.ended) {
      this.#fail(callback);
      return false;
    }
    this.#log.writeForLater(chunk, encoding, waitingFor(callback));
    return this.#returned(false);
  }

  end(request, chunk, encoding, callback) {
    const waiting = this.#waitingForEnd(callback);
    request.end(chunk, encoding, waiting && ((error) => this.#onWritten(waiting, error)));
    if (!this.#settled) this.#log.end(chunk, encoding, waiting);
    this.ended = true;
  }

  endLater(chunk, encoding, callback) {
    this.#log.endForLater(chunk, encoding, this.#waitingForEnd(callback));
    this.ended = true;
  }

  /** It has ended. To wait for 'finish' is allowed; of anything else Node says in its own way what is wrong with it. */
  endAgain(request, runs, chunk, encoding, callback) {
    const maySee = !this.finished && (END_IS_EVENT || !runs);
    if (!chunk && typeof callback === 'function' && maySee) this.#facade.once('finish', callback);
    else if (runs) request.end(chunk, encoding, callback);
    else if (chunk) this.#fail();
  }

  flushHeaders(request) {
    request.flushHeaders();
    this.#log.flushHeaders();
  }

  /** Gives it to another attempt. */
  replay(request) {
    const takesMore = this.#log.replay(request, (waiting, error) => this.#onWritten(waiting, error));
    if (takesMore && this.#needsDrain) process.nextTick(() => request.emit('drain'));
  }

  /** The attempt takes more. */
  onDrain() {
    this.#needsDrain = false;
  }

  /** There is no further attempt. */
  settle() {
    this.#settled = true;
  }

  /** Nothing is sent any more: whoever waits to hear that a chunk has left is told this error. */
  break(error) {
    this.#settled = true;
    for (const waiting of this.#log.waiting()) process.nextTick(tell, waiting, error);
    this.#log.forget();
  }

  /** The attempt is the request now. */
  forget() {
    this.#settled = true;
    this.#log.forget();
  }

  /** @returns {Waiting | undefined} whom the attempt is to tell; in older releases of Node it is a listener */
  #waitingForEnd(callback) {
    if (!END_IS_EVENT) return waitingFor(callback);
    if (typeof callback === 'function') this.#facade.once('finish', callback);
    return undefined;
  }

  #returned(takesMore) {
    if (!takesMore) this.#needsDrain = true;
    return takesMore;
  }

  /** A chunk has left; or its connection is gone, and it may leave with another one. */
  #onWritten(waiting, error) {
    if (error && !this.#settled && this.#log.keeps) return;
    tell(waiting, error);
  }

  #fail(callback) {
    const error = writeAfterEnd();
    process.nextTick(() => {
      callback?.(error);
      this.#facade.emit('error', error);
    });
  }
}

/** @returns {Waiting | undefined} one who is told once, whatever the number of attempts */
function waitingFor(callback) {
  return typeof callback === 'function' ? { callback } : undefined;
}

function tell(waiting, error) {
  const { callback } = waiting;
  waiting.callback = undefined;
  callback?.(error);
}

module.exports = { Upload };
