'use strict';

/** Whole measurements, with clients whose behaviour is known. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const { test } = require('node:test');

const { measure } = require('../../prevention/lib/measurement');
const { BURST, SERVERS } = require('../../prevention/lib/plan');
const { createClosingServer } = require('../../prevention/server');

/** Few lanes: on a busy machine their first bursts, which open all connections, would hold each other up. */
const SOME = { steps: 19, passes: 1, lanes: 5 };

test('where nothing is said, the built-in fetch loses POSTs, which the server never sees', async () => {
  const { failed, score } = await measure('fetch', 'silent', SOME);
  assert.equal(failed, undefined);
  assert.equal(score.posts, (SOME.lanes + SOME.steps) * BURST);
  assert.ok(score.failed > 0);
  assert.equal(score.failedAfterArrival, 0);
  assert.equal(score.duplicates, 0);
});

test('a client that never keeps a connection loses nothing, and pays for it', async () => {
  // Its margin is 1 s or more.
  const { score } = await measure('undici-request', 'hint', SOME);
  assert.equal(score.failed, 0);
  assert.equal(score.connections, score.posts);
});

test('a client that keeps its connections opens no more of them than it needs at once', async () => {
  const { score } = await measure('undici-request', 'brisk', SOME);
  assert.equal(score.failed, 0);
  // On a busy machine a burst may last for so long that its first connections are too old for the next.
  assert.ok(score.connections < score.posts / 2, `${score.connections} connections`);
});

test('a client that cannot be loaded is a failure of its own', async () => {
  const { failed } = await measure('no-such-client', 'hint', SOME);
  assert.match(failed, /client\.js: /);
});

for (const [name, { idle, hint }] of Object.entries(SERVERS)) {
  test(`the server closes when it says, or says nothing: ${name}`, async () => {
    const server = createClosingServer({ idle, hint }, new Map());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const socket = net.connect(server.address().port, '127.0.0.1');
    socket.write('POST /orders/one HTTP/1.1\r\nHost: origin\r\nContent-Length: 0\r\n\r\n');
    const [head] = await once(socket, 'data');
    const answered = performance.now();
    assert.equal(/^keep-alive: timeout=(\d+)/im.exec(head)?.[1], hint ? String(idle / 1000) : undefined);
    await once(socket, 'end');
    // Timers may ring a little early, and late on a busy machine; Node's own would be a second late.
    const after = performance.now() - answered;
    assert.ok(after > idle - 20 && after < idle + 500, `closed after ${after} ms`);
    socket.destroy();
    server.close();
  });
}
