'use strict';

/** Members of init that mean something in a browser: accepted, ignored or refused as the built-in fetch does. */

const { whole } = require('../run');

const with_ = (name, init) => ({
  name,
  run: async (fetch, at) => whole(await fetch(at.url, init)),
  differs: SHOWS_REFERRER.has(name) ? NOT_SENT : undefined,
});

const NOT_SENT = { as: 'referrer is not sent', ours: { returned: { status: 200 } } };
const SHOWS_REFERRER = new Set(['referrer: "http://h.test/"']);

const shown = (value) => (typeof value === 'symbol' ? String(value) : JSON.stringify(value) ?? String(value));

const VALUES = {
  mode: ['cors', 'no-cors', 'same-origin', 'navigate', 'websocket', 'other', null, undefined],
  credentials: ['omit', 'same-origin', 'include', 'other', null, undefined],
  cache: ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached', 'other', null, undefined],
  referrer: ['', 'about:client', 'http://h.test/', 'no URL', '/path', null, undefined, 7],
  referrerPolicy: [
    '', 'no-referrer', 'no-referrer-when-downgrade', 'same-origin', 'origin', 'strict-origin', 'origin-when-cross-origin',
    'strict-origin-when-cross-origin', 'unsafe-url', 'other', null, undefined,
  ],
  keepalive: [true, false, 'yes', null, undefined],
  priority: ['high', 'low', 'auto', 'other', null, undefined],
  window: [null, undefined, 'other', {}],
  integrity: [null, undefined, 7],
  duplex: ['half', 'full', null, undefined],
  attributionReporting: [{}],
  browsingTopics: [true],
  unknown: ['x'],
  dispatcher: [undefined],
  agent: [{}],
  timeout: [undefined],
};

module.exports = [
  ...Object.entries(VALUES).flatMap(([option, values]) => values.map((value) => with_(`${option}: ${shown(value)}`, { [option]: value }))),
  with_('cache: "only-if-cached" with mode: "same-origin"', { cache: 'only-if-cached', mode: 'same-origin' }),
  with_('mode: "no-cors" with PUT', { mode: 'no-cors', method: 'PUT' }),
  with_('mode: "no-cors" with a header of one\'s own', { mode: 'no-cors', headers: { 'x-a': '1', accept: 'a/b' } }),
  with_('cache: "no-store" with a header of one\'s own', { cache: 'no-store', headers: { 'cache-control': 'max-age=7', pragma: 'x' } }),
  with_('cache: "no-cache" with a header of one\'s own', { cache: 'no-cache', headers: { 'cache-control': 'max-age=7' } }),
  with_('cache: "default" with If-None-Match', { cache: 'default', headers: { 'if-none-match': '"x"' } }),
  with_('several', { mode: 'cors', credentials: 'include', cache: 'no-cache', referrerPolicy: 'origin', keepalive: true, priority: 'low', window: null }),
  ...['mode', 'credentials', 'cache', 'referrerPolicy', 'keepalive'].map((option) => ({
    name: `${option} of a Request`,
    async run(fetch, at) {
      const value = { mode: 'no-cors', credentials: 'omit', cache: 'no-store', referrerPolicy: 'unsafe-url', keepalive: true }[option];
      return whole(await fetch(new Request(at.url, { [option]: value })));
    },
  })),
  {
    name: 'referrer of the same origin',
    run: async (fetch, at) => whole(await fetch(`${at.url}/to`, { referrer: `${at.url}/from?a#b`, referrerPolicy: 'unsafe-url' })),
    differs: NOT_SENT,
  },
];
