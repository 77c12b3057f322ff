'use strict';

/**
 * A Blob's bytes have to be read before they can be sent, which takes time; whatever is sent behind it must not overtake it.
 * So it waits here, with its own bytes, since the caller may change the memory that it gave.
 */

class Line {
  /** What stands behind a Blob that is being read; `undefined`: nothing is, and nothing has to wait. @type {Step[] | undefined} */
  #steps;
  /** Of messages in the line. */
  bytes = 0;

  /** Whether what comes now has to wait. */
  get isBusy() {
    return this.#steps !== undefined;
  }

  /**
   * @typedef {object} Step
   * @property {number} [bytes] of its message
   * @property {() => Promise<T>} [read] what has to be done first; it settles well
   * @property {(read?: T) => void} run does it
   * @property {() => void} [drop] it will not be done
   * @template T
   *
   * @param {Step} step
   */
  add(step) {
    this.bytes += step.bytes ?? 0;
    if (this.#steps !== undefined) {
      this.#steps.push(step);
      return;
    }
    this.#steps = [step];
    this.#goOn();
  }

  /** Nothing of it will be done. */
  clear() {
    const steps = this.#steps ?? [];
    this.#steps = undefined;
    this.bytes = 0;
    for (const step of steps) step.drop?.();
  }

  #goOn() {
    const steps = this.#steps;
    while (steps.length > 0) {
      const [step] = steps;
      if (step.read !== undefined) {
        step.read().then((read) => {
          // Dropped meanwhile.
          if (this.#steps !== steps) return;
          this.#run(step, read);
          this.#goOn();
        });
        return;
      }
      this.#run(step);
      if (this.#steps !== steps) return;
    }
    this.#steps = undefined;
  }

  #run(step, read) {
    this.#steps.shift();
    // First: whoever takes the message counts its bytes from now on.
    this.bytes -= step.bytes ?? 0;
    step.run(read);
  }
}

module.exports = { Line };
