'use strict';

/** What is asked for in the handshake, and the answers that are not taken. */

const http = require('node:http');
const { once } = require('node:events');
const { acceptingHeaders, closeWebSockets, connectTo, ended, record, serve, serveRaw } = require('../../support/websockets');

const servers = new Set();

afterEach(async () => {
  await closeWebSockets();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers.clear();
});

/** A server of HTTP that upgrades nothing. */
async function answering(listener) {
  const server = http.createServer(listener);
  // Without it Node resets what asks for an upgrade.
  server.on('upgrade', (request, socket) => {
    const response = new http.ServerResponse(request);
    response.assignSocket(socket);
    response.on('finish', () => socket.end());
    listener(request, response);
  });
  servers.add(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `ws://127.0.0.1:${server.address().port}`;
}

test('headers, origin, credentials and subprotocols arrive', async () => {
  const server = await serve();
  const { host } = new URL(server.url);
  const ws = connectTo(`ws://user:p%40ss@${host}/a?b=c`, {
    headers: { 'X-Own': 'yes', Cookie: 'a=1', 'User-Agent': 'test' }, origin: 'https://app.test', protocols: ['one', 'two'],
  });
  await once(ws, 'open');
  const { url, headers } = server.requests[0];
  expect(url).toBe('/a?b=c');
  expect(headers).toMatchObject({
    host,
    'x-own': 'yes',
    cookie: 'a=1',
    'user-agent': 'test',
    origin: 'https://app.test',
    authorization: `Basic ${btoa('user:p@ss')}`,
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-extensions': expect.stringMatching(/^permessage-deflate/),
  });
  expect(headers['sec-websocket-protocol'].replaceAll(' ', '')).toBe('one,two');
  expect(ws.protocol).toBe('one');
});

test('perMessageDeflate: false offers nothing', async () => {
  const server = await serve(undefined, { perMessageDeflate: true });
  const ws = connectTo(server.url, { perMessageDeflate: false });
  await once(ws, 'open');
  expect([server.requests[0].headers['sec-websocket-extensions'], ws.extensions]).toEqual([undefined, '']);
});

test('auth', async () => {
  const server = await serve();
  const ws = connectTo(server.url, { auth: 'me:secret' });
  await once(ws, 'open');
  expect(server.requests[0].headers.authorization).toBe(`Basic ${btoa('me:secret')}`);
});

test('options may stand second, and hold the subprotocols', async () => {
  const { WebSocket } = require('../../..');
  const server = await serve();
  const ws = new WebSocket(server.url, { protocols: 'x', headers: { a: 'b' } });
  await once(ws, 'open');
  expect([ws.protocol, server.requests[0].headers.a]).toEqual(['x', 'b']);
  ws.terminate();
});

test('http: is ws:', async () => {
  const server = await serve();
  const ws = connectTo(server.url.replace('ws:', 'http:'));
  await once(ws, 'open');
  expect(ws.url).toBe(`${server.url}/`);
});

describe('an answer that is not the right one ends it', () => {
  const ANSWERS = {
    'no key': (request, accept) => acceptingHeaders(request, accept).slice(0, 3),
    'a wrong key': (request) => acceptingHeaders(request, 'AAAA'),
    'no Upgrade header': (request, accept) => acceptingHeaders(request, accept).filter((line) => !line.startsWith('Upgrade')),
    'another Upgrade header': (request, accept) => acceptingHeaders(request, accept).map((line) => line.replace('websocket', 'h2c')),
    'a subprotocol that was not offered': (request, accept) => [...acceptingHeaders(request, accept), 'Sec-WebSocket-Protocol: other'],
    'two subprotocols': (request, accept) => [...acceptingHeaders(request, accept), 'Sec-WebSocket-Protocol: one, two'],
    'an extension that was not offered': (request, accept) => [...acceptingHeaders(request, accept), 'Sec-WebSocket-Extensions: x-own'],
    'a parameter that was not offered': (request, accept) => [...acceptingHeaders(request, accept), 'Sec-WebSocket-Extensions: permessage-deflate; other=1'],
  };

  test.each(Object.keys(ANSWERS))('%s', async (name) => {
    const server = await serveRaw(() => {}, ANSWERS[name]);
    const ws = connectTo(server.url, { protocols: ['one', 'two'], reconnect: false });
    const opened = record(ws, ['open']);
    const { code, fault, error } = await ended(ws);
    expect([opened, code, fault.phase, fault.kind, error.code]).toEqual([[], 1006, 'handshake', 'protocol', fault.code]);
  });

  test('no subprotocol of those that were offered', async () => {
    const server = await serveRaw(() => {});
    const { code, fault } = await ended(connectTo(server.url, { protocols: 'one', reconnect: false }));
    expect([code, fault.phase]).toEqual([1006, 'handshake']);
  });

  test('what is not HTTP', async () => {
    const server = await serveRaw(() => {}, () => ['SSH-2.0-OpenSSH_9']);
    const { code, fault } = await ended(connectTo(server.url, { reconnect: false }));
    expect([code, fault.phase, fault.kind]).toEqual([1006, 'handshake', 'protocol']);
  });
});

test('another status is shown to unexpected-response, with its body', async () => {
  const url = await answering((request, response) => {
    response.writeHead(401, { 'WWW-Authenticate': 'Basic', 'Set-Cookie': ['a=1', 'b=2'] }).end('not you');
  });
  const ws = connectTo(`${url}/secret`);
  const shown = new Promise((resolve) => {
    ws.on('unexpected-response', async (request, response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve([request.method, request.path, response.statusCode, response.headers, Buffer.concat(chunks).toString()]);
    });
  });
  const { code, error, fault } = await ended(ws);
  const [method, path, status, headers, body] = await shown;
  expect([method, path, status, body]).toEqual(['GET', '/secret', 401, 'not you']);
  expect(headers).toMatchObject({ 'www-authenticate': 'Basic', 'set-cookie': ['a=1', 'b=2'] });
  expect([code, error.message, error.code, error.status, fault.code]).toEqual([
    1006, 'Unexpected server response: 401', 'HTTP_401', 401, 'HTTP_401',
  ]);
});

describe('redirects', () => {
  test('are followed when that is asked for, and told', async () => {
    const target = await serve();
    const url = await answering((request, response) => response.writeHead(302, { Location: `${target.url.replace('ws:', 'http:')}/there` }).end());
    const ws = connectTo(url, { followRedirects: true, auth: 'a:b', headers: { 'X-Own': 'kept' } });
    const told = record(ws, ['redirect']);
    await once(ws, 'open');
    expect(ws.url).toBe(`${target.url}/there`);
    expect(told[0][1]).toBe(`${target.url}/there`);
    const { headers } = target.requests[0];
    // It leads to another port, which is another origin.
    expect([headers['x-own'], headers.authorization]).toEqual(['kept', undefined]);
  });

  test('are not followed otherwise', async () => {
    const url = await answering((request, response) => response.writeHead(302, { Location: '/' }).end());
    const { code, error } = await ended(connectTo(url));
    expect([code, error.message]).toEqual([1006, 'Unexpected server response: 302']);
  });

  test('not more than maxRedirects', async () => {
    let asked = 0;
    const url = await answering((request, response) => {
      asked += 1;
      response.writeHead(302, { Location: `/${asked}` }).end();
    });
    const { code } = await ended(connectTo(url, { followRedirects: true, maxRedirects: 2, reconnect: false }));
    expect([code, asked]).toEqual([1006, 3]);
  });
});

test('handshakeTimeout ends an attempt that gets no answer', async () => {
  const url = await answering(() => {});
  const { code, fault } = await ended(connectTo(url, { handshakeTimeout: 50, reconnect: false }));
  expect([code, fault.code, fault.phase]).toEqual([1006, 'ETIMEDOUT', 'handshake']);
});

describe('what is provided', () => {
  test('is asked for anew before each attempt, in the order url, protocols, headers', async () => {
    const server = await serve();
    const asked = [];
    const ws = connectTo(async (context) => {
      asked.push(['url', context.attempt, context.fault?.code]);
      return `${server.url}/${context.attempt}`;
    }, {
      protocols: () => asked.push(['protocols']) && ['p'],
      headers: () => asked.push(['headers']) && { 'x-token': `t${asked.length}` },
    });
    expect(ws.url).toBe('');
    await once(ws, 'open');
    const again = once(ws, 'reconnect');
    server.resetAll();
    await again;
    expect(asked).toEqual([['url', 1, undefined], ['protocols'], ['headers'], ['url', 2, 'ECONNRESET'], ['protocols'], ['headers']]);
    expect(server.requests.map(({ url, headers }) => [url, headers['x-token'], headers['sec-websocket-protocol']])).toEqual([
      ['/1', 't3', 'p'], ['/2', 't6', 'p'],
    ]);
    expect(ws.url).toBe(`${server.url}/2`);
  });

  test.each([
    ['throws', () => {
      throw Object.assign(new Error('no token'), { code: 'E_TOKEN' });
    }],
    ['rejects', () => Promise.reject(new Error('no token'))],
    ['gives what is no URL', () => 'nonsense'],
    ['gives a wrong header', (url) => url, () => ({ Upgrade: 'x' })],
  ])('one that %s is a failed attempt and not the end', async (name, provide, provideHeaders = () => ({})) => {
    const server = await serve();
    let failures = 0;
    const isFailing = () => failures++ < 2;
    const ws = connectTo(
      () => (provideHeaders.length === 0 && provide.length === 0 && isFailing() ? provide() : server.url),
      { headers: () => (provide.length > 0 && isFailing() ? provideHeaders() : {}) },
    );
    const told = record(ws);
    await once(ws, 'open');
    expect(told.map(([event]) => event)).toEqual(['reconnecting', 'reconnecting', 'open']);
    expect(told.slice(0, 2).map(([, { attempt, fault }]) => [attempt, fault.phase])).toEqual([[1, 'handshake'], [2, 'handshake']]);
  });

  test('one that fails is the end where attempts are counted', async () => {
    const { code, error, fault } = await ended(connectTo(() => Promise.reject(Object.assign(new Error('no token'), { code: 'E_TOKEN' })), { reconnect: 2 }));
    expect([code, error.attempts, error.gaveUp, fault.phase]).toEqual([1006, 2, 'attempts-exhausted', 'handshake']);
  });

  test('close while it is asked', async () => {
    let answer;
    const ws = connectTo(() => new Promise((resolve) => {
      answer = resolve;
    }));
    ws.close();
    expect((await ended(ws)).code).toBe(1006);
    answer('ws://127.0.0.1:1');
  });
});
