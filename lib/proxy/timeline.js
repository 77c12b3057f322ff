'use strict';

/** What a proxy saw and did, as an array that prints itself: one readable line for each entry. */

class Timeline extends Array {
  #dropped = 0;

  /**
   * @param {{ dropped: number, entries: import('../..').TimelineEntry[] }} told by native code
   * @returns {Timeline}
   */
  static fromNative({ dropped, entries }) {
    const timeline = new Timeline();
    // Not `push(...entries)`: a long timeline would be more arguments than a call can take.
    for (const entry of entries) timeline.push(Object.freeze(entry));
    timeline.#dropped = dropped;
    return timeline;
  }

  /** How many older entries had to make room. */
  get dropped() {
    return this.#dropped;
  }

  toString() {
    const lines = this.map(line);
    if (this.#dropped > 0) lines.unshift(`(${this.#dropped} older entries were dropped)`);
    return Array.from(lines).join('\n');
  }
}

function line(entry) {
  const at = `${entry.at.toFixed(3)} ms`.padStart(14);
  const who = entry.connection === 0 ? 'proxy' : `#${entry.connection}`;
  return `${at}  ${who.padEnd(5)}  ${TELL[entry.event]?.(entry) ?? entry.event}`;
}

/** What each event says of itself. */
const TELL = {
  pause: () => 'paused',
  resume: () => 'resumed',
  refuse: () => 'refusing connections',
  listen: () => 'listening again',
  accept: ({ client }) => `accepted ${client}`,
  connect: () => 'reached the upstream',
  'upstream-failed': ({ code }) => `upstream failed: ${code}`,
  bytes: ({ direction, bytes }) => `${direction}: ${bytes} bytes`,
  exchange: ({ exchange, method, path }) => `request ${exchange}: ${method} ${path}`,
  answer: ({ exchange, status }) => `answer ${exchange}: ${status}`,
  frames: tellFrames,
  strike: tellStrike,
  fin: ({ direction }) => `${direction}: FIN passed on`,
  end: ({ by, code }) => `ended by ${by}${code === undefined ? '' : ` (${code})`}`,
};

/** `request: frames 3 to 5, text`; those that do not end their message have dots behind them. */
function tellFrames({ direction, kind, fin, frame, frames }) {
  const which = frames === 1 ? `frame ${frame}` : `frames ${frame} to ${frame + frames - 1}`;
  return `${direction}: ${which}, ${kind}${fin ? '' : ' ...'}`;
}

function tellStrike({ fault, type, on, exchange, frame, direction, bytes }) {
  const request = exchange === undefined ? '' : `, request ${exchange}`;
  const within = frame === undefined ? request : `, frame ${frame}`;
  const after = bytes === undefined ? '' : `, after ${bytes} bytes${direction === undefined ? '' : ` of the ${direction}`}`;
  return `STRUCK by fault ${fault}: ${type} on ${on}${within}${after}`;
}

module.exports = { Timeline };
