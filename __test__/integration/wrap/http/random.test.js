'use strict';

/** A thousand requests under faults at random: each ends once, nothing is done twice, nothing stays open. */

const http = require('node:http');

const { wrapHttp } = require('../../../..');
const { FaultProxy, closeAll, startOrigin } = require('../../../../testing');
const { openSockets } = require('../../../support/open-sockets');
const { randomFrom } = require('../../../support/random');

const REQUESTS = 1_000;
const AT_ONCE = 20;
const SEED = 20_261_123;

afterEach(closeAll);

const BODY = 'answer '.repeat(3_000);

async function faultyService(random) {
  const posted = new Map();
  const origin = await startOrigin((request, response) => {
    const id = request.headers['x-id'];
    if (request.method === 'POST') posted.set(id, (posted.get(id) ?? 0) + 1);
    const drawn = random();
    if (drawn < 0.05) response.writeHead(503, { 'content-length': 4 }).end(request.method === 'HEAD' ? undefined : 'busy');
    else if (drawn < 0.1) response.socket.resetAndDestroy();
    else if (drawn < 0.15) response.socket.end();
    else if (drawn < 0.2) response.writeHead(200, { connection: 'close' }).end(request.method === 'HEAD' ? undefined : BODY);
    else response.writeHead(200).end(request.method === 'HEAD' ? undefined : BODY);
  });
  const proxy = await FaultProxy.listen({ upstream: origin.port, seed: SEED });
  const often = { probability: 0.03 };
  proxy.add({ type: 'reset', on: 'before-request-forwarded', ...often });
  proxy.add({ type: 'close', on: 'before-request-forwarded', ...often });
  proxy.add({ type: 'reset', on: 'after-request-forwarded', ...often });
  proxy.add({ type: 'reset', on: 'request', afterBytes: 5_000, ...often });
  proxy.add({ type: 'close', on: 'response-head', afterBytes: 20, ...often });
  proxy.add({ type: 'reset', on: 'response-body', afterBytes: 1_000, ...often });
  proxy.add({ type: 'close', on: 'response-body', afterBytes: 9_000, ...often });
  proxy.add({ type: 'reset', on: 'idle', afterMs: 5, probability: 0.2 });
  return { url: proxy.url(), posted };
}

/** What comes of a request: how it ends, and how often it says so. What it returns goes on counting. */
function play(module, url, id, random, agent) {
  const method = ['GET', 'GET', 'GET', 'HEAD', 'PUT', 'POST'][Math.floor(random() * 6)];
  const request = module.request(url, { method, agent, headers: { 'x-id': String(id) } });
  const ended = { method, error: 0, response: 0, close: 0, body: undefined, late: 0 };
  return new Promise((resolve) => {
    const note = (what) => {
      // Nothing may follow the close.
      if (ended.close > 0) ended.late += 1;
      ended[what] += 1;
    };
    let reading = Promise.resolve();
    const over = async () => {
      ended.body = await reading;
      resolve(ended);
    };
    request.on('error', (error) => {
      note('error');
      ended.recovery = error.recovery;
    });
    request.on('response', (response) => {
      note('response');
      let text = '';
      response.on('data', (chunk) => { text += chunk; }).on('error', () => {});
      reading = new Promise((done) => {
        response.on('close', () => done(response.complete ? text : 'broken'));
      });
      ended.status = response.statusCode;
    });
    request.on('close', () => {
      note('close');
      over();
    });
    const drawn = random();
    if (drawn < 0.03) setTimeout(() => request.destroy(), random() * 20);
    if (drawn > 0.97) request.on('socket', () => request.abort());
    if (method === 'PUT' || method === 'POST') {
      request.write('x'.repeat(Math.floor(random() * 20_000)));
      request.write('y');
    }
    request.end();
  });
}

test('each ends once, and nothing stays', async () => {
  // What the proxy needs is opened once for the process.
  await (await FaultProxy.listen({ upstream: 1 })).close();
  const before = openSockets();
  const random = randomFrom(SEED);
  const { url, posted } = await faultyService(random);
  const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const wrapped = wrapHttp(http, { retry: { backoff: { base: 2, cap: 10 }, budget: false } });
  const results = [];
  let next = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < REQUESTS) {
      const id = next;
      next += 1;
      results.push(await play(wrapped, url, id, random, agent));
    }
  }));

  expect(results).toHaveLength(REQUESTS);
  for (const ended of results) {
    expect(ended).toMatchObject({ close: 1, late: 0 });
    // Either a response or an error; a response that broke may be told by the request as well, and so may an end
    // by the caller.
    expect(ended.response + ended.error).toBeLessThanOrEqual(ended.body === undefined ? 1 : 2);
    if (ended.status === 200 && ended.body !== 'broken') expect(ended.body).toBe(ended.method === 'HEAD' ? '' : BODY);
  }
  // The faults were there, and were survived.
  const answered = results.filter(({ status, body }) => status === 200 && body !== 'broken');
  expect(answered.length).toBeGreaterThan(REQUESTS * 0.75);
  expect(results.some(({ recovery }) => recovery?.gaveUp === 'not-idempotent')).toBe(true);
  // No POST was done twice.
  expect([...posted.values()].filter((times) => times > 1)).toEqual([]);

  expect(agent.requests).toEqual({});
  // The agent forgets a socket that failed when it has closed, a turn or two after its request has.
  await until(() => Object.keys(agent.sockets).length === 0);
  expect(agent.sockets).toEqual({});
  agent.destroy();
  await closeAll();
  // The proxy closes its ends on threads of its own.
  await until(() => openSockets() <= before);
  expect(openSockets()).toBe(before);
});

/** Waits, but not for ever: what has not come about is told by what is expected next. */
async function until(condition) {
  for (let turn = 0; !condition() && turn < 1_000; turn += 1) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}
