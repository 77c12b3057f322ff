'use strict';

// The options of `createFetch` that concern its connections: `connections`, `keepAlive`, `socketPath`.

const { EventEmitter, once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { performance } = require('node:perf_hooks');
const { setTimeout: after } = require('node:timers/promises');

const { createFetch } = require('../../..');
const { closeAll, ok, startOrigin } = require('../../../testing');
const { caught } = require('../../support/fetch-outcomes');

/** @type {http.Server[]} */
const servers = [];

afterEach(async () => {
  await closeAll();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

/**
 * A server that keeps idle connections for ever and does not speak of it, unless `hint` says how long it claims to wait,
 * in s. `sockets` holds every connection that it has had.
 */
async function patientServer({ hint, at = [0, '127.0.0.1'], answer } = {}) {
  const sockets = [];
  const server = http.createServer({ keepAlive: false, keepAliveTimeout: 0 }, (request, response) => {
    if (hint !== undefined) response.setHeader('keep-alive', `timeout=${hint}`);
    if (answer !== undefined) answer(request, response);
    else request.resume().on('end', () => response.end(request.headers.host));
  });
  server.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
  });
  servers.push(server);
  server.listen(...at);
  await once(server, 'listening');
  const address = server.address();
  return { sockets, server, url: `http://127.0.0.1:${address.port}` };
}

/** A server whose answers wait for the test: `release` sends one, `held` resolves when there were so many to be sent. */
async function holdingOrigin() {
  const arrivals = new EventEmitter().setMaxListeners(0);
  const waiting = [];
  const origin = await startOrigin((request, response) => {
    waiting.push(response);
    arrivals.emit('held');
  });
  const held = async (count) => {
    while (waiting.length < count) await once(arrivals, 'held');
  };
  let released = 0;
  const release = () => waiting[released++].end('ok');
  return { ...origin, held, release };
}

const read = async (call) => (await call).text();

describe('connections', () => {
  test('no more than so many to one origin; the calls beyond them wait and are answered', async () => {
    const origin = await holdingOrigin();
    const client = createFetch({ connections: 2 });
    const calls = Array.from({ length: 6 }, () => read(client(origin.url)));
    for (let call = 0; call < calls.length; call++) {
      await origin.held(call + 1);
      origin.release();
    }
    expect(await Promise.all(calls)).toEqual(Array(6).fill('ok'));
    expect(origin.connections()).toBe(2);
  });

  test.each([[undefined], [false], [Infinity]])('%s: each call that finds no idle one makes its own', async (connections) => {
    const origin = await holdingOrigin();
    const client = createFetch({ connections });
    const calls = Array.from({ length: 6 }, () => read(client(origin.url)));
    await origin.held(6);
    expect(origin.connections()).toBe(6);
    for (let call = 0; call < calls.length; call++) origin.release();
    await Promise.all(calls);
  });

  test('each origin has its own', async () => {
    const origins = [await holdingOrigin(), await holdingOrigin()];
    const client = createFetch({ connections: 1 });
    const calls = origins.map(({ url }) => read(client(url)));
    // Neither is answered before both have arrived.
    await Promise.all(origins.map((origin) => origin.held(1)));
    for (const origin of origins) origin.release();
    await Promise.all(calls);
  });

  test('a call that is aborted makes room, whether it has a connection or waits for one', async () => {
    const origin = await holdingOrigin();
    const client = createFetch({ connections: 1 });
    const controllers = [new AbortController(), new AbortController()];
    const aborted = controllers.map(({ signal }) => caught(client(origin.url, { signal })));
    await origin.held(1);
    const call = read(client(origin.url));
    controllers[1].abort();
    await aborted[1];
    controllers[0].abort();
    await aborted[0];
    await origin.held(2);
    origin.release(); // nobody waits for this one
    origin.release();
    expect(await call).toBe('ok');
    expect(origin.requests).toHaveLength(2);
  });

  test('a body that is cancelled makes room', async () => {
    const origin = await startOrigin((request, response) => response.write('begin'));
    const client = createFetch({ connections: 1 });
    const first = await client(origin.url);
    const second = client(origin.url);
    await first.body.cancel();
    await (await second).body.cancel();
    expect(origin.connections()).toBe(2);
  });

  test('the wait counts for the whole call, and not for connecting', async () => {
    const origin = await holdingOrigin();
    const client = createFetch({ connections: 1, retry: false });
    const first = read(client(origin.url));
    await origin.held(1);
    const { cause } = await caught(client(origin.url, { timeout: { connect: 1, total: 200 } }));
    expect(cause).toMatchObject({ code: 'ETIMEDOUT', delivery: 'not-sent', reason: expect.stringContaining('200 ms') });
    expect(origin.requests).toHaveLength(1);
    origin.release();
    await first;
  });
});

describe('keepAlive', () => {
  test.each([
    ['true', true, 1],
    ['undefined', undefined, 1],
    ['an object', {}, 1],
    ['false', false, 3],
  ])('%s', async (name, keepAlive, connections) => {
    const { url, sockets } = await patientServer();
    const client = createFetch({ keepAlive });
    for (let call = 0; call < 3; call++) await read(client(url));
    expect(sockets).toHaveLength(connections);
    if (keepAlive === false) await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')));
  });

  test.each([
    ['of a stated length', (request, response) => response.end('body')],
    ['without a body', (request, response) => response.writeHead(204).end()],
    ['in chunks', (request, response) => response.write('bo') && response.end('dy')],
    ['in chunks, the last one later', (request, response) => response.write('body', () => response.end())],
  ])('an answer %s leaves its connection to the next call', async (name, answer) => {
    const { url, sockets } = await patientServer({ answer });
    const client = createFetch();
    for (let call = 0; call < 3; call++) await read(client(url));
    expect(sockets).toHaveLength(1);
  });

  /** How long the first connection of a server lasted after its only call, in ms. */
  async function idledFor({ hint, keepAlive }) {
    const { url, sockets } = await patientServer({ hint });
    await read(createFetch({ keepAlive })(url));
    const begun = performance.now();
    await once(sockets[0], 'close');
    return performance.now() - begun;
  }

  // The bounds leave room for a busy machine, and none for the default of 4 s.
  test('timeout: an idle connection is closed after it', async () => {
    const idled = await idledFor({ keepAlive: { timeout: 500 } });
    expect(idled).toBeGreaterThan(300);
    expect(idled).toBeLessThan(3_500);
  });

  test('maxTimeout: what the server says is believed up to it', async () => {
    const idled = await idledFor({ hint: 600, keepAlive: { maxTimeout: 500 } });
    expect(idled).toBeGreaterThan(300);
    expect(idled).toBeLessThan(3_500);
  });

  /** The connections that a GET and then, when that one has idled for so long, a POST have made. */
  async function connectionsOf(keepAlive, idle) {
    const { url, sockets } = await patientServer();
    const client = createFetch({ keepAlive });
    await read(client(url));
    await after(idle);
    await read(client(url, { method: 'POST', body: 'b' }));
    return sockets.length;
  }

  test('guardedTimeout: what must not be repeated avoids connections that have idled for longer', async () => {
    // Later than a guard, if the machine is busy, never sooner.
    expect(await connectionsOf({ guardedTimeout: 50 }, 100)).toBe(2);
    expect(await connectionsOf({ guardedTimeout: 0 }, 0)).toBe(2);
    expect(await connectionsOf(true, 1_100)).toBe(2);
    expect(await connectionsOf({ timeout: 60_000, guardedTimeout: 60_000 }, 1_100)).toBe(1);
  });

  test('guardedTimeout: a POST that may be repeated need not', async () => {
    const { url, sockets } = await patientServer();
    const client = createFetch({ keepAlive: { timeout: 60_000, guardedTimeout: 0 } });
    await read(client(url));
    await read(client(url, { method: 'POST', body: 'b', headers: { 'idempotency-key': '1' } }));
    expect(sockets).toHaveLength(1);
  });

  test('a connection that idles does not outlive close(), although another call is in flight', async () => {
    const waiting = [];
    const { url, sockets } = await patientServer({
      answer: (request, response) => (request.url === '/held' ? waiting.push(response) : response.end('ok')),
    });
    const client = createFetch();
    const both = [read(client(url)), read(client(url))];
    await Promise.all(both);
    const held = read(client(`${url}/held`));
    while (waiting.length === 0) await new Promise(setImmediate);
    const idle = sockets.find((socket) => socket !== waiting[0].socket);
    const closing = client.close();
    if (idle !== undefined && !idle.closed) await once(idle, 'close');
    expect(waiting[0].socket.closed).toBe(false);
    waiting[0].end('held');
    expect(await held).toBe('held');
    await closing;
  });
});

const onUnix = process.platform === 'win32' ? describe.skip : describe;

onUnix('socketPath', () => {
  let directory;

  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'unreset-'));
  });
  afterEach(() => {
    fs.rmSync(directory, { recursive: true });
  });

  test('every call goes through it, whatever its URL says', async () => {
    const socketPath = path.join(directory, 'a b.sock');
    const { sockets } = await patientServer({ at: [socketPath] });
    const client = createFetch({ socketPath });
    for (const host of ['service.invalid', '192.0.2.1:8080', 'service.invalid']) {
      expect(await read(client(`http://${host}/`))).toBe(host);
    }
    // As over TCP, connections are an origin's own.
    expect(sockets).toHaveLength(2);
    await client.close();
  });

  test('redirects too', async () => {
    const socketPath = path.join(directory, 'a.sock');
    await patientServer({
      at: [socketPath],
      answer(request, response) {
        if (request.url === '/') response.writeHead(302, { location: 'http://other.invalid/there' }).end();
        else response.end(`${request.headers.host}${request.url}`);
      },
    });
    expect(await read(createFetch({ socketPath })('http://service.invalid/'))).toBe('other.invalid/there');
  });

  test('where nothing listens', async () => {
    const socketPath = path.join(directory, 'none.sock');
    const error = await caught(createFetch({ socketPath, retry: false })('http://localhost/', { method: 'POST', body: 'b' }));
    expect(error).toMatchObject({
      message: 'fetch failed', code: 'ENOENT', cause: { syscall: 'connect', address: socketPath, phase: 'connect', delivery: 'not-sent' },
    });
  });

  test('another fetch still uses TCP', async () => {
    createFetch({ socketPath: path.join(directory, 'none.sock') });
    const origin = await startOrigin(ok);
    expect(await read(createFetch()(origin.url))).toBe('ok');
  });
});
