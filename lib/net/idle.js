'use strict';

/** The silence after which 'timeout' is told: no byte in either direction for so long. */

class Idle {
  #timer;
  #tell;
  #traffic;
  #written = 0;

  /**
   * @param {() => void} tell
   * @param {() => { waiting: boolean, written: number }} traffic whether something waits to leave, and how much has left
   */
  constructor(tell, traffic) {
    this.#tell = tell;
    this.#traffic = traffic;
  }

  /** Begins anew, with another time in ms; 0: never. */
  set(milliseconds) {
    this.stop();
    if (milliseconds > 0) this.#timer = setTimeout(() => this.#look(), milliseconds).unref();
  }

  active() {
    this.#timer?.refresh();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** What leaves natively, of one large write, is heard of only when all of it has left: it is asked for, as `net` does it. */
  #look() {
    const { waiting, written } = this.#traffic();
    if (waiting && written !== this.#written) {
      this.#written = written;
      this.active();
      return;
    }
    this.#tell();
  }
}

module.exports = { Idle };
