'use strict';

/**
 * The keep-alive race: the server closes a connection that has been idle for long enough, and before its FIN has
 * crossed the network the client sends the next request. The network here is slow towards the client, so the race is
 * certain and not a matter of luck: the origin has closed 300 ms before the requests leave, and the FINs arrive 300 ms
 * after that. The server never sees them.
 *
 * The connections have been idle for about 2 s (after which gunicorn closes by default), and the server announces
 * nothing. Clients forget idle connections by themselves after 4 or 5 s.
 */

const { setTimeout: sleep } = require('node:timers/promises');

const { row } = require('./calls');

const LATENCY = 600;
/** The origin holds its first answers back, so that every call of the prelude has opened a connection of its own. */
const HOLD = 200;
/** When the origin closes, in ms after the beginning. */
const CLOSE = HOLD + LATENCY + 2000;

/**
 * @param {'GET' | 'POST'} method
 * @returns {Partial<import('./scripts').Script>} as many calls at once as connections were left idle by the prelude
 */
function staleScript(method) {
  return {
    calls({ quick }) {
      const count = quick ? 10 : 25;
      const prelude = row({ count, every: 0, method: 'GET', name: 'prelude' })
        .map((call) => ({ ...call, prelude: true, ask: { delay: HOLD } }));
      return [...prelude, ...row({ count, every: 0, method, from: CLOSE + LATENCY / 2 })];
    },
    arrange(proxy) {
      proxy.add({ type: 'latency', on: 'response', ms: LATENCY });
    },
    async meanwhile({ origin }) {
      await sleep(CLOSE);
      origin.send('close-idle');
    },
    mostlyWaiting: true,
  };
}

module.exports = { staleScript, CLOSE };
