'use strict';

/** Redirects: which are followed, where to, and what of the request goes along. */

const { whole } = require('../run');
const { inTurn, reply } = require('../../../../../testing');

/** `/start...` answers with the redirect, everything else with `arrived` and what the request brought. */
const redirecting = (status, location) => (request, response) => {
  if (!request.path.startsWith('/start')) return reply(200, { 'x-method': request.method }, 'arrived')(request, response);
  const other = new URL(request.path, 'http://h').searchParams.get('other');
  const to = typeof location === 'function' ? location(other) : location;
  return reply(status, to === undefined ? {} : { location: to }, 'redirect')(request, response);
};

/** From `/start/page?other=...#part`. */
const follow = (name, status, location, init = () => ({}), more = {}) => ({
  name,
  answer: redirecting(status, location),
  run: async (fetch, at) => whole(await fetch(`${at.url}/start/page?other=${at.other}#part`, init())),
  ...more,
});

const elsewhere = (other) => `${other}/next`;

const SENT = {
  authorization: 'Bearer secret', cookie: 'a=1', 'proxy-authorization': 'Basic secret', 'x-own': '1', accept: 'text/x',
  'content-type': 'text/own', 'content-language': 'de', 'content-location': '/c', 'content-encoding': 'x',
};
const BODY = { POST: 'posted', PUT: 'put', PATCH: 'patched' };

const streamOf = (text) => new ReadableStream({
  start(controller) {
    controller.enqueue(Buffer.from(text));
    controller.close();
  },
});

/** Redirects `count` times before it answers. */
const staircase = (count) => (request, response) => {
  const step = Number(request.path.slice(1));
  return step === count ? reply()(request, response) : reply(302, { location: `/${step + 1}` })(request, response);
};

/** The init and the rest of a row. The built-in fetch of Node 20 and 22 would wait for ever: it is told to stop. */
const OPAQUE = [() => ({ mode: 'no-cors', signal: AbortSignal.timeout(2000) }), {
  differs: {
    as: 'What another origin answers is shown under mode "no-cors"',
    ours: { returned: { status: 200, type: 'cors', redirected: true, url: 'http://other/next', text: 'arrived' } },
  },
}];

const UNDICI = Number(process.versions.undici.split('.')[0]);

module.exports = [
  ...[301, 302, 303, 307, 308].flatMap((status) => ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].flatMap((method) => [
    follow(`${status} ${method}`, status, '/next', () => ({ method, body: BODY[method], headers: SENT })),
    follow(`${status} ${method} to another origin`, status, elsewhere, () => ({ method, body: BODY[method], headers: SENT })),
  ])),
  ...[300, 304, 305, 306, 309, 399].map((status) => follow(`${status} is an answer`, status, '/next')),
  ...[301, 302, 303, 307, 308].map((status) => follow(`${status} without a Location is an answer`, status, undefined)),
  ...Object.entries({
    'an absolute path': '/next',
    'a relative path': 'next?x=1',
    'a path upwards': '../../next',
    'a query': '?next',
    'a fragment of its own': '/next#own',
    'an empty fragment': '/next#',
    'a space inside': '/ne xt',
    'another scheme': 'ftp://example.invalid/',
    'data:': 'data:text/plain,hi',
    'blob:': 'blob:nodedata:00000000-0000-0000-0000-000000000000',
    'about:blank': 'about:blank',
    'javascript:': 'javascript:alert(1)',
    'no URL': 'http://',
    'a port that is none': 'http://127.0.0.1:99999/',
    'a blocked port': 'http://127.0.0.1:22/',
    'a host that is none': 'http://exa mple/',
    'latin1 bytes': '/caf\u00e9',
    'UTF-8 bytes': Buffer.from('/café/€').toString('latin1'),
  }).map(([name, location]) => follow(`to ${name}`, 302, location)),
  follow('to a URL without a scheme', 302, (other) => `${other.replace('http:', '')}/next`),
  follow('to credentials on the same host and another port', 302, (other) => other.replace('//', '//user:pass@')),
  follow('a Location with spaces around', 302, ' /next ', undefined, {
    differs: { as: 'White space around a header value does not belong to it', ours: { returned: { status: 200, url: 'http://origin/next' } } },
  }),
  ...Object.entries({
    'a string': () => 'again',
    'a long string': () => 'ü'.repeat(200_000),
    'URLSearchParams': () => new URLSearchParams('a=b'),
    'a Blob': () => new Blob(['ab'], { type: 'x/y' }),
    'a FormData': () => {
      const form = new FormData();
      form.append('a', '1');
      return form;
    },
  }).map(([name, body]) => follow(`307 with ${name}`, 307, '/next', () => ({ method: 'POST', body: body() }))),
  follow('307 with bytes', 307, '/next', () => ({ method: 'POST', body: Uint8Array.of(97, 98) }), {
    differs: {
      as: 'Bytes go along with a redirect',
      here: UNDICI < 7,
      ours: { returned: { text: 'arrived' }, seen: [{ body: 'ab' }, { body: 'ab' }] },
    },
  }),
  ...[303, 307, 308].map((status) => (
    follow(`${status} with a stream`, status, '/next', () => ({ method: 'POST', body: streamOf('s'), duplex: 'half' })))),
  follow('307 with the body of a Request', 307, '/next', () => ({ method: 'POST', body: 'again' }), {
    run: async (fetch, at) => whole(await fetch(new Request(`${at.url}/start?other=${at.other}`, { method: 'POST', body: 'again' }))),
  }),
  follow('redirect: "manual"', 302, '/next', () => ({ redirect: 'manual' })),
  follow('redirect: "error"', 302, '/next', () => ({ redirect: 'error' })),
  follow('redirect: "error" without a redirect', 200, undefined, () => ({ redirect: 'error' })),
  follow('redirect: "sometimes"', 302, '/next', () => ({ redirect: 'sometimes' })),
  follow('redirect: null', 302, '/next', () => ({ redirect: null })),
  follow('the redirect mode of a Request', 302, '/next', undefined, {
    run: async (fetch, at) => whole(await fetch(new Request(`${at.url}/start?other=${at.other}`, { redirect: 'manual' }))),
  }),
  follow('the redirect mode of init over that of a Request', 302, '/next', undefined, {
    run: async (fetch, at) => (
      whole(await fetch(new Request(`${at.url}/start?other=${at.other}`, { redirect: 'manual' }), { redirect: 'follow' }))),
  }),
  follow('Set-Cookie of a hop is not kept', 302, '/next', undefined, {
    answer: (request, response) => (request.path.startsWith('/start')
      ? reply(302, { location: '/next', 'set-cookie': 'a=1' })(request, response) : reply()(request, response)),
  }),
  {
    name: 'an empty Location is the same page',
    answer: inTurn(reply(302, { location: '' }), reply(200, {}, 'now')),
    run: async (fetch, at) => whole(await fetch(at.url)),
  },
  ...['no-cors', 'same-origin'].flatMap((mode) => ['follow', 'manual', 'error'].flatMap((redirect) => [
    follow(`mode: "${mode}", redirect: "${redirect}"`, 302, '/next', () => ({ mode, redirect })),
    follow(`mode: "${mode}", redirect: "${redirect}", to another origin`, 302, elsewhere, ...(
      mode === 'no-cors' && redirect === 'follow' ? OPAQUE : [() => ({ mode, redirect })])),
  ])),
  follow('mode: "same-origin" of a Request, to another origin', 302, elsewhere, undefined, {
    run: async (fetch, at) => whole(await fetch(new Request(`${at.url}/start?other=${at.other}`, { mode: 'same-origin' }))),
  }),
  { name: '20 redirects', answer: staircase(20), run: async (fetch, at) => whole(await fetch(`${at.url}/0`)) },
  { name: '21 redirects', answer: staircase(21), run: async (fetch, at) => whole(await fetch(`${at.url}/0`)) },
  {
    name: 'there and back: credentials stay away',
    answer: (request, response) => {
      const { searchParams } = new URL(request.path, 'http://h');
      const to = searchParams.getAll('to');
      if (to.length === 0) return reply()(request, response);
      const next = new URL(to[0]);
      for (const url of to.slice(1)) next.searchParams.append('to', url);
      return reply(307, { location: next.href })(request, response);
    },
    run: async (fetch, at) => whole(await fetch(`${at.url}/?to=${at.other}/&to=${at.url}/back`, { headers: SENT })),
    differs: { as: 'type is about the last origin', ours: { returned: { type: 'basic', url: 'http://origin/back' } } },
  },
];
