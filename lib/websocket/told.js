'use strict';

/**
 * Whoever waits to be told what became of a message: the callback of a `send`, in the async context of that call. It is called in
 * a turn of its own, so that what it throws keeps nothing from anybody else.
 */

const { AsyncResource } = require('node:async_hooks');

class Told extends AsyncResource {
  #callback;

  /** @param {(error?: Error) => void} callback */
  constructor(callback) {
    super('UNRESET_WEBSOCKET_SEND', { requireManualDestroy: true });
    this.#callback = callback;
  }

  /** @param {Error} [error] none: the message is written */
  tell(error) {
    // As with `ws`, no argument at all where there is no error.
    if (error === undefined) this.runInAsyncScope(process.nextTick, process, this.#callback);
    else this.runInAsyncScope(process.nextTick, process, this.#callback, error);
  }
}

/** Those of all parts of a message, as one. @param {Told[]} all */
function toldTogether(all) {
  if (all.length === 0) return undefined;
  return {
    tell(error) {
      for (const told of all) told.tell(error);
    },
  };
}

module.exports = { Told, toldTogether };
