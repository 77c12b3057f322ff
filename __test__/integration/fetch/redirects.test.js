'use strict';

const { fetch, builtIn, contenders } = require('../../support/fetch-contenders');
const { outcome, caught, codesOf } = require('../../support/fetch-outcomes');
const { closeAll, inTurn, reply, rst, startOrigin } = require('../../../testing');

/** The most redirects that are followed (Fetch standard, HTTP-redirect fetch, step 7). */
const LIMIT = 20;

/** Of these the server's record is compared. */
const COMPARED = [
  'authorization', 'cookie', 'proxy-authorization', 'x-own', 'accept', 'content-type', 'content-length',
  'content-encoding', 'content-language', 'content-location', 'transfer-encoding',
];

afterEach(closeAll);

/**
 * What a call came to and what each of two origins saw of it. `/` of the first origin answers as told, everything
 * else is an answer.
 *
 * @param {typeof fetch} client
 * @param {number} status
 * @param {(other: string) => string | undefined} location `other` is the URL of the second origin
 * @param {RequestInit} init
 */
async function follow(client, status, location, init) {
  const other = await startOrigin(reply(200, {}, 'elsewhere'));
  const origin = await startOrigin((request, response) => {
    if (request.path !== '/start/page?q') return reply(200, {}, 'arrived')(request, response);
    const to = location(other.url);
    return reply(status, to === undefined ? {} : { location: to }, 'redirect')(request, response);
  });
  const anonymous = (text) => text?.replaceAll(origin.url, 'http://origin').replaceAll(other.url, 'http://other');
  const { url, ...came } = await outcome(client(`${origin.url}/start/page?q#part`, init));
  const seen = ({ requests }) => requests.map(({ method, path, headers, body }) => {
    const compared = Object.fromEntries(COMPARED.filter((name) => name in headers).map((name) => [name, headers[name]]));
    return { method, path, headers: compared, body: body.toString() };
  });
  const result = { ...came, url: anonymous(url), origin: seen(origin), other: seen(other) };
  await Promise.all([origin.close(), other.close()]);
  return result;
}

async function sameAsBuiltIn(...args) {
  const ours = await follow(fetch, ...args);
  expect(ours).toEqual(await follow(builtIn, ...args));
  return ours;
}

const here = () => '/next';
const elsewhere = (other) => `${other}/next`;

const SENT = {
  authorization: 'Bearer secret',
  cookie: 'a=1',
  'proxy-authorization': 'Basic secret',
  'x-own': '1',
  accept: 'text/x',
};

describe('a status and a method', () => {
  const STATUSES = [301, 302, 303, 307, 308];
  const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'];
  const body = { POST: 'posted', PUT: 'put' };
  const rows = STATUSES.flatMap((status) => METHODS.map((method) => [status, method]));

  test.each(rows)('%i %s', async (status, method) => {
    const headers = { ...SENT, 'content-type': 'text/own', 'content-language': 'de' };
    for (const where of [here, elsewhere]) {
      const { redirected, origin, other } = await sameAsBuiltIn(status, where, { method, body: body[method], headers });
      expect(redirected).toBe(true);
      expect(origin.length + other.length).toBe(2);
    }
  });

  test.each([300, 304, 305, 306, 309, 399])('%i is an answer', async (status) => {
    expect(await sameAsBuiltIn(status, here, {})).toMatchObject({ status, redirected: false });
  });

  test.each(STATUSES)('%i without a Location is an answer', async (status) => {
    const ours = await sameAsBuiltIn(status, () => undefined, {});
    expect(ours).toMatchObject({ status, redirected: false, text: 'redirect' });
  });
});

describe('what goes along', () => {
  test('to the same origin: everything', async () => {
    const { origin } = await sameAsBuiltIn(307, here, { headers: SENT });
    expect(origin[1].headers).toEqual(SENT);
  });

  test('to another origin: no credentials', async () => {
    const { other } = await sameAsBuiltIn(307, elsewhere, { headers: SENT });
    expect(other[0].headers).toEqual({ 'x-own': '1', accept: 'text/x' });
  });

  test('with a method that becomes GET: nothing about the body', async () => {
    const headers = {
      ...SENT, 'content-type': 'a/b', 'content-language': 'de', 'content-encoding': 'x', 'content-location': '/c',
    };
    const { origin } = await sameAsBuiltIn(303, here, { method: 'POST', body: 'b', headers });
    expect(origin[1]).toEqual({ method: 'GET', path: '/next', headers: SENT, body: '' });
  });

  test.each([
    ['a Blob', () => new Blob(['ab'], { type: 'x/y' })],
    ['URLSearchParams', () => new URLSearchParams('a=b')],
    ['a large string', () => 'ü'.repeat(200_000)],
  ])('with 307: the body once more (%s)', async (name, body) => {
    const { origin } = await sameAsBuiltIn(307, here, { method: 'POST', body: body() });
    expect(origin[1].body).toBe(origin[0].body);
    expect(origin[1].body).not.toBe('');
    expect(origin[1].headers).toEqual(origin[0].headers);
  });

  test('with 307: bytes once more', async () => {
    // Not compared: the built-in fetch of Node 20 has detached them by then and fails.
    const { origin, text } = await follow(fetch, 307, here, { method: 'POST', body: Uint8Array.of(97, 98) });
    expect({ text, bodies: origin.map(({ body }) => body) }).toEqual({ text: 'arrived', bodies: ['ab', 'ab'] });
  });

  test.each([307, 308])('with %i: a stream is spent, which is an error', async (status) => {
    const init = () => ({
      method: 'POST',
      duplex: 'half',
      body: new ReadableStream({
        start(controller) {
          controller.enqueue(Buffer.from('streamed'));
          controller.close();
        },
      }),
    });
    const ours = await follow(fetch, status, here, init());
    expect(ours).toEqual(await follow(builtIn, status, here, init()));
    expect(ours.rejected).toBe('TypeError');
  });

  test('with 307: a function as body is called again', async () => {
    let calls = 0;
    const { origin, text } = await follow(fetch, 307, here, {
      method: 'POST',
      body: () => {
        calls += 1;
        return 'made';
      },
    });
    expect({ calls, text, bodies: origin.map(({ body }) => body) }).toEqual({ calls: 2, text: 'arrived', bodies: ['made', 'made'] });
  });
});

describe('where a Location leads', () => {
  test.each([
    ['an absolute path', '/next'],
    ['a relative path', 'next?x=1'],
    ['a path upwards', '../../next'],
    ['a query', '?other'],
    ['a fragment of its own', '/next#own'],
    ['a space inside', '/ne xt'],
    ['another scheme', 'ftp://example.invalid/'],
    ['data', 'data:text/plain,hi'],
    ['javascript', 'javascript:alert(1)'],
    ['no URL', 'http://'],
    ['a port that is none', 'http://127.0.0.1:99999/'],
    ['a host that is none', 'http://exa mple/'],
  ])('%s', async (name, location) => {
    await sameAsBuiltIn(302, () => location, {});
  });

  test.each([
    ['latin1', '/caf\u00e9'],
    ['UTF-8', Buffer.from('/café/€').toString('latin1')],
  ])('%s bytes', async (name, location) => {
    await sameAsBuiltIn(302, () => location, {});
  });

  test('an empty one is the same page', async () => {
    const origin = await startOrigin(inTurn(reply(302, { location: '' }), reply(200, {}, 'now')));
    for (const client of [builtIn, fetch]) {
      origin.requests.length = 0;
      expect(await outcome(client(origin.url))).toMatchObject({ status: 200, text: 'now', redirected: true });
    }
  });

  test('one without scheme', async () => {
    await sameAsBuiltIn(302, (other) => other.replace('http:', ''), {});
  });

  test('one with credentials is refused', async () => {
    const withCredentials = (other) => other.replace('//', '//user:pass@');
    expect(await sameAsBuiltIn(302, withCredentials, {})).toMatchObject({ rejected: 'TypeError', other: [] });
  });
});

describe.each(contenders)('%s', (contender, call) => {
  /** Redirects `count` times before it answers. */
  const staircase = (count) => ({ path }, response) => {
    const step = Number(path.slice(1));
    if (step === count) return reply()({}, response);
    return reply(302, { location: `/${step + 1}` })({}, response);
  };

  test(`${LIMIT} redirects are followed`, async () => {
    const origin = await startOrigin(staircase(LIMIT));
    const response = await call(`${origin.url}/0`);
    expect(response.status).toBe(200);
    expect(response.url).toBe(`${origin.url}/${LIMIT}`);
    expect(origin.requests).toHaveLength(LIMIT + 1);
  });

  test('one more is an error, and not requested', async () => {
    const origin = await startOrigin(staircase(LIMIT + 1));
    await expect(call(`${origin.url}/0`)).rejects.toMatchObject({ name: 'TypeError', message: 'fetch failed' });
    expect(origin.requests).toHaveLength(LIMIT + 1);
  });

  test('redirect: manual gives the redirect itself', async () => {
    const origin = await startOrigin(reply(302, { location: '/next', 'x-own': '1' }, 'moved'));
    const response = await call(origin.url, { redirect: 'manual' });
    expect(response).toMatchObject({ status: 302, redirected: false, ok: false, url: `${origin.url}/`, type: 'basic' });
    expect(response.headers.get('location')).toBe('/next');
    expect(response.headers.get('x-own')).toBe('1');
    expect(await response.text()).toBe('moved');
    expect(origin.requests).toHaveLength(1);
  });

  test('redirect: error rejects, and nothing further is requested', async () => {
    const origin = await startOrigin(reply(302, { location: '/next' }));
    await expect(call(origin.url, { redirect: 'error' })).rejects.toMatchObject({ name: 'TypeError', message: 'fetch failed' });
    expect(origin.requests).toHaveLength(1);
  });

  test('the mode of a Request counts, and that of init counts more', async () => {
    const origin = await startOrigin(({ path }, response) => (path === '/' ? reply(302, { location: '/next' }) : reply())({}, response));
    const request = () => new Request(origin.url, { redirect: 'manual' });
    expect((await call(request())).status).toBe(302);
    expect((await call(request(), { redirect: 'follow' })).status).toBe(200);
  });
});

describe('ours besides', () => {
  test('spaces around a Location do not belong to it', async () => {
    // RFC 9110, section 5.5; the built-in fetch of Node 20 refuses it.
    expect(await follow(fetch, 302, () => ' /next ', {})).toMatchObject({ status: 200, url: 'http://origin/next' });
  });

  test.each([
    ['ERR_TOO_MANY_REDIRECTS', '/', {}],
    ['ERR_UNEXPECTED_REDIRECT', '/', { redirect: 'error' }],
    ['ERR_INVALID_REDIRECT', 'ftp://example.invalid/', {}],
  ])('%s', async (code, location, init) => {
    const origin = await startOrigin(reply(302, { location }));
    const error = await caught(fetch(origin.url, init));
    expect(error).toMatchObject({ name: 'TypeError', code });
    expect(error.cause).toMatchObject({ code, kind: 'client', phase: 'receive', delivery: 'answered', transient: false });
    expect(error.recovery).toMatchObject({ attempts: [{ fault: { code, delivery: 'answered' }, delay: 0 }], gaveUp: 'not-transient' });
  });

  test('a redirect that is refused is what the last attempt came to', async () => {
    const origin = await startOrigin(inTurn(rst, reply(302, { location: '/next' })));
    const error = await caught(fetch(origin.url, { redirect: 'error', retry: { backoff: { base: 1, cap: 1 } } }));
    expect(codesOf(error.recovery)).toEqual(['ECONNRESET', 'ERR_UNEXPECTED_REDIRECT']);
    expect(error.recovery.gaveUp).toBe('not-transient');
  });

  test('each hop is retried, and its attempts are told', async () => {
    const origin = await startOrigin(inTurn(rst, reply(302, { location: '/next' }), rst, reply()));
    const response = await fetch(origin.url, { retry: { backoff: { base: 1, cap: 1 } } });
    expect(await response.text()).toBe('ok');
    expect(origin.requests.map(({ path }) => path)).toEqual(['/', '/', '/next', '/next']);
    expect(codesOf(response.recovery)).toEqual(['ECONNRESET', null, 'ECONNRESET', null]);
  });

  test('a POST that became a GET may be repeated', async () => {
    const origin = await startOrigin(inTurn(reply(303, { location: '/next' }), rst, reply()));
    const response = await fetch(origin.url, { method: 'POST', body: 'once', retry: { backoff: { base: 1, cap: 1 } } });
    expect(response.status).toBe(200);
    expect(origin.requests.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET']);
  });
});
