'use strict';

const nodeNet = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { AsyncLocalStorage } = require('node:async_hooks');
const { Duplex, pipeline } = require('node:stream');
const { once } = require('node:events');
const unreset = require('../../..');
const { Socket, connect, createConnection } = require('../../../net');
const { connectTo, record, received, closed, closeSockets } = require('../../support/sockets');
const { listen, closeTcp } = require('../../support/tcp');

afterEach(async () => {
  closeSockets();
  await closeTcp();
});

function echoing() {
  return listen((peer) => peer.socket.on('data', (chunk) => peer.socket.write(chunk)));
}

test('the entries lead to the same', () => {
  expect(unreset.Socket).toBe(Socket);
  expect([unreset.connect, unreset.createConnection]).toEqual([connect, createConnection]);
  expect(createConnection).toBe(connect);
  expect(require('unreset/net').Socket).toBe(Socket);
});

test('the client of the article, with another import', async () => {
  const server = await echoing();
  const client = new Socket();
  client.connect(server.port, '127.0.0.1', () => client.write('Hello'));
  client.on('error', (error) => {
    throw error;
  });
  expect(await received(client, 5)).toBe('Hello');
  client.end();
  (await server.connection(0)).socket.end();
  await closed(client);
});

describe('connect takes every form that net has', () => {
  const FORMS = {
    'port, host, callback': (port, callback) => connect(port, '127.0.0.1', callback),
    'port as a string, host': (port, callback) => connect(String(port), '127.0.0.1').on('connect', callback),
    'port, callback': (port, callback) => connect(port, callback),
    'options, callback': (port, callback) => connect({ port, host: '127.0.0.1' }, callback),
    'options of the connection on the socket': (port, callback) => new Socket().connect({ port, host: 'localhost' }, callback),
    'a family': (port, callback) => connect({ port, host: 'localhost', family: 4, autoSelectFamily: false }, callback),
    'an address of our own': (port, callback) => connect({ port, host: '127.0.0.1', localAddress: '127.0.0.1' }, callback),
    'a lookup': (port, callback) => connect({ port, host: 'a.test', lookup: (host, options, done) => done(null, '127.0.0.1', 4) }, callback),
  };

  test.each(Object.keys(FORMS))('%s', async (form) => {
    const server = await echoing();
    const client = await new Promise((resolve) => {
      const made = FORMS[form](server.port, () => resolve(made));
    });
    client.write('x');
    expect(await received(client, 1)).toBe('x');
    client.destroy();
  });

  test('a path', async () => {
    const file = path.join(os.tmpdir(), `unreset-${process.pid}.sock`);
    const server = nodeNet.createServer((socket) => socket.end('hello')).listen(file);
    await once(server, 'listening');
    const client = connect(file);
    expect(await received(client, 5)).toBe('hello');
    expect(client.remoteAddress).toBeUndefined();
    client.destroy();
    server.close();
  });
});

test('says where it is as net.Socket does', async () => {
  const server = await echoing();
  const client = new Socket();
  expect([client.connecting, client.pending, client.readyState]).toEqual([false, true, 'closed']);
  expect(client.address()).toEqual({});
  client.connect(server.port, '127.0.0.1');
  expect([client.connecting, client.pending, client.readyState]).toEqual([true, true, 'opening']);
  await once(client, 'connect');
  expect([client.connecting, client.pending, client.readyState]).toEqual([false, false, 'open']);
  const { socket } = await server.connection(0);
  expect(client).toMatchObject({
    remoteAddress: '127.0.0.1', remotePort: server.port, remoteFamily: 'IPv4',
    localAddress: '127.0.0.1', localPort: socket.remotePort, localFamily: 'IPv4',
  });
  expect(client.address()).toEqual({ address: '127.0.0.1', family: 'IPv4', port: socket.remotePort });
  client.write('12345');
  await received(client, 5);
  expect([client.bytesWritten, client.bytesRead, client.bufferSize]).toEqual([5, 5, 0]);
  client.end();
  expect(client.readyState).toBe('readOnly');
  socket.end();
  await closed(client);
  expect(client.readyState).toBe('closed');
  expect([client.bytesWritten, client.bytesRead]).toEqual([5, 5]);
});

test('its events come once and in order', async () => {
  const server = await echoing();
  const client = new Socket();
  const told = record(client, ['lookup', 'connect', 'ready', 'end', 'finish', 'close']);
  client.connect(server.port, 'localhost');
  await once(client, 'ready');
  client.resume().end();
  (await server.connection(0)).socket.end();
  await closed(client);
  expect(told.map(([name]) => name).filter((name) => name !== 'lookup')).toEqual(['connect', 'ready', 'finish', 'end', 'close']);
  expect(told[0][0]).toBe('lookup');
  expect(told.at(-1)).toEqual(['close', false]);
});

test('is a stream: encoding, pipeline, pause', async () => {
  const server = await echoing();
  const client = connectTo(server.port).setEncoding('hex');
  client.write('az');
  expect((await once(client, 'data'))[0]).toBe('617a');
  client.pause();
  client.write('b');
  await (await server.connection(0)).bytes(3);
  expect(client.isPaused()).toBe(true);
  client.resume();
  expect((await once(client, 'data'))[0]).toBe('62');

  const other = connectTo(server.port);
  const large = Buffer.alloc(3 << 20, 'x');
  const came = [];
  const sink = new Duplex({ write: (chunk, encoding, done) => done(null, came.push(chunk)), read() {} });
  const source = Duplex.from(async function* parts() {
    for (let at = 0; at < large.length; at += 100_000) yield large.subarray(at, at + 100_000);
  });
  source.pipe(other);
  (await server.connection(1)).ended.then(() => server.accepted[1].socket.end());
  await new Promise((resolve, reject) => {
    pipeline(other, sink, (error) => (error ? reject(error) : resolve()));
  });
  expect(Buffer.concat(came).equals(large)).toBe(true);
});

test('with an encoding, a character that a connection had the beginning of is not completed by the next one', async () => {
  const parts = [Buffer.from([0x61, 0xe2, 0x82]), Buffer.from('bc')];
  const server = await listen((peer) => peer.socket.end(parts[server.accepted.length - 1]));
  const client = connectTo(server.port).setEncoding('utf8');
  let text = '';
  client.on('data', (chunk) => {
    text += chunk;
  }).on('disconnect', () => {
    text += '|';
  });
  while (!text.includes('bc|')) await once(client, 'disconnect');
  expect(text).toMatch(/^a\ufffd\|bc\|/);
});

test('is iterated over, across connections, and disposed of', async () => {
  const server = await listen((peer) => peer.socket.end(`${server.accepted.length}`));
  const client = connectTo(server.port);
  let text = '';
  for await (const chunk of client) {
    text += chunk;
    if (text.length === 3) break;
  }
  expect([text, client.destroyed]).toEqual(['123', true]);

  const other = connectTo(server.port);
  await once(other, 'connect');
  await other[Symbol.asyncDispose]();
  expect([other.destroyed, other.remoteAddress, other.address()]).toEqual([true, undefined, {}]);
});

test('setTimeout tells of silence and does nothing about it', async () => {
  const server = await echoing();
  const client = connectTo(server.port, { timeout: 30 });
  expect(client.timeout).toBe(30);
  await once(client, 'timeout');
  expect(client.destroyed).toBe(false);
  expect(new Socket().connect({ port: server.port, timeout: 7000 }).destroy().timeout).toBe(7000);
  const later = jest.fn();
  client.setTimeout(0);
  client.setTimeout(10_000, later).setTimeout(0, later);
  expect([client.timeout, client.listenerCount('timeout')]).toEqual([0, 0]);
});

test('what is set on a socket is kept for its next connections', async () => {
  const server = await echoing();
  const client = connectTo(server.port, { noDelay: false, keepAlive: false });
  expect(client.setNoDelay().setKeepAlive(true, 5000).setNoDelay(false)).toBe(client);
  await once(client, 'connect');
  (await server.connection(0)).socket.resetAndDestroy();
  await once(client, 'reconnect');
  client.setKeepAlive(false);
});

test('an end with an argument is a write and an end', async () => {
  const server = await listen();
  const client = connectTo(server.port);
  const told = new Promise((resolve) => { client.end('last', 'utf8', resolve); });
  const peer = await server.connection(0);
  expect(await peer.ended).toBe('FIN');
  expect(peer.received.toString()).toBe('last');
  await told;
  peer.socket.end();
});

test('a write after the end fails as it does in any stream', async () => {
  const server = await echoing();
  const client = connectTo(server.port);
  client.on('error', () => {});
  client.end();
  const error = await new Promise((resolve) => {
    client.write('x', resolve);
  });
  expect(error.code).toBe('ERR_STREAM_WRITE_AFTER_END');
});

test('an aborted signal ends it', async () => {
  const server = await echoing();
  const controller = new AbortController();
  const client = connectTo(server.port, { signal: controller.signal });
  await once(client, 'connect');
  controller.abort();
  const [error] = await once(client, 'error');
  expect(error.name).toBe('AbortError');
});

test('destroySoon sends first, resetAndDestroy does not', async () => {
  const server = await listen();
  const client = connectTo(server.port);
  client.write('before');
  client.destroySoon();
  const peer = await server.connection(0);
  expect(await peer.ended).toBe('FIN');
  expect(peer.received.toString()).toBe('before');

  const other = connectTo(server.port);
  await once(other, 'connect');
  other.resetAndDestroy();
  expect(await (await server.connection(1)).ended).toBe('ECONNRESET');
  expect(other.destroyed).toBe(true);
});

test('a socket is not revived, and not connected twice', async () => {
  const server = await echoing();
  const client = connectTo(server.port);
  expect(() => client.connect(server.port)).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_CLOSED' }));
  client.destroy();
  expect(() => new Socket().connect({ port: 1, allowHalfOpen: true })).toThrow('options.allowHalfOpen must be given to the constructor');
  expect(() => client.connect(server.port)).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_CLOSED' }));
});

test('what a listener throws is uncaught, and others go on', async () => {
  const server = await echoing();
  const client = connectTo(server.port);
  const uncaught = jest.spyOn(process, 'nextTick');
  client.once('data', () => {
    throw new Error('mine');
  });
  const thrown = new Promise((resolve) => {
    uncaught.mockImplementation((callback, ...args) => queueMicrotask(() => {
      try {
        callback(...args);
      } catch (error) {
        resolve(error);
      }
    }));
  });
  client.write('x');
  expect((await thrown).message).toBe('mine');
  uncaught.mockRestore();
  client.write('y');
  expect(await received(client, 1)).toContain('y');
});

test('listeners run in the async context of whoever connected', async () => {
  const server = await echoing();
  const storage = new AsyncLocalStorage();
  const client = new Socket();
  const seen = new Promise((resolve) => {
    client.on('data', () => resolve(storage.getStore()));
  });
  storage.run('mine', () => client.connect(server.port, '127.0.0.1'));
  storage.run('another', () => client.write('x'));
  expect(await seen).toBe('mine');
  client.destroy();
});

describe('options that are wrong are named', () => {
  test.each([
    [{ fd: 3 }, 'options.fd must be left out'],
    [{ onread: {} }, 'options.onread must be left out'],
    [{ port: 1, autoSelectFamilyAttemptTimeout: 250 }, 'options.autoSelectFamilyAttemptTimeout must be left out'],
    [{ port: 1, timeout: -1 }, 'options.timeout must be'],
    [{ port: 1, signal: 'x' }, 'options.signal must be'],
    [{ port: 1, noDelay: 1 }, 'options.noDelay must be'],
    [{ port: 1, keepAlive: 1 }, 'options.keepAlive must be'],
    [{ port: 1, keepAliveInitialDelay: -1 }, 'options.keepAliveInitialDelay must be'],
    [{ port: 1, highWaterMark: -1 }, 'options.highWaterMark must be'],
    [{ port: 1, localPort: -1 }, 'options.localPort must be'],
    [{ port: 1, lookup: 1 }, 'options.lookup must be'],
    [{ path: '/x', lookup() {} }, 'options.lookup must be left out with options.path'],
    [{ path: '/'.padEnd(200, 'x') }, 'options.path must be the path of a Unix socket, of at most'],
    [{ reconect: 3 }, 'options.reconect is not an option'],
    [{ port: 70_000 }, 'options.port must be a whole number'],
    [{ port: 1, path: '/x' }, 'options.port must be left out with options.path'],
    [{}, 'options.port must be given'],
    [{ port: 1, host: 5 }, 'options.host must be'],
    [{ port: 1, family: 5 }, 'options.family must be'],
    [{ port: 1, localAddress: 'x' }, 'options.localAddress must be'],
    [{ port: 1, connectTimeout: 0 }, 'options.connectTimeout must be'],
    [{ port: 1, minUptime: -1 }, 'options.minUptime must be'],
    [{ port: 1, reconnectOnEnd: 1 }, 'options.reconnectOnEnd must be'],
    [{ port: 1, onConnect: 1 }, 'options.onConnect must be'],
    [{ port: 1, reconnect: { retries: -1 } }, 'options.reconnect.retries must be'],
    [{ port: 1, reconnect: { budget: false } }, 'options.reconnect.budget must be left out'],
    [{ port: 1, reconnect: { shouldRetry() {} } }, 'options.reconnect.shouldRetry must be left out'],
    [{ port: 1, queue: { bytes: 0 } }, 'options.queue.bytes must be'],
    [{ port: 1, queue: { whenFull: 'drop' } }, "options.queue.whenFull must be 'block' or 'error'"],
    [{ port: 1, frame: {} }, 'options.frame.delimiter must be given'],
    [{ port: 1, frame: { delimiter: '' } }, 'options.frame.delimiter must be'],
    [{ port: 1, frame: { delimiter: '\n', lengthBytes: 2 } }, 'options.frame.delimiter must be left out'],
    [{ port: 1, frame: { lengthBytes: 9 } }, 'options.frame.lengthBytes must be'],
    [{ port: 1, resend: 'all' }, "options.resend must be 'none' or 'unacknowledged'"],
    [{ port: 1, resend: 'unacknowledged' }, 'options.frame must be given with options.resend'],
    [{ port: 1, resend: 'unacknowledged', frame: { delimiter: '\n' }, queue: { age: 5 } }, 'options.queue.age must be left out'],
    [{ port: 1, heartbeat: { interval: 10 } }, 'options.heartbeat.send must be given'],
    [{ port: 1, heartbeat: { send: 'x' } }, 'options.heartbeat.interval must be'],
    [{ port: 1, tls: 'yes' }, 'options.tls must be'],
    [{ port: 1, tls: { ca: 5 } }, 'options.tls.ca must be'],
    [{ port: 1, tls: { checkServerIdentity() {} } }, 'options.tls.checkServerIdentity must be left out'],
    [{ port: 1, tls: { servername: '' } }, 'options.tls.servername must be'],
    [{ port: 1, tls: { ALPNProtocols: 'h2' } }, 'options.tls.ALPNProtocols must be'],
  ])('%o', (options, message) => {
    let thrown;
    try {
      connect(options).destroy();
    } catch (error) {
      thrown = error;
    }
    expect(thrown?.message).toContain(message);
    expect(thrown.code).toMatch(/^ERR_(INVALID_ARG|OUT_OF_RANGE)/);
  });
});
