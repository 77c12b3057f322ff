'use strict';

/**
 * An object that is an `EventTarget`, as the standard's WebSocket, and has all that an `EventEmitter` has, as the one of
 * `ws`: the two share no name. It descends from `EventTarget`, because only what does is given to a listener as the
 * `target` of a real event; the methods of an emitter work on any object.
 */

const { EventEmitter } = require('node:events');

class EmittingTarget extends EventTarget {
  /** Types that a listener of the standard's was ever added for: no event is made for the others. */
  #types = new Set();
  /** @type {Map<string, { callback: Function, listener: Function }>} */
  #handlers = new Map();

  constructor() {
    super();
    EventEmitter.call(this);
    // As Node's own: what belongs to the machinery is not shown with the object.
    for (const key of ['_events', '_eventsCount', '_maxListeners']) {
      Object.defineProperty(this, key, { enumerable: false });
    }
  }

  addEventListener(type, listener, options) {
    super.addEventListener(type, listener, options);
    this.#types.add(`${type}`);
  }

  /** Whether an event of this type may have a listener of the standard's. */
  mayBeHeard(type) {
    return this.#types.has(type);
  }

  /** What `on<type>` is. */
  handler(type) {
    return this.#handlers.get(type)?.callback ?? null;
  }

  /** As HTML has it for the attributes of events: one that is replaced keeps its place among the listeners. */
  setHandler(type, value) {
    const callback = typeof value === 'function' ? value : null;
    const known = this.#handlers.get(type);
    if (known !== undefined && callback !== null) {
      known.callback = callback;
    } else if (known !== undefined) {
      this.#handlers.delete(type);
      this.removeEventListener(type, known.listener);
    } else if (callback !== null) {
      const entry = { callback, listener: (event) => entry.callback.call(this, event) };
      this.#handlers.set(type, entry);
      this.addEventListener(type, entry.listener);
    }
  }
}

for (const name of Object.keys(EventEmitter.prototype)) {
  if (typeof EventEmitter.prototype[name] !== 'function') continue;
  Object.defineProperty(EmittingTarget.prototype, name, {
    value: EventEmitter.prototype[name], writable: true, configurable: true,
  });
}

/** The attributes `on<type>` of a class. */
function defineHandlers(target, types) {
  for (const type of types) {
    Object.defineProperty(target.prototype, `on${type}`, {
      enumerable: true,
      configurable: true,
      get() {
        return this.handler(type);
      },
      set(value) {
        this.setHandler(type, value);
      },
    });
  }
}

module.exports = { EmittingTarget, defineHandlers };
