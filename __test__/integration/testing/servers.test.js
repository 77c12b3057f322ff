'use strict';

/** The servers of `unreset/testing`, met by the built-in fetch, which retries nothing. */

const net = require('node:net');
const { once } = require('node:events');

const testing = require('../../../testing');
const { makeCertificate } = require('../../support/certificates');
const { Project } = require('../../support/snippets');

const {
  closeAll, echo, fin, finServer, inTurn, matchers, ok, openBlackHole, partial, raw, refusedPort, reply, resetServer, rst,
  silentServer, startOrigin,
} = testing;

expect.extend(matchers);
afterEach(closeAll);

const get = (url, init) => globalThis.fetch(url, init);
const text = async (url) => (await get(url)).text();

describe.each([
  ['resetServer', 'rst'],
  ['finServer', 'fin'],
])('%s', (name, ending) => {
  const start = testing[name];

  test('fails every request', async () => {
    const { url, requests } = await start();
    for (let i = 0; i < 3; i++) await expect(get(url)).rejects.toHaveFault({ kind: 'reset', ending, delivery: 'unknown' });
    expect(requests).toHaveLength(3);
  });

  test('times: so many requests, and then it answers', async () => {
    const { url } = await start({ times: 2 });
    await expect(get(url)).rejects.toHaveFault('ECONNRESET');
    await expect(get(url)).rejects.toHaveFault('ECONNRESET');
    expect(await text(url)).toBe('ok');
  });

  test('then: with what it answers', async () => {
    const { url } = await start({ times: 0, then: reply(201, { a: 'b' }, { stock: 120 }) });
    const response = await get(url);
    expect([response.status, response.headers.get('a'), await response.json()]).toEqual([201, 'b', { stock: 120 }]);
  });
});

test('silentServer takes requests and never answers', async () => {
  const server = await silentServer({ times: 1 });
  const abort = new AbortController();
  const call = get(server.url, { signal: abort.signal });
  await server.received(0);
  expect(await text(server.url)).toBe('ok');
  abort.abort();
  await expect(call).rejects.toHaveFault({ kind: 'aborted' });
});

test.each([
  [{ times: -1 }, 'times must be a whole number of at least 0, or Infinity. Received -1.'],
  [{ then: 'ok' }, "then must be a function. Received 'ok'."],
  [{ time: 1 }, 'options.time is not an option. Accepted: times, then, readBody, tls, port.'],
])('resetServer(%p) is refused', async (options, message) => {
  await expect(resetServer(options)).rejects.toThrow(message);
});

describe('startOrigin', () => {
  test('answers ok by default, and keeps what requests brought', async () => {
    const origin = await startOrigin();
    await get(`${origin.url}/a?b=c`, { method: 'POST', body: 'hello', headers: { 'x-mine': '1' } });
    const request = await origin.received(0);
    expect(request).toMatchObject({ index: 0, onConnection: 1, method: 'POST', path: '/a?b=c', complete: true });
    expect(request.headers['x-mine']).toBe('1');
    expect(request.body.toString()).toBe('hello');
    expect(origin.connections()).toBe(1);
  });

  test('readBody: false asks for the answer before the body is there', async () => {
    const bodies = [];
    const origin = await startOrigin((request, response) => {
      bodies.push(request.complete);
      ok(request, response);
    }, { readBody: false });
    await get(origin.url, { method: 'POST', body: 'hello' });
    expect(bodies).toEqual([false]);
  });

  test('tls', async () => {
    const origin = await startOrigin(ok, { tls: await makeCertificate() });
    expect(origin.url).toMatch(/^https:/);
    await expect(get(origin.url)).rejects.toHaveFault({ kind: 'tls', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });

  test('port', async () => {
    const { port, close } = await startOrigin();
    await close();
    expect((await startOrigin(ok, { port })).port).toBe(port);
    await expect(startOrigin(ok, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test.each([
    [['ok'], "answer must be a function. Received 'ok'."],
    [[ok, { port: -1 }], 'port must be a whole number from 0 to 65535. Received -1.'],
    [[ok, { readBody: 1 }], 'readBody must be true or false. Received 1.'],
    [[ok, { prot: 1 }], 'options.prot is not an option. Accepted: readBody, tls, port.'],
  ])('%p is refused', async (args, message) => {
    await expect(startOrigin(...args)).rejects.toThrow(message);
  });

  test('an answer that throws ends its connection, and is heard of', async () => {
    const project = new Project();
    const printed = await project.printedBy(`
      const { startOrigin, closeAll } = require('unreset/testing');
      process.on('unhandledRejection', ({ message }) => console.log(message));
      startOrigin(() => { throw new Error('broken answer'); }).then(({ url }) => fetch(url)).catch(async ({ cause }) => {
        console.log(cause.code);
        await closeAll();
      });
    `);
    expect(printed).toEqual(['broken answer', 'UND_ERR_SOCKET']);
    project.remove();
  });

  test('closes a connection whose TLS has not begun', async () => {
    const origin = await startOrigin(ok, { tls: await makeCertificate() });
    const socket = net.connect(origin.port, '127.0.0.1').on('error', () => {});
    while (origin.connections() === 0) await new Promise(setImmediate);
    await origin.close();
    socket.destroy();
  });

  test('closes by name, by `await using`, and with everything else', async () => {
    const origins = await Promise.all([startOrigin(), startOrigin(), startOrigin()]);
    await origins[0].close();
    await origins[0].close();
    await origins[1][Symbol.asyncDispose]();
    await closeAll();
    for (const { url } of origins) await expect(get(url)).rejects.toHaveFault('ECONNREFUSED');
  });
});

describe('answers', () => {
  test.each([
    ['a reply without a body of its own', reply(), 'ok'],
    ['a reply of bytes', reply(200, {}, Buffer.from('bytes')), 'bytes'],
    ['a reply of a Uint8Array', reply(200, {}, new Uint8Array([0x61, 0x62])), 'ab'],
    ['a reply of JSON', reply(200, {}, { a: 1 }), '{"a":1}'],
  ])('%s', async (_, answer, expected) => {
    expect(await text((await startOrigin(answer)).url)).toBe(expected);
  });

  test('a reply of JSON says so, unless it is told to say something else', async () => {
    const types = async (answer) => (await get((await startOrigin(answer)).url)).headers.get('content-type');
    expect(await types(reply(200, {}, { a: 1 }))).toBe('application/json');
    expect(await types(reply(200, { 'Content-Type': 'application/hal+json' }, { a: 1 }))).toBe('application/hal+json');
    expect(await types(reply(200, {}, '{}'))).toBeNull();
  });

  test('a reply with 204 has no length', async () => {
    const { headers } = await get((await startOrigin(reply(204))).url);
    expect(headers.get('content-length')).toBeNull();
  });

  test.each([
    [() => inTurn(), 'answers must be at least one.'],
    [() => inTurn(ok, 'ok'), "answers[1] must be a function. Received 'ok'."],
    [() => partial(), 'then must be a function. Received undefined.'],
    [() => partial(rst, { parts: '' }), 'options.parts is not an option. Accepted: headers, part.'],
  ])('%s is refused where it is written', (make, message) => {
    expect(make).toThrow(expect.objectContaining({ name: 'TypeError', message }));
  });

  test('echo', async () => {
    const { url } = await startOrigin(echo);
    const response = await get(`${url}/a`, { method: 'PUT', body: 'b' });
    expect(await response.json()).toMatchObject({ method: 'PUT', path: '/a', body: Buffer.from('b').toString('base64') });
  });

  test('inTurn, the last one for all that follow', async () => {
    const { url } = await startOrigin(inTurn(rst, reply(503, {}, 'later'), ok));
    await expect(get(url)).rejects.toHaveFault('ECONNRESET');
    expect([await text(url), await text(url), await text(url)]).toEqual(['later', 'ok', 'ok']);
  });

  test('partial: a body that breaks', async () => {
    const { url } = await startOrigin(partial(fin, { headers: { 'content-length': 10 }, part: 'half' }));
    const response = await get(url);
    expect(response.headers.get('content-length')).toBe('10');
    const reader = response.body.getReader();
    expect(Buffer.from((await reader.read()).value).toString()).toBe('half');
    await expect(reader.read()).rejects.toHaveFault({ kind: 'reset', phase: 'receive', delivery: 'answered' });
  });

  test('raw: what is no HTTP', async () => {
    const { url } = await startOrigin(raw('SSH-2.0\r\n'));
    await expect(get(url)).rejects.toHaveFault({ kind: 'protocol' });
  });
});

test('refusedPort refuses, and no other server can be given it', async () => {
  const port = await refusedPort();
  await expect(get(`http://127.0.0.1:${port}`)).rejects.toHaveFault({ code: 'ECONNREFUSED', delivery: 'not-sent' });
  if (process.platform === 'linux') {
    await expect(startOrigin(ok, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  }
  await closeAll();
  await startOrigin(ok, { port });
});

(process.platform === 'linux' ? test : test.skip)('openBlackHole takes no connection and refuses none', async () => {
  const hole = await openBlackHole();
  expect(hole.url).toBe(`http://127.0.0.1:${hole.port}`);
  const socket = net.connect(hole.port, '127.0.0.1');
  const outcome = await Promise.race([
    once(socket, 'connect').then(() => 'connected', ({ code }) => code),
    new Promise((resolve) => {
      setTimeout(resolve, 200, 'nothing');
    }),
  ]);
  expect(outcome).toBe('nothing');
  socket.destroy();
  await hole.close();
  await expect(get(hole.url)).rejects.toHaveFault('ECONNREFUSED');
});

test('openBlackHole says where it cannot work', async () => {
  const platform = Object.getOwnPropertyDescriptor(process, 'platform');
  Object.defineProperty(process, 'platform', { ...platform, value: 'win32' });
  try {
    await expect(openBlackHole()).rejects.toMatchObject({ code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' });
  } finally {
    Object.defineProperty(process, 'platform', platform);
  }
});

test('finServer and resetServer are told apart by what the client sees, not by a word', async () => {
  const { url } = await finServer();
  await expect(get(url)).rejects.not.toHaveFault({ ending: 'rst' });
});

test('a body given as the status is named where it is written', () => {
  expect(() => reply({ ok: true })).toThrow(/^status must be .+ Received /);
});
