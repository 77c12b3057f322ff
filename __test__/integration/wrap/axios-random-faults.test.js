'use strict';

/** Many calls at a time against a server that breaks connections anywhere: the promises hold for every one of them. */

const { Agent, createServer } = require('node:http');
const { once } = require('node:events');
const { Readable } = require('node:stream');
const axios = require('axios');
const { wrapAxios } = require('../../..');
const { randomFrom } = require('../../support/random');
const { ADAPTERS } = require('../../support/wrap-axios');

const CALLS = 600;
const AT_A_TIME = 20;

/** What it has done, per id: each time that a request was there as a whole, or was redirected. */
async function startUnreliable(random) {
  const done = new Map();
  const act = (key) => done.set(key, (done.get(key) ?? 0) + 1);
  const server = createServer((incoming, response) => {
    const { socket, url, headers: { 'x-id': id } } = incoming;
    incoming.on('error', () => {});
    if (random() < 0.1) return socket.resetAndDestroy();
    if (url === '/hop' && random() < 0.3) {
      act(`hop ${id}`);
      // To itself, or to where nobody listens.
      const to = random() < 0.5 ? server.address().port : 1;
      return response.writeHead(307, { location: `http://127.0.0.1:${to}/` }).end();
    }
    if (random() < 0.1) incoming.once('data', () => socket.resetAndDestroy());
    incoming.resume().on('end', () => {
      act(id);
      answer(random(), socket, response);
    });
    return undefined;
  });
  server.on('connection', (socket) => {
    if (random() < 0.05) socket.resetAndDestroy();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, done, server };
}

function answer(choice, socket, response) {
  if (choice < 0.1) return socket.resetAndDestroy();
  if (choice < 0.15) return socket.destroy();
  if (choice < 0.2) return response.writeHead(503).end('busy');
  if (choice < 0.25) return response.writeHead(500).end('failed');
  if (choice < 0.3) {
    response.writeHead(200, { 'content-length': 100 }).write('part');
    return setImmediate(() => socket.resetAndDestroy());
  }
  return response.end('done');
}

const BODIES = [
  () => ({ sku: 'bolt' }),
  () => Buffer.alloc(100_000),
  () => Readable.from(['bolt, ', 'crank']),
  () => () => Readable.from(['bolt']),
];

test.each(
  ADAPTERS.flatMap((adapter) => ['post', 'get'].map((method) => [method, adapter])),
)('%s over the %s adapter: every call ends once, and no POST is done twice', async (method, adapter) => {
  const random = randomFrom(4711);
  const { url, done, server } = await startUnreliable(random);
  const httpAgent = new Agent({ keepAlive: true });
  const retry = { retries: 4, budget: false, backoff: { base: 1, cap: 2 } };
  const client = wrapAxios(axios.create({ adapter, httpAgent, timeout: 5000 }), { retry });
  const ended = new Array(CALLS).fill(0);
  let answered = 0;
  let next = 0;

  const makeCall = async (id) => {
    const controller = new AbortController();
    if (id % 17 === 0) setTimeout(() => controller.abort(), id % 10);
    const data = method === 'post' ? BODIES[id % BODIES.length]() : undefined;
    const config = { method, data, headers: { 'x-id': id }, signal: controller.signal };
    const call = client.request({ url: `${url}${id % 3 ? '/' : '/hop'}`, ...config });
    const outcome = await call.finally(() => { ended[id] += 1; }).catch((error) => error);
    expect(outcome.recovery.attempts.length).toBeGreaterThanOrEqual(0);
    if (outcome instanceof Error) expect(axios.isAxiosError(outcome)).toBe(true);
    else answered += 1;
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
    while (next < CALLS) await makeCall(next++);
  }));

  expect(ended).toEqual(new Array(CALLS).fill(1));
  if (method === 'post') expect([...done].filter(([, times]) => times > 1)).toEqual([]);
  else expect(answered).toBeGreaterThan(CALLS * 0.8);
  httpAgent.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => { server.close(resolve); });
}, 60_000);
