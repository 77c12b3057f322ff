'use strict';

const { once } = require('node:events');
const { SOON, connectTo, received, written, closeSockets } = require('../../support/sockets');
const { listen, closeTcp } = require('../../support/tcp');

afterEach(async () => {
  closeSockets();
  await closeTcp();
});

/** A port at which nobody listens now. */
async function quietPort() {
  const { port } = await listen();
  await closeTcp();
  return port;
}

test('writes before there is a connection leave in order when there is one', async () => {
  const port = await quietPort();
  const client = connectTo(port);
  const told = Promise.all(['a', 'b', 'c'].map((chunk) => written(client, chunk)));
  await once(client, 'reconnecting');
  const server = await listen(() => {}, { port });
  expect((await (await server.connection(0)).bytes(3)).toString()).toBe('abc');
  expect(await told).toEqual([null, null, null]);
});

test('writes before connect() are kept too', async () => {
  const server = await listen();
  const { Socket } = require('../../../net');
  const client = new Socket({ reconnect: SOON });
  const told = Promise.all([written(client, 'a'), written(client, 'b')]);
  client.connect(server.port, '127.0.0.1');
  expect((await (await server.connection(0)).bytes(2)).toString()).toBe('ab');
  expect(await told).toEqual([null, null]);
  client.destroy();
});

test('strings, bytes and many small writes arrive as they were written', async () => {
  const server = await listen();
  const client = connectTo(server.port);
  let expected = '';
  for (let i = 0; i < 5000; i++) {
    client.write(i % 2 ? `${i},` : Buffer.from(`${i},`));
    expected += `${i},`;
  }
  client.cork();
  client.write('7a', 'hex');
  client.write(new Uint8Array([122]));
  client.uncork();
  const peer = await server.connection(0);
  expect((await peer.bytes(expected.length + 2)).toString()).toBe(`${expected}zz`);
});

test('a full queue is backpressure, and what has waited leaves', async () => {
  const port = await quietPort();
  const client = connectTo(port, { queue: { bytes: 1000 }, writableHighWaterMark: 100 });
  let count = 0;
  while (client.write(Buffer.alloc(90, count))) count += 1;
  expect(client.writableNeedDrain).toBe(true);
  for (let i = 0; i < 20; i++) client.write(Buffer.alloc(90, i));
  await once(client, 'reconnecting');
  // The queue has its bound and one write; the stream has the rest.
  expect(client.stats().queue.bytes).toBeLessThan(1100);
  const server = await listen(() => {}, { port });
  await once(client, 'drain');
  expect(await (await server.connection(0)).bytes((count + 21) * 90)).toHaveLength((count + 21) * 90);
});

test("whenFull: 'error' refuses what does not fit and goes on", async () => {
  const port = await quietPort();
  const client = connectTo(port, { queue: { bytes: 10, whenFull: 'error' } });
  const first = written(client, '123456789');
  const error = await written(client, 'xx');
  expect(error).toMatchObject({ code: 'ERR_SOCKET_QUEUE_FULL', delivery: 'not-sent' });
  const server = await listen(() => {}, { port });
  expect((await (await server.connection(0)).bytes(9)).toString()).toBe('123456789');
  expect(await first).toBeNull();
  expect(await written(client, 'yy')).toBeNull();
});

test("whenFull: 'error' refuses a message whole, with all its parts", async () => {
  const port = await quietPort();
  const client = connectTo(port, { frame: { delimiter: '\n' }, queue: { bytes: 10, whenFull: 'error' } });
  const told = ['first', ' one\n', 'sec', 'ond\n', 'x', '\n'].map((part) => written(client, part));
  const full = expect.objectContaining({ code: 'ERR_SOCKET_QUEUE_FULL' });
  expect(await Promise.all(told.slice(2))).toEqual([full, full, full, full]);
  const server = await listen(() => {}, { port });
  await Promise.all(told.slice(0, 2));
  expect(await written(client, 'third\n')).toBeNull();
  expect(String(await (await server.connection(0)).bytes(16))).toBe('first one\nthird\n');
});

test('an empty write is told of, with a frame and without', async () => {
  const server = await listen();
  for (const options of [{}, { frame: { delimiter: '\n' } }, { frame: { delimiter: '\n' }, resend: 'unacknowledged' }]) {
    expect(await written(connectTo(server.port, options), '')).toBeNull();
  }
});

test('what waits for longer than queue.age is told, and never sent', async () => {
  const port = await quietPort();
  const client = connectTo(port, { queue: { age: 30 } });
  const error = await written(client, 'too old');
  expect(error).toMatchObject({ code: 'ERR_SOCKET_WRITE_EXPIRED', delivery: 'not-sent' });
  const unsent = once(client, 'unsent');
  client.write('nobody waits for it');
  expect((await unsent)[0]).toMatchObject({ writes: 1, bytes: 19, error: { code: 'ERR_SOCKET_WRITE_EXPIRED' } });
  const server = await listen(() => {}, { port });
  await once(client, 'connect');
  client.write('new');
  expect((await (await server.connection(0)).bytes(3)).toString()).toBe('new');
});

test('a message that a connection had part of is told as cut and not continued', async () => {
  const server = await listen((peer) => peer.socket.pause());
  const client = connectTo(server.port);
  const large = written(client, Buffer.alloc(32 << 20));
  const next = written(client, 'next');
  const { socket } = await server.connection(0);
  // More than the system of a peer that does not read takes: some of it cannot be acknowledged.
  while (client.stats().bytesWritten < 512 * 1024) await new Promise(setImmediate);
  const disconnected = once(client, 'disconnect');
  socket.resetAndDestroy();
  const [{ fault, unacknowledged }] = await disconnected;
  expect(fault).toMatchObject({ phase: 'send', delivery: 'unknown' });
  if (process.platform === 'linux') expect(unacknowledged).toBeGreaterThan(0);
  expect(await large).toMatchObject({ code: 'ERR_SOCKET_WRITE_CUT', delivery: 'unknown', cause: { code: fault.code } });
  const peer = await server.connection(1);
  peer.socket.resume();
  expect((await peer.bytes(4)).toString()).toBe('next');
  expect(await next).toBeNull();
});

test('a frame makes whole messages of parts', async () => {
  const server = await listen();
  const client = connectTo(server.port, { frame: { delimiter: '\n' } });
  await once(client, 'connect');
  client.write('whole\nha');
  const peer = await server.connection(0);
  expect((await peer.bytes(6)).toString()).toBe('whole\n');
  peer.socket.resetAndDestroy();
  await once(client, 'disconnect');
  const told = written(client, 'lf\n');
  expect((await (await server.connection(1)).bytes(5)).toString()).toBe('half\n');
  expect(await told).toBeNull();
});

test('a frame by length', async () => {
  const server = await listen();
  const client = connectTo(server.port, { frame: { lengthBytes: 2, littleEndian: true, includesLength: true } });
  client.write(Buffer.from([5, 0, 1]));
  client.write(Buffer.from([2, 3, 3, 0, 9]));
  expect([...await (await server.connection(0)).bytes(8)]).toEqual([5, 0, 1, 2, 3, 3, 0, 9]);
});

test('the end of a socket that is down waits for what is queued', async () => {
  const port = await quietPort();
  const client = connectTo(port);
  await once(client, 'reconnecting');
  client.end('last words');
  const finished = once(client, 'finish');
  const server = await listen(() => {}, { port });
  const peer = await server.connection(0);
  expect(await peer.ended).toBe('FIN');
  expect(peer.received.toString()).toBe('last words');
  await finished;
});

test('destroy tells every write that is not settled', async () => {
  const port = await quietPort();
  const client = connectTo(port, { queue: { bytes: 5 } });
  const told = Promise.all(['first one', 'second', 'third'].map((chunk) => written(client, chunk)));
  await once(client, 'reconnecting');
  client.destroy();
  // None was ever on a connection.
  for (const error of await told) expect(error).toMatchObject({ code: 'ERR_STREAM_DESTROYED', delivery: 'not-sent' });

  const server = await listen((peer) => peer.socket.pause());
  const other = connectTo(server.port);
  const begun = written(other, Buffer.alloc(32 << 20));
  while (other.stats().bytesWritten === 0) await new Promise(setImmediate);
  const mine = new Error('mine');
  other.on('error', () => {}).destroy(mine);
  expect(await begun).toMatchObject({ code: 'ERR_STREAM_DESTROYED', delivery: 'unknown', cause: mine });
});

test('bytesWritten is what the program wrote, whatever became of it', async () => {
  const port = await quietPort();
  const client = connectTo(port, { frame: { delimiter: '\n' }, resend: 'unacknowledged', queue: { bytes: 10 } });
  for (const part of ['abcdefghi\n', 'jkl\n', 'm']) client.write(part);
  expect(client.bytesWritten).toBe(15);
  const server = await listen(() => {}, { port });
  await (await server.connection(0)).bytes(10);
  expect(client.bytesWritten).toBe(15);
  client.acknowledge();
  await (await server.connection(0)).bytes(14);
  expect(client.bytesWritten).toBe(15);
});

test('callbacks come in the order of their writes, and then the end', async () => {
  const server = await listen((peer) => peer.socket.on('end', () => peer.socket.end()));
  const client = connectTo(server.port);
  const order = [];
  client.cork();
  for (let i = 0; i < 40; i++) client.write(`${i}`, () => order.push(i));
  client.uncork();
  client.write('40', 'utf8', () => order.push(40));
  // What is no function is no callback, as in any stream.
  client.write('x', 'utf8', null);
  client.on('finish', () => order.push('finish')).end(() => order.push('end'));
  client.resume();
  await once(client, 'close');
  expect(order.slice(0, 41)).toEqual(Array.from({ length: 41 }, (_, i) => i));
  expect(order.slice(41).sort()).toEqual(['end', 'finish']);
});

describe("resend: 'unacknowledged'", () => {
  const OPTIONS = { frame: { delimiter: '\n' }, resend: 'unacknowledged' };

  test('sends again what is not acknowledged, and tells a write when it is', async () => {
    const server = await listen();
    const client = connectTo(server.port, {
      ...OPTIONS,
      async onConnect(session) {
        const have = Number(await session.readUntil('\n'));
        this.acknowledge(have - this.stats().acknowledged);
      },
    });
    const [a, b, c] = ['a\n', 'b\n', 'c\n'].map((line) => written(client, line));
    const first = await server.connection(0);
    first.socket.write('0\n');
    expect((await first.bytes(6)).toString()).toBe('a\nb\nc\n');
    expect(client.stats()).toMatchObject({ unacknowledged: 3, acknowledged: 0 });
    first.socket.resetAndDestroy();
    const second = await server.connection(1);
    second.socket.write('2\n');
    expect((await second.bytes(2)).toString()).toBe('c\n');
    expect(await Promise.all([a, b])).toEqual([null, null]);
    client.acknowledge();
    expect(await c).toBeNull();
    expect(() => client.acknowledge(1)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  });

  test('without it nothing is kept', async () => {
    const server = await listen();
    const client = connectTo(server.port, { frame: { delimiter: '\n' } });
    expect(await written(client, 'a\n')).toBeNull();
    expect(() => client.acknowledge(1)).toThrow('messages must be at most');
    const first = await server.connection(0);
    await first.bytes(2);
    first.socket.resetAndDestroy();
    await once(client, 'reconnect');
    client.write('b\n');
    const second = await server.connection(1);
    expect((await second.bytes(2)).toString()).toBe('b\n');
  });
});

test('what nobody reads is not taken from the peer', async () => {
  const server = await listen();
  const client = connectTo(server.port).pause();
  const peer = await server.connection(0);
  const large = Buffer.alloc(16 << 20, 'x');
  const sent = jest.fn();
  peer.socket.write(large, sent);
  // What the system of either end takes, and not a byte more.
  let queued;
  do {
    queued = peer.socket.bytesWritten - peer.socket.writableLength;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  } while (peer.socket.bytesWritten - peer.socket.writableLength !== queued);
  expect(sent).not.toHaveBeenCalled();
  expect(client.bytesRead).toBeLessThanOrEqual(512 * 1024);
  expect(client.bytesRead).toBeGreaterThan(0);
  client.resume();
  expect(await received(client, large.length)).toHaveLength(large.length);
});
