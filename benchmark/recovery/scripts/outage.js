'use strict';

const { setTimeout: sleep } = require('node:timers/promises');

const { row } = require('../lib/calls');

/** In ms: how long all is well before and after. */
const MARGIN = 1000;
const duration = (quick) => (quick ? 1000 : 5000);

/** The server dies, its port refuses connections for 5 s, then it is back. Calls go on meanwhile; 1 in 4 is a POST. */
module.exports = {
  title: 'an outage of 5 s: every connection reset, then refused',
  heading: ['5 s', 'outage'],
  calls({ quick }) {
    const every = 50;
    const count = (MARGIN + duration(quick) + MARGIN) / every;
    return row({ count, every, method: 'GET' })
      .map((call, index) => (index % 4 === 0 ? { ...call, method: 'POST' } : call));
  },
  async meanwhile({ proxy, quick }) {
    await sleep(MARGIN);
    const refusal = proxy.add({ type: 'refuse', on: 'accept' });
    proxy.resetAll();
    await sleep(duration(quick));
    refusal.remove();
  },
  mostlyWaiting: true,
};
