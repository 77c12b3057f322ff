'use strict';

/**
 * From what the client, the network and the origin saw of one measurement to its figures.
 *
 * @typedef {object} Score
 * @property {number} calls
 * @property {number} succeeded the caller got the right body
 * @property {number} wrong the caller got a body and it was not the right one
 * @property {number} failed the caller got an error, a status that is not 2xx, or nothing; `hung` included
 * @property {number} hung not settled within the bound
 * @property {number} duplicates effects of POSTs at the server beyond the first of each call
 * @property {number} requests sent for these calls
 * @property {number} bytesFetched that the network passed to the client, heads included
 * @property {number} bytesNeeded the bodies of the calls that succeeded
 * @property {number | null} p50 ms, of the calls that succeeded, like the next two; null when none did
 * @property {number | null} p99
 * @property {number | null} max
 * @property {Record<string, number>} details how often each error code and each kind of wrong body was seen
 */

/**
 * @param {import('./calls').Call[]} calls of the script
 * @param {import('../client').Outcome[]} outcomes one for each call
 * @param {Map<string, { requests: number, effects: number }>} counted by the origin, by call
 * @param {{ requests: Map<string, number>, bytes: number }} network what passed it: requests by call, and bytes to the
 *   client
 * @returns {Score}
 */
function score(calls, outcomes, counted, network) {
  const byId = new Map(outcomes.map((outcome) => [outcome.id, outcome]));
  const judged = calls.filter(({ prelude }) => !prelude);
  const results = judged.map(({ id }) => byId.get(id));
  const having = (...wanted) => results.filter(({ result }) => wanted.includes(result));
  const times = having('right').map(({ ms }) => ms).sort((a, b) => a - b);
  const delivered = calls.filter(({ id }) => byId.get(id).result === 'right');
  return {
    calls: judged.length,
    succeeded: times.length,
    wrong: having('wrong').length,
    failed: having('failed', 'hung').length,
    hung: having('hung').length,
    duplicates: sum(judged.map(({ id }) => Math.max(0, (counted.get(id)?.effects ?? 0) - 1))),
    requests: sum(judged.map(({ id }) => network.requests.get(id) ?? 0)),
    bytesFetched: network.bytes,
    bytesNeeded: sum(delivered.map(({ length }) => length)),
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    max: quantile(times, 1),
    details: tally(results.map(({ detail }) => detail).filter(Boolean)),
  };
}

/**
 * @param {number[]} sorted ascending
 * @param {number} part 0.5 for the median
 * @returns {number | null} the smallest value that so large a part does not exceed; null of nothing
 */
function quantile(sorted, part) {
  return sorted.length === 0 ? null : sorted[Math.ceil(sorted.length * part) - 1];
}

/** @param {Score} figures in whole percent, rounded down: 100 is only where every call succeeded */
const success = ({ succeeded, calls }) => Math.floor((succeeded / calls) * 100);

/** @param {Score} figures requests per call: 1 when nothing is repeated */
const amplification = ({ requests, calls }) => requests / calls;

/** @param {Score} figures bytes fetched for each byte that a caller could use; null when none could */
const overhead = ({ bytesFetched, bytesNeeded }) => (bytesNeeded === 0 ? null : bytesFetched / bytesNeeded);

const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);

function tally(names) {
  const counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

module.exports = { score, quantile, success, amplification, overhead };
