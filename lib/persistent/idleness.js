'use strict';

/**
 * After how much silence a connection is tested before it is used.
 *
 * Something between here and the server forgets connections that are idle: a firewall, a load balancer, the server itself.
 * After how long, nobody says, and what dies in silence is noticed by the first statement afterwards. So a connection that
 * has been idle is pinged first, and what happens to idle connections teaches when: one that is found dead after n ms halves
 * n; one that answers after n ms moves half way towards n. It never trusts a longer silence than one that was survived, nor
 * than the option says.
 */

/** Milliseconds. A restart kills connections too, whatever their silence: it must not teach to ping before each call. */
const SHORTEST = 1_000;

class Idleness {
  #most;
  #least;

  /** @param {number} most ms: what it begins with, and never exceeds; `Infinity`: any silence, until one has killed */
  constructor(most) {
    this.#most = most;
    this.#least = Math.min(SHORTEST, most);
    /** Ms. */
    this.after = most;
  }

  /** @param {number} idle ms */
  isDue(idle) {
    return idle >= this.after;
  }

  died(idle) {
    if (idle >= this.#least) this.after = Math.min(this.after, Math.max(this.#least, idle / 2));
  }

  survived(idle) {
    if (idle > this.after) this.after = Math.min(this.#most, (this.after + idle) / 2);
  }
}

module.exports = { Idleness };
