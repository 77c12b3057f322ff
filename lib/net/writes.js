'use strict';

/**
 * The writes whose fate is not known yet, and who waits to be told.
 *
 * A stream of Node's is over when one write fails. A socket's writes can fail and the socket goes on, so their callbacks are
 * kept here and not given to the stream. Native code settles writes in the order in which it was given them, so a number
 * of them says which.
 */

class Writes {
  /** Not given to native code yet. */
  #waiting = new Line();
  /** Given to it, and not settled. */
  #given = new Line();

  /** A write is made. */
  add(callback) {
    this.#waiting.push(callback);
  }

  /** The stream has refused the one that was made last. */
  takeBack() {
    this.#waiting.pop();
  }

  /** Whether somebody waits to be told of one of the oldest that native code does not have. */
  areAwaited(count) {
    return this.#waiting.someOf(count);
  }

  /** Native code has got the oldest that wait. */
  give(count) {
    for (let i = 0; i < count; i++) this.#given.push(this.#waiting.shift());
  }

  /** Native code refused the one that it was given last. */
  refused(error) {
    tell(this.#given.pop(), error);
  }

  /**
   * The oldest are settled.
   *
   * @returns {number} how many of them nobody waited for
   */
  settle(count, error) {
    let unheard = 0;
    for (let i = 0; i < count; i++) {
      const callback = this.#given.shift();
      if (callback === undefined) unheard += 1;
      else tell(callback, error);
    }
    return unheard;
  }

  /** None of them will be settled any other way: what native code was given, and what it was not. */
  settleAll(errorOfGiven, errorOfWaiting) {
    this.settle(this.#given.length, errorOfGiven);
    this.give(this.#waiting.length);
    this.settle(this.#given.length, errorOfWaiting);
  }
}

function tell(callback, error) {
  // As a stream does it: never from within `write`.
  if (callback !== undefined) process.nextTick(callback, error);
}

/** First in, first out, and the last one in can be taken back. Most of a line holds `undefined`. */
class Line {
  #items = [];
  #first = 0;

  get length() {
    return this.#items.length - this.#first;
  }

  push(item) {
    this.#items.push(item);
  }

  pop() {
    return this.#items.pop();
  }

  /** Whether one of so many at the front is not `undefined`. */
  someOf(count) {
    for (let at = this.#first; at < this.#first + count; at++) {
      if (this.#items[at] !== undefined) return true;
    }
    return false;
  }

  shift() {
    const item = this.#items[this.#first];
    this.#items[this.#first++] = undefined;
    // Moved together when most of it has gone: once for each time that it doubles.
    if (this.#first > 64 && this.#first * 2 > this.#items.length) {
      this.#items.splice(0, this.#first);
      this.#first = 0;
    }
    return item;
  }
}

module.exports = { Writes };
