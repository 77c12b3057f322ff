'use strict';

/** A real protocol on top: commands and a subscription over a Socket, against a real redis-server that is killed. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const { connectTo, closeSockets } = require('../../support/sockets');
const { listen, closeTcp } = require('../../support/tcp');

const PASSWORD = 'a-secret';

function isInstalled() {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Just as much of RESP as the tests need: commands as arrays, answers in order. */
class Redis {
  #waiting = [];
  #unread = '';

  constructor(port, options = {}) {
    this.subscribed = [];
    this.socket = connectTo(port, {
      heartbeat: { interval: 50, timeout: 5000, send: encoded('PING'), expect: '+PONG\r\n' },
      onConnect: async (session) => {
        await ask(session, '+OK', 'AUTH', PASSWORD);
        await options.onConnect?.(session);
      },
      ...options.socket,
    });
    this.socket.on('data', (chunk) => this.#take(String(chunk)));
    // Commands whose connection is gone have no answer, and may have been done.
    this.socket.on('disconnect', ({ fault }) => {
      for (const { reject } of this.#waiting.splice(0)) reject(Object.assign(new Error(fault.reason), fault));
    });
  }

  command(...words) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.socket.write(encoded(...words));
    });
  }

  #take(text) {
    const parts = (this.#unread + text).split('\r\n');
    this.#unread = parts.pop();
    for (const part of parts) {
      if (part.startsWith('*') || part.startsWith('$')) continue;
      if (this.subscribed.length > 0 || this.#waiting.length === 0) this.subscribed.push(part);
      else this.#waiting.shift().resolve(part);
    }
  }
}

function encoded(...words) {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

async function ask(session, expected, ...words) {
  session.write(encoded(...words));
  const answer = String(await session.readUntil('\r\n')).trim();
  if (answer !== expected) throw new Error(`${words[0]}: ${answer}`);
}

const [suite, why] = isInstalled() ? [describe, ''] : [describe.skip, ' (skipped: there is no redis-server on PATH)'];

suite(`a Redis client over Socket${why}`, () => {
  let directory;
  let port;
  let server;

  async function start() {
    const settings = ['--port', port, '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--requirepass', PASSWORD];
    server = spawn('redis-server', settings.map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
    let log = '';
    for await (const chunk of server.stdout.iterator({ destroyOnReturn: false })) {
      log += chunk;
      if (log.includes('Ready to accept connections')) break;
    }
    server.stdout.resume();
  }

  async function kill() {
    server.kill('SIGKILL');
    await once(server, 'exit');
  }

  beforeAll(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'unreset-redis-'));
    ({ port } = await listen());
    await closeTcp();
    await start();
  });

  afterEach(closeSockets);

  afterAll(async () => {
    await kill();
    fs.rmSync(directory, { recursive: true });
  });

  test('commands go on after the server has killed the connection, and after it was killed itself', async () => {
    const redis = new Redis(port);
    expect(await redis.command('SET', 'a', '1')).toBe('+OK');
    expect(await redis.command('GET', 'a')).toBe('1');
    const other = new Redis(port);
    const killed = once(redis.socket, 'reconnect');
    expect(await other.command('CLIENT', 'KILL', 'TYPE', 'normal')).toBe(':1');
    await killed;
    expect(await redis.command('INCR', 'a')).toBe(':2');
    const noticed = once(redis.socket, 'disconnect');
    await kill();
    await noticed;
    const queued = redis.command('SET', 'b', 'queued while it was down');
    await start();
    expect(await queued).toBe('+OK');
    expect(await redis.command('GET', 'b')).toBe('queued while it was down');
    expect(redis.socket.stats().generation).toBeGreaterThanOrEqual(3);
  });

  test('heartbeats are answered, and nothing of them is seen', async () => {
    const redis = new Redis(port);
    await once(redis.socket, 'connect');
    // Natively every byte is counted, to the stream only what is handed on: the difference is the answers of beats.
    const answered = () => redis.socket.stats().bytesRead - redis.socket.bytesRead - '+OK\r\n'.length;
    while (answered() < 3 * '+PONG\r\n'.length) expect(await redis.command('ECHO', 'x')).toBe('x');
    expect(redis.subscribed).toEqual([]);
    expect(redis.socket.stats().generation).toBe(1);
  });

  test('a wrong password is a failed attempt', async () => {
    const socket = connectTo(port, {
      reconnect: { retries: 1, backoff: { base: 1 } },
      onConnect: (session) => ask(session, '+OK', 'AUTH', 'wrong'),
    });
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ phase: 'handshake', gaveUp: 'attempts-exhausted' });
  });

  test('a subscription is made again on every connection', async () => {
    const subscriber = new Redis(port, {
      socket: { heartbeat: undefined },
      onConnect: (session) => session.write(encoded('SUBSCRIBE', 'news')),
    });
    const publisher = new Redis(port);
    while (await publisher.command('PUBLISH', 'news', 'first') === ':0');
    while (!subscriber.subscribed.includes('first')) await once(subscriber.socket, 'data');
    const back = once(subscriber.socket, 'reconnect');
    await publisher.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await back;
    while (await publisher.command('PUBLISH', 'news', 'second') === ':0');
    while (!subscriber.subscribed.includes('second')) await once(subscriber.socket, 'data');
  });
});
