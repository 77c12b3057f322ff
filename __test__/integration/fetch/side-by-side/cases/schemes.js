'use strict';

/** URLs that are not http: or https:, and ports that the Fetch standard blocks. */

const { whole } = require('../run');
const { reply } = require('../../../../../testing');

const fetched = (name, url, init, more) => ({ name, run: async (fetch) => whole(await fetch(url, init)), ...more });

/** Name and message, of the error and of its cause. */
const failure = async (call) => {
  const error = await call.then(() => ({}), (thrown) => thrown);
  return { name: error.name, message: error.message, cause: error.cause?.message };
};

/** Fetch standard, "bad port". */
const BLOCKED = [
  1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111,
  113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548,
  554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566,
  6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

const UNDICI = Number(process.versions.undici.split('.')[0]);

const digest = (algorithm, text) => `${algorithm}-${require('node:crypto').createHash(algorithm).update(text).digest('base64')}`;
const integrity = (name, value, body = 'ok') => ({
  name: `integrity: ${name}`,
  answer: (request, response) => response.end(body),
  run: async (fetch, at) => (await fetch(at.url, { integrity: value })).text(),
});

module.exports = [
  fetched('data: text', 'data:text/plain;charset=utf-8,gr%C3%BC%C3%9Fe'),
  fetched('data: base64', 'data:application/octet-stream;base64,AP+A'),
  fetched('data: without a type', 'data:,x'),
  fetched('data: in capitals, with spaces', '  DATA:text/plain,x'),
  fetched('data: with a fragment', 'data:text/plain,x#y'),
  fetched('data: that is broken', 'data:text/plain'),
  fetched('data: with HEAD', 'data:,x', { method: 'HEAD' }),
  fetched('data: with POST', 'data:,x', { method: 'POST', body: 'y' }),
  fetched('data: aborted', 'data:,x', { signal: AbortSignal.abort() }),
  fetched('data: as a URL', new URL('data:,x')),
  fetched('data: with an integrity that does not match', 'data:,x', { integrity: digest('sha256', 'y') }),
  { name: 'data: as a Request', run: async (fetch) => whole(await fetch(new Request('data:,x'))) },
  ...['GET', 'POST'].map((method) => ({
    name: `blob: with ${method}`,
    async run(fetch) {
      const url = URL.createObjectURL(new Blob(['in a blob'], { type: 'text/x' }));
      const { url: own, ...rest } = await fetch(url, { method }).then(whole);
      return [own === url, rest];
    },
  })),
  ...['bytes=2-4', 'bytes=7-', 'bytes=-3', 'bytes=20-', 'lines=1-2'].map((range) => ({
    name: `blob: with range ${range}`,
    async run(fetch) {
      const url = URL.createObjectURL(new Blob(['0123456789']));
      const { status, text } = await fetch(url, { headers: { range } }).then(whole);
      return [status, text];
    },
  })),
  {
    name: 'blob: that was revoked',
    async run(fetch) {
      const url = URL.createObjectURL(new Blob(['gone']));
      URL.revokeObjectURL(url);
      return whole(await fetch(url));
    },
  },
  fetched('blob: that is not there', 'blob:nodedata:00000000-0000-0000-0000-000000000000'),
  ...['about:blank', 'about:client', 'file:///etc/hostname', 'ftp://127.0.0.1/', 'ws://127.0.0.1/', 'javascript:1', 'mailto:a@b', 'node:fs', 'x:'].map((url) => (
    fetched(url, url))),

  ...BLOCKED.flatMap((port) => ['http', 'https'].map((scheme) => ({
    name: `${scheme} port ${port} is blocked`,
    run: (fetch) => failure(fetch(`${scheme}://127.0.0.1:${port}/`)),
  }))),
  { name: 'a blocked port with POST', run: (fetch) => failure(fetch('http://127.0.0.1:25/', { method: 'POST', body: 'x' })) },
  { name: 'a blocked port in a Request', run: (fetch) => failure(fetch(new Request('http://127.0.0.1:25/'))) },

  integrity('matches', digest('sha256', 'ok')),
  integrity('does not match', digest('sha256', 'no')),
  integrity('sha384', digest('sha384', 'ok')),
  integrity('sha512', digest('sha512', 'ok')),
  integrity('one of two matches', `${digest('sha256', 'no')} ${digest('sha256', 'ok')}`),
  integrity('the strongest does not match', `${digest('sha256', 'ok')} ${digest('sha512', 'no')}`),
  integrity('the strongest matches', `${digest('sha256', 'no')} ${digest('sha512', 'ok')}`),
  integrity('is empty', ''),
  integrity('is unknown', 'md5-abc'),
  integrity('in capitals', digest('sha256', 'ok').replace('sha256', 'SHA256')),
  {
    ...integrity('with options', `${digest('sha256', 'ok')}?x`),
    differs: { as: 'Options behind an integrity are passed over', here: UNDICI < 7, ours: { returned: 'ok' } },
  },
  integrity('in base64url', digest('sha256', 'ok').replaceAll('+', '-').replaceAll('/', '_')),
  ...['ok', 'no'].map((text) => ({
    name: `integrity of "${text}" behind a redirect to another origin`,
    answer: (request, response) => {
      const to = new URL(request.path, 'http://h').searchParams.get('to');
      return (to === null ? reply() : reply(302, { location: to }))(request, response);
    },
    run: async (fetch, at) => (await fetch(`${at.url}/?to=${at.other}/`, { integrity: digest('sha256', text) })).text(),
  })),
  {
    name: 'integrity, with a clone',
    async run(fetch, at) {
      const response = await fetch(at.url, { integrity: digest('sha256', 'ok') });
      return Promise.all([response.clone().text(), response.text()]);
    },
  },
  {
    name: 'integrity of a Request',
    run: async (fetch, at) => (await fetch(new Request(at.url, { integrity: digest('sha256', 'no') }))).text(),
  },
];
