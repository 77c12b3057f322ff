'use strict';

/** Options that the other files of this folder do not need: each with what would not happen without it. */

const fs = require('node:fs');
const { once } = require('node:events');
const { Socket } = require('../../../net');
const { parseOptions } = require('../../../lib/net/options');
const { refusedPort } = require('../../../testing');
const { SOON, closed, connectTo, received, closeSockets } = require('../../support/sockets');
const { listen, closeTcp } = require('../../support/tcp');

afterEach(async () => {
  closeSockets();
  await closeTcp();
});

/** A name with these addresses. */
function named(...addresses) {
  return { host: 'a.test', lookup: (host, options, done) => done(null, addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))) };
}

test.each([[4, '127.0.0.1'], ['IPv4', '127.0.0.1'], [6, '::1'], ['IPv6', '::1']])('family %p: only such addresses', async (family, address) => {
  const server = await listen(undefined, { host: '::' });
  const client = new Socket().connect({ port: server.port, family, ...named('::1', '127.0.0.1') });
  await once(client, 'connect');
  expect(client.remoteAddress).toBe(address);
  client.destroy();
});

test('autoSelectFamily: false tries the first address alone', async () => {
  const server = await listen();
  // Nobody listens at the first one.
  const place = { port: server.port, ...named('127.0.0.9', '127.0.0.1') };
  const client = new Socket().connect(place);
  await once(client, 'connect');
  expect(client.remoteAddress).toBe('127.0.0.1');
  client.destroy();
  const [error] = await once(new Socket({ reconnect: false }).connect({ ...place, autoSelectFamily: false }), 'error');
  expect(error).toMatchObject({ code: 'ECONNREFUSED', address: '127.0.0.9' });
});

// Other systems have only the one address of this kind.
(process.platform === 'linux' ? test : test.skip)('localAddress and localPort are where it connects from, each time', async () => {
  const localPort = await refusedPort();
  const server = await listen();
  const client = new Socket({ reconnect: SOON }).connect({ port: server.port, host: '127.0.0.1', localAddress: '127.0.0.7', localPort });
  const first = await server.connection(0);
  expect([first.socket.remoteAddress, first.socket.remotePort]).toEqual(['127.0.0.7', localPort]);
  first.socket.resetAndDestroy();
  const second = await server.connection(1);
  expect([second.socket.remoteAddress, second.socket.remotePort]).toEqual(['127.0.0.7', localPort]);
  client.destroy();
});

describe('keepAlive', () => {
  /** The seconds until the kernel asks after the peer of a connection; `undefined`: it will not. */
  function asksIn({ localPort, remotePort }) {
    const hex = (port) => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    const rows = fs.readFileSync('/proc/net/tcp', 'utf8').split('\n').map((line) => line.trim().split(/\s+/));
    const [, , , , , timer] = rows.find(([, local, remote]) => local?.endsWith(hex(localPort)) && remote.endsWith(hex(remotePort)));
    const [kind, ticks] = timer.split(':');
    return kind === '02' ? parseInt(ticks, 16) / 100 : undefined;
  }

  const ofLinux = process.platform === 'linux' ? test.each : test.skip.each;

  ofLinux([
    [{}, 15],
    [{ keepAliveInitialDelay: 600_000 }, 600],
    [{ keepAlive: false }, undefined],
  ])('%p', async (options, seconds) => {
    const server = await listen();
    const client = connectTo(server.port, options);
    const check = (expected) => {
      const asked = asksIn(client);
      if (expected === undefined) expect(asked).toBeUndefined();
      // Some of the time may have passed.
      else expect(Math.abs(asked - expected)).toBeLessThan(expected / 2);
    };
    await once(client, 'connect');
    check(seconds);
    client.setKeepAlive(true, 300_000);
    check(300);
    (await server.connection(0)).socket.resetAndDestroy();
    await once(client, 'reconnect');
    check(300);
    client.setKeepAlive(false);
    check(undefined);
  });
});

// That it reaches the system is seen in `src/tcp/socket.rs`: from outside there is only a delay to see.
test('noDelay is handed on', () => {
  const noDelay = (options) => parseOptions(options).native.noDelay;
  expect([noDelay({}), noDelay({ noDelay: false }), noDelay({ noDelay: true })]).toEqual([true, false, true]);
});

test('the marks are those of the stream', () => {
  const marks = (options) => {
    const { readableHighWaterMark, writableHighWaterMark } = new Socket(options).destroy();
    return [readableHighWaterMark, writableHighWaterMark];
  };
  expect(marks({ highWaterMark: 5 })).toEqual([5, 5]);
  expect(marks({ readableHighWaterMark: 6, writableHighWaterMark: 7 })).toEqual([6, 7]);
});

test.each([
  [{ base: 2, cap: 2 }, 2],
  [{ base: 0 }, 0],
])('backoff %p bounds the waits', async (backoff, most) => {
  const client = connectTo(await refusedPort(), { reconnect: { backoff, retries: 8 } });
  const delays = [];
  client.on('reconnecting', ({ delay }) => delays.push(delay)).on('error', () => {});
  await closed(client);
  expect(delays).toHaveLength(8);
  // Ten in each tenth of a second have a place at once.
  expect(Math.max(...delays)).toBeLessThanOrEqual(most);
});

test('timeout is of the stream, and of connect()', async () => {
  const server = await listen();
  expect(new Socket({ timeout: 5000 }).destroy().timeout).toBe(5000);
  expect(new Socket().destroy().setTimeout(5000).timeout).toBeUndefined();
  await once(connectTo(server.port, { timeout: 1 }), 'timeout');
});

test('timeout does not strike while a large write is leaving', async () => {
  const server = await listen((peer) => peer.socket.pause());
  const client = connectTo(server.port);
  await once(client, 'connect');
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
  try {
    const timeouts = jest.fn();
    client.setTimeout(1000).on('timeout', timeouts);
    client.write(Buffer.alloc(64 << 20));
    while (client.stats().bytesWritten === 0) await new Promise(setImmediate);
    jest.advanceTimersByTime(1000);
    expect(timeouts).not.toHaveBeenCalled();
    // The peer reads nothing: in the end nothing leaves any more.
    while (timeouts.mock.calls.length === 0) {
      await new Promise(setImmediate);
      jest.advanceTimersByTime(1000);
    }
  } finally {
    jest.useRealTimers();
  }
});

test.each([
  [{ lengthBytes: 2 }, [0, 2, 7, 7], [0, 3, 8]],
  [{ lengthBytes: 2, littleEndian: true }, [2, 0, 7, 7], [3, 0, 8]],
  [{ lengthBytes: 2, includesLength: true }, [0, 4, 7, 7], [0, 5, 8]],
  [{ lengthBytes: 4 }, [0, 0, 0, 1, 7], [0, 0, 0, 3, 8]],
  [{ delimiter: '\r\n' }, [10, 13, 10], [7, 13, 7]],
  [{ delimiter: Uint8Array.of(0) }, [1, 0], [2, 3, 4]],
])('frame %j: a message leaves when it is whole', async (frame, whole, begun) => {
  const server = await listen();
  const client = connectTo(server.port, { frame });
  await once(client, 'connect');
  client.write(Buffer.from([...whole, ...begun]));
  const first = await server.connection(0);
  expect([...await first.bytes(whole.length)]).toEqual(whole);
  first.socket.resetAndDestroy();
  await once(client, 'reconnect');
  const rest = frame.delimiter ? Buffer.from(frame.delimiter) : Buffer.from([9, 9]);
  client.write(rest);
  expect([...await (await server.connection(1)).bytes(begun.length + rest.length)]).toEqual([...begun, ...rest]);
  expect([...first.received]).toEqual(whole);
});

test('a socket that is ended before it is told to connect ends its connection', async () => {
  const server = await listen((peer) => peer.socket.end('bye'));
  const client = new Socket({ reconnect: SOON });
  client.end();
  client.connect(server.port, '127.0.0.1');
  expect(await received(client, 3)).toBe('bye');
  expect(await (await server.connection(0)).ended).toBe('FIN');
});

test('a signal that is aborted already', async () => {
  const server = await listen();
  const client = require('../../../net').connect({ port: server.port, signal: AbortSignal.abort() });
  const [error] = await once(client, 'error');
  expect(error.name).toBe('AbortError');
});

test('connect() that was refused for its arguments can be made again', async () => {
  const server = await listen();
  const client = new Socket();
  expect(() => client.connect({ port: 'eighty' })).toThrow('options.port must be a whole number');
  client.connect({ port: server.port, host: null, path: null }, null);
  await once(client, 'connect');
  client.destroy();
});
