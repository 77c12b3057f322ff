'use strict';

/**
 * What a client meets: a server that closes idle connections, and bursts of POSTs with a pause before each that is
 * stepped across the moment of closing.
 *
 * The moment is counted from the answer, as the server counts it. A request that leaves in the last round trip before
 * it crosses the FIN and is lost; one that leaves earlier arrives in time, one that leaves later finds the connection
 * closed. So the steps begin well before that window and end well after it.
 */

/** One way, in ms. On a bare loopback the window is microseconds wide, and hardly a client ever meets it. */
const LATENCY = 20;

/** POSTs at a time. Each needs a connection of its own, so that each connection idles until the next burst. */
const BURST = 40;

/** The pauses, in ms from the moment of closing: from the first to the last. */
const FROM = -120;
const TO = 60;

/**
 * @typedef {object} Server
 * @property {string} title for the report
 * @property {number} idle ms from its answer until it closes the connection
 * @property {boolean} hint whether it says so, with `Keep-Alive: timeout=N`
 */

/** @type {Record<string, Server>} */
const SERVERS = {
  hint: { title: 'a server that closes after 1 s, and says so (Keep-Alive: timeout=1)', idle: 1000, hint: true },
  silent: { title: 'a server that closes after 2 s without a word (as gunicorn with threads)', idle: 2000, hint: false },
};

/**
 * How often the moment is crossed. Lanes run side by side, because a run is mostly waiting: each has a server's port, a
 * network and a share of the pauses to itself.
 *
 * @typedef {{ step: number, passes: number, lanes: number }} Extent `step` in ms
 */
const RECORD = { step: 5, passes: 3, lanes: 12 };
/** One burst a lane: does everything run? */
const QUICK = { step: 20, passes: 1, lanes: 10 };

/**
 * @param {Server} server
 * @param {Extent} extent
 * @returns {number[][]} the pauses of each lane, in ms; within a pass they grow
 */
function lanesOf({ idle }, { step, passes, lanes }) {
  const pass = [];
  for (let offset = FROM; offset <= TO; offset += step) pass.push(idle + offset);
  const all = Array.from({ length: passes }, () => pass).flat();
  return Array.from({ length: lanes }, (_, lane) => all.filter((pause, index) => index % lanes === lane));
}

module.exports = { LATENCY, BURST, SERVERS, RECORD, QUICK, lanesOf };
