'use strict';

/**
 * What is told of a connection: to the listeners of its handle, and on the channel `unreset:connection` of
 * `node:diagnostics_channel`, which needs no handle. Listeners run in the async context of whoever made the handle, not in
 * that of the call that happened to find the connection dead.
 */

const { AsyncResource } = require('node:async_hooks');
const { channel } = require('node:diagnostics_channel');
const { EventEmitter } = require('node:events');
const { debuglog } = require('node:util');

const { checkFunction, invalidValue } = require('../validate');

const NAMES = Object.freeze(['up', 'down', 'degraded', 'reconnecting']);
const CHANNEL = channel('unreset:connection');
const debug = debuglog('unreset');

class Events {
  #emitter = new EventEmitter();
  #context = new AsyncResource('UNRESET_PERSISTENT', { requireManualDestroy: false });
  #about;

  /** @param {{ surface: string, name: string }} about what the channel says of every message */
  constructor(about) {
    this.#about = about;
  }

  /** Adds, or takes away, a listener. */
  change(method, event, listener) {
    if (!NAMES.includes(event)) throw invalidValue('event', `one of ${NAMES.join(', ')}`, event);
    this.#emitter[method](event, checkFunction(listener, 'listener'));
  }

  /** What `fn` throws is thrown here, as it is with `fn()`. */
  inContext(fn) {
    return this.#context.runInAsyncScope(fn);
  }

  tell(event, message) {
    if (debug.enabled) debug(inWords(this.#about, event, message));
    for (const listener of this.#emitter.rawListeners(event)) this.call(() => listener.call(this.#emitter, message));
    CHANNEL.publish({ ...this.#about, event, ...message });
  }

  /** What a listener or a hook throws is nobody's answer: it is an uncaught exception, as in `diagnostics_channel`. */
  call(listener) {
    try {
      this.inContext(listener);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}

function inWords({ surface, name }, event, { attempt, delay, fault, gaveUp }) {
  const what = [surface, name].filter(Boolean).join(' ');
  const because = fault === undefined ? '' : `: ${fault.code} (${fault.phase})`;
  const then = attempt === undefined ? '' : `, attempt ${attempt} in ${delay} ms`;
  return `${what}: ${event}${because}${then}${gaveUp === undefined ? '' : `, gave up (${gaveUp})`}`;
}

module.exports = { Events };
