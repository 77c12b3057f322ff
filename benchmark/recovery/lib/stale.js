'use strict';

/**
 * The keep-alive race: the server closes a connection that has been idle for long enough, and before its FIN has
 * crossed the network the client sends the next request. The network here is slow towards the client, so the race is
 * certain and not a matter of luck: the origin has closed 150 ms before the request leaves, and the FIN arrives
 * 150 ms after that. The server never sees the request.
 *
 * The origin closes after 2 s (gunicorn's default) and announces nothing. Clients forget idle connections by
 * themselves after 4 or 5 s.
 */

const { row } = require('./calls');

const IDLE_CLOSE = 2000;
const LATENCY = 300;
/** The origin holds its first answers back, so that every call of the prelude has opened a connection of its own. */
const HOLD = 200;

/**
 * As many calls at once as connections were left idle by the prelude.
 * @param {'GET' | 'POST'} method
 * @param {number} count
 */
function staleCalls(method, count) {
  const prelude = row({ count, every: 0, method: 'GET', name: 'prelude' })
    .map((call) => ({ ...call, prelude: true, ask: { delay: HOLD } }));
  return [...prelude, ...row({ count, every: 0, method, from: HOLD + IDLE_CLOSE + LATENCY / 2 })];
}

/** @param {object} proxy */
function slowTowardsClient(proxy) {
  proxy.add({ type: 'latency', on: 'response', ms: LATENCY });
}

module.exports = { IDLE_CLOSE, staleCalls, slowTowardsClient };
