'use strict';

const { Latencies } = require('../../lib/latencies');

/**
 * @typedef {object} Score
 * @property {number} posts
 * @property {number} failed the caller got an error, or the answer to another POST
 * @property {Record<string, number>} codes of those errors, and how often
 * @property {number} failedAfterArrival of these, POSTs that the server has seen: the caller cannot know
 * @property {number} duplicates POSTs that arrived more than once
 * @property {number} connections opened by the client
 * @property {[offset: number, failed: number, posts: number][]} byPause by the pause before them, in ms from the moment
 *   when the server closes; without a lane's first burst
 * @property {number} p50 ms, of the POSTs that succeeded, like the next
 * @property {number} p99
 */

/**
 * @param {import('../client').Outcome[]} outcomes
 * @param {Map<string, number>} arrivals at the server, by id
 * @param {{ connections: number, idle: number }} seen by the network; `idle`: ms after which the server closes
 * @returns {Score}
 */
function score(outcomes, arrivals, { connections, idle }) {
  const failures = outcomes.filter(({ failure }) => failure !== null);
  const latencies = new Latencies();
  for (const { failure, ms } of outcomes) {
    if (failure === null) latencies.add(ms);
  }
  return {
    posts: outcomes.length,
    failed: failures.length,
    codes: tally(failures.map(({ failure }) => failure)),
    failedAfterArrival: failures.filter(({ id }) => arrivals.has(id)).length,
    duplicates: outcomes.filter(({ id }) => arrivals.get(id) > 1).length,
    connections,
    byPause: byPause(outcomes, idle),
    p50: latencies.quantile(0.5),
    p99: latencies.quantile(0.99),
  };
}

function byPause(outcomes, idle) {
  const rows = new Map();
  for (const { pause, failure } of outcomes) {
    if (pause === null) continue;
    const row = rows.get(pause) ?? { failed: 0, posts: 0 };
    rows.set(pause, { failed: row.failed + (failure === null ? 0 : 1), posts: row.posts + 1 });
  }
  const sorted = [...rows].sort(([a], [b]) => a - b);
  return sorted.map(([pause, { failed, posts }]) => [pause - idle, failed, posts]);
}

function tally(names) {
  const counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/**
 * @param {Score} figures
 * @returns {[first: number, last: number] | undefined} the pauses at which POSTs were lost, in ms from the moment of
 *   closing; undefined when none was
 */
function lossWindow({ byPause: rows }) {
  const lossy = rows.filter(([, failed]) => failed > 0);
  return lossy.length === 0 ? undefined : [lossy[0][0], lossy.at(-1)[0]];
}

module.exports = { score, lossWindow };
