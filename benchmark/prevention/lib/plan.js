'use strict';

/**
 * What a client meets: a server that closes idle connections, and bursts of POSTs with a pause before each that is
 * stepped from one length to another.
 *
 * It is mostly stepped across the moment of closing, counted from the answer, as the server counts it. A request that
 * leaves in the last round trip before that moment crosses the FIN and is lost; one that leaves earlier arrives in time,
 * one that leaves later finds the connection closed. So the steps begin well before that window and end well after it.
 */

/** One way, in ms. On a bare loopback the window is microseconds wide, and hardly a client ever meets it. */
const LATENCY = 20;

/** POSTs at a time. Each needs a connection of its own, so that each connection idles until the next burst. */
const BURST = 40;

/**
 * @typedef {object} Server
 * @property {string} title for the report
 * @property {number} idle ms from its answer until it closes the connection
 * @property {boolean} hint whether it says so, with `Keep-Alive: timeout=N`
 * @property {[first: number, last: number]} pauses in ms
 */

/** @type {Record<string, Server>} */
const SERVERS = {
  hint: {
    title: 'a server that closes after 1 s, and says so (Keep-Alive: timeout=1)',
    idle: 1000,
    hint: true,
    pauses: [880, 1060],
  },
  silent: {
    title: 'a server that closes after 2 s without a word (as gunicorn with threads)',
    idle: 2000,
    hint: false,
    pauses: [1880, 2060],
  },
  // Nothing is to be lost here: who opens new connections all the same does so for nothing.
  brisk: {
    title: 'the same server, which is called again soon',
    idle: 2000,
    hint: false,
    pauses: [100, 800],
  },
};

/**
 * How finely and how often. Lanes run side by side, because a run is mostly waiting: each has a server's port, a network
 * and a share of the pauses to itself.
 *
 * @typedef {{ steps: number, passes: number, lanes: number }} Extent
 */
/** Across a moment of closing every 5 ms. */
const RECORD = { steps: 37, passes: 3, lanes: 12 };
/** One burst a lane: does everything run? */
const QUICK = { steps: 5, passes: 1, lanes: 5 };

/**
 * @param {Server} server
 * @param {Extent} extent
 * @returns {number[][]} the pauses of each lane, in ms; within a pass they grow
 */
function lanesOf({ pauses: [first, last] }, { steps, passes, lanes }) {
  const pass = Array.from({ length: steps }, (_, step) => Math.round(first + ((last - first) * step) / (steps - 1)));
  const all = Array.from({ length: passes }, () => pass).flat();
  return Array.from({ length: lanes }, (_, lane) => all.filter((pause, index) => index % lanes === lane));
}

module.exports = { LATENCY, BURST, SERVERS, RECORD, QUICK, lanesOf };
