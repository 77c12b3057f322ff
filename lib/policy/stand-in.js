'use strict';

/** In place of the native policy's new interface, until it is merged. */

const native = require('../native');

class NativePolicy {
  #inner;

  constructor(json, now, inner = new native.NativePolicy(json)) {
    void now;
    this.#inner = inner;
  }

  withOptions(json) {
    return new NativePolicy(json, 0, this.#inner.withOptions(json));
  }

  count() {
    return -1;
  }

  succeeded() {}

  begin(origin, began) {
    const inner = this.#inner.begin(origin, began);
    return {
      get attempt() {
        return inner.attempt;
      },
      outOfTime: (now) => inner.outOfTime(now),
      decide: (question, now, random) => inner.decide(question, now, random),
      limitTo() {},
      admit: () => -1,
      succeeded() {},
      abandon() {},
    };
  }

  stats() {
    return '{}';
  }

  takeChanges() {
    return null;
  }
}

module.exports = { NativePolicy };
