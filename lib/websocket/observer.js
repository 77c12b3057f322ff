'use strict';

/**
 * Tells whoever listens to policies, channels or NODE_DEBUG what becomes of a WebSocket, in the words of calls: coming back is
 * a call that begins with a loss, and is answered when there is a connection again.
 */

const { withoutCredentials } = require('../credentials');
const { isObserved, tell } = require('../policy/events');

/** Attempts that are remembered, as of a call (`src/http/attempts.rs`). */
const REMEMBERED = 100;

class Observer {
  #hub;
  /** Since the last time that there was a connection: `{ fault, delay }` of each, as in a recovery. */
  #attempts = [];
  /** How many there were. */
  #count = 0;
  #delay = 0;
  /** There was a connection, and the loss of it is no attempt. */
  #isDown = false;

  /**
   * @param {import('../policy/events').Hub} hub
   * @param {string} url known later where it is provided
   */
  constructor(hub, url) {
    this.#hub = hub;
    this.url = url;
  }

  onDown(fault) {
    this.#isDown = true;
    this.#remember(fault);
  }

  /** Another attempt follows. */
  onWaiting({ attempt, delay, fault }) {
    this.#failed(fault);
    this.#delay = delay;
    this.#tell('retry', () => ({ attempt, delay, fault, why: 'reconnect' }));
  }

  onUp(again) {
    this.#remember(null);
    this.#tellAttempt(null);
    if (again !== null || this.#attempts.length > 1) this.#tell('recovered', () => ({ recovery: this.#recovery() }));
    this.#attempts = [];
    this.#count = 0;
    this.#delay = 0;
  }

  onOver({ fault, gaveUp }) {
    if (fault === undefined || !gaveUp || gaveUp === 'aborted') return;
    this.#failed(fault);
    this.#tell('gave-up', () => ({ fault, gaveUp, recovery: this.#recovery(gaveUp) }));
  }

  /** Unless it is the loss that was told before. */
  #failed(fault) {
    if (this.#isDown) {
      this.#isDown = false;
      return;
    }
    this.#remember(fault);
    this.#tellAttempt(fault);
  }

  #remember(fault) {
    this.#count += 1;
    this.#attempts.push({ fault, delay: this.#delay });
    if (this.#attempts.length > REMEMBERED) this.#attempts.shift();
  }

  #tellAttempt(fault) {
    this.#tell('attempt', () => ({ attempt: this.#count, fault }));
  }

  #recovery(gaveUp) {
    const recovery = { attempts: [...this.#attempts], resumed: 0, bytesRefetched: 0 };
    return gaveUp === undefined ? recovery : { ...recovery, gaveUp };
  }

  #tell(name, message) {
    if (!isObserved(this.#hub, name)) return;
    const url = withoutCredentials(this.url);
    tell(this.#hub, name, { surface: 'WebSocket', origin: url === '' ? '' : new URL(url).origin, url, ...message() });
  }
}

module.exports = { Observer };
