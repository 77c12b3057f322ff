'use strict';

const { row } = require('../lib/calls');
const { draw } = require('../lib/random');

/** What a call meets, in ms. `delay`: before the answer's head. `pace`: over its body, in eight pieces. */
const KINDS = [
  { below: 0.6, ask: {} },
  { below: 0.75, ask: { delay: 3000 } },
  { below: 0.9, ask: { delay: 12_000 } },
  { below: 1, ask: { pace: 8000 } },
];

/**
 * Answers that are slow and right: 15 % begin after 3 s, 15 % after 12 s, and 10 % take 8 s for their body; the rest
 * come at once. 1 call in 4 is a POST, whose effect has happened long before its answer. The right thing is to wait. A
 * client with a short timeout (ky: 10 s) fails calls that would have been answered, and if it repeated them the server
 * would do them again; one that asked a second time early on (hedging) could have a better p99, had the second server
 * been faster, and nobody here does by default.
 */
module.exports = {
  title: 'slow answers: after 3 s, after 12 s, and bodies that take 8 s',
  heading: ['slow', 'answers'],
  calls({ seed, quick }) {
    return row({ count: quick ? 20 : 80, every: 20, method: 'GET' }).map((call, index) => {
      const kind = draw(seed, 'slow', call.id);
      return {
        ...call,
        method: index % 4 === 0 ? 'POST' : 'GET',
        ask: KINDS.find(({ below }) => kind < below).ask,
      };
    });
  },
  mostlyWaiting: true,
};
