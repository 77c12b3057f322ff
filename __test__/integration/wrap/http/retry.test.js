'use strict';

/** What is repeated and what is not, under real faults. */

const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const { EventEmitter, once } = require('node:events');

const { createPolicy, wrapHttp } = require('../../../..');
const {
  FaultProxy, closeAll, fin, inTurn, ok, partial, refusedPort, reply, resetServer, rst, startOrigin,
} = require('../../../../testing');
const { makeCertificate } = require('../../../support/certificates');
const { ok: okBytes, readAll, record, startRaw } = require('./record');

const QUICK = { backoff: { base: 1, cap: 1 } };
const quick = wrapHttp(http, { retry: QUICK });

afterEach(closeAll);

/** What comes of a request: its events, the response with its body, the error. */
async function outcome(request) {
  const { events, closed } = record(request);
  const result = { events, response: undefined, error: undefined, body: undefined };
  request.on('error', (error) => { result.error = error; });
  request.on('response', async (response) => {
    result.response = response;
    result.body = readAll(response, events);
  });
  await closed;
  result.body = await result.body;
  return result;
}

const codes = ({ attempts }) => attempts.map(({ fault }) => fault && fault.code);
const socketsOf = (events) => events.filter((event) => event === 'socket').length;

describe('before the response', () => {
  test.each([
    ['RST', [rst, ok], ['ECONNRESET', null]],
    ['FIN', [fin, ok], ['ECONNRESET', null]],
    ['FIN, then RST', [fin, rst, ok], ['ECONNRESET', 'ECONNRESET', null]],
    ['503', [reply(503), ok], ['HTTP_503', null]],
    ['429, then RST', [reply(429), rst, ok], ['HTTP_429', 'ECONNRESET', null]],
  ])('%s is survived, and the listeners see one request', async (name, answers, expected) => {
    const origin = await startOrigin(inTurn(...answers));
    const { events, response, body, error } = await outcome(quick.get(`${origin.url}/x`));
    expect(error).toBeUndefined();
    expect(body).toBe('ok');
    expect(codes(response.recovery)).toEqual(expected);
    expect(response.recovery.gaveUp).toBeUndefined();
    expect(origin.requests).toHaveLength(answers.length);
    // One 'socket' for each attempt; everything else once.
    expect(events.filter((event) => event !== 'socket')).toEqual([
      'prefinish', 'finish', 'response 200', 'response end', 'close', 'response close', 'body ok',
    ].filter((event) => events.includes(event)));
    expect(socketsOf(events)).toBe(answers.length);
    expect(events.filter((event) => event === 'close')).toHaveLength(1);
    expect(events).toContain('response 200');
  });

  test('half a head is no response', async () => {
    const server = await startRaw((socket, head, number) => (
      number === 0 ? socket.end('HTTP/1.1 200 OK\r\nContent-Le') : socket.write(okBytes())
    ));
    const { response, body } = await outcome(quick.get({ port: server.port, host: '127.0.0.1' }));
    expect(body).toBe('ok');
    expect(response.recovery.attempts[0].fault).toMatchObject({ code: 'ECONNRESET', delivery: 'unknown' });
    await server.close();
  });

  test('what is not transient is not repeated', async () => {
    const server = await startRaw((socket) => socket.end('no HTTP at all\r\n\r\n'));
    const { error, events } = await outcome(quick.get({ port: server.port, host: '127.0.0.1' }));
    expect(error.code).toMatch(/^HPE_/);
    expect(error.recovery.gaveUp).toBe('not-transient');
    expect(socketsOf(events)).toBe(1);
    await server.close();
  });

  test('the error of the last attempt is Node\'s own, and tells what was tried', async () => {
    const origin = await resetServer();
    const { error, events } = await outcome(quick.get(origin.url));
    expect(error).toMatchObject({ code: 'ECONNRESET', syscall: 'read', message: 'read ECONNRESET' });
    expect(codes(error.recovery)).toEqual(['ECONNRESET', 'ECONNRESET', 'ECONNRESET', 'ECONNRESET']);
    expect(error.recovery.gaveUp).toBe('attempts-exhausted');
    expect(events.slice(-2)).toEqual(['error Error,ECONNRESET,read ECONNRESET', 'close']);
    expect(origin.requests).toHaveLength(4);
  });

  test('a refused connection is tried again, and its error is Node\'s own', async () => {
    const { error } = await outcome(quick.get({ host: '127.0.0.1', port: await refusedPort() }));
    expect(error).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect' });
    expect(error.recovery.attempts).toHaveLength(4);
    expect(error.recovery.attempts[0].fault.delivery).toBe('not-sent');
  });

  test('an agent that has no connection to give has sent nothing', async () => {
    const origin = await startOrigin();
    const agent = new http.Agent();
    let failing = 2;
    agent.createConnection = (options, done) => {
      failing -= 1;
      if (failing < 0) return net.connect(options);
      process.nextTick(done, Object.assign(new Error('the tunnel broke'), { code: 'ECONNRESET' }));
      return undefined;
    };
    const { response } = await outcome(quick.request(origin.url, { agent, method: 'POST' }).end('x'));
    expect(response.recovery.attempts.map(({ fault }) => fault?.delivery)).toEqual(['not-sent', 'not-sent', undefined]);
    expect(origin.requests).toHaveLength(1);
  });
});

describe('a status', () => {
  test('the last response is the answer when the retries run out, with its body', async () => {
    const origin = await startOrigin(reply(503, { 'x-try': 'last' }, 'busy'));
    const { response, body, error } = await outcome(quick.get(origin.url));
    expect(error).toBeUndefined();
    expect(response).toMatchObject({ statusCode: 503, headers: { 'x-try': 'last' } });
    expect(body).toBe('busy');
    expect(codes(response.recovery)).toEqual(['HTTP_503', 'HTTP_503', 'HTTP_503', 'HTTP_503']);
    expect(response.recovery.gaveUp).toBe('attempts-exhausted');
  });

  test('a large last response loses nothing while it is held back', async () => {
    const large = 'x'.repeat(300_000);
    const origin = await startOrigin(reply(503, {}, large));
    const { body } = await outcome(wrapHttp(http, { retry: { ...QUICK, retries: 1, shouldRetry: () => undefined } }).get(origin.url));
    expect(body).toBe(large);
  });

  test('Retry-After is obeyed; one that is too long makes it the answer', async () => {
    const origin = await startOrigin(inTurn(reply(503, { 'retry-after': '1' }), ok, reply(503, { 'retry-after': '3600' })));
    const patient = await outcome(quick.get(origin.url));
    expect(patient.response.recovery.attempts[1].delay).toBeGreaterThanOrEqual(1000);
    const impatient = await outcome(quick.get(origin.url));
    expect(impatient.response).toMatchObject({ statusCode: 503, recovery: { gaveUp: 'retry-after-too-long' } });
  });

  test('a POST that was answered 503 is answered 503', async () => {
    const origin = await startOrigin(reply(503, {}, 'busy'));
    const { response, body } = await outcome(quick.request(origin.url, { method: 'POST' }).end('x'));
    expect(response).toMatchObject({ statusCode: 503, recovery: { gaveUp: 'not-idempotent' } });
    expect(body).toBe('busy');
    expect(origin.requests).toHaveLength(1);
  });

  test('an ordinary status is not held back', async () => {
    const origin = await startOrigin(reply(404));
    const { response } = await outcome(quick.get(origin.url));
    expect(response).toMatchObject({ statusCode: 404, recovery: { attempts: [{ fault: null, delay: 0 }] } });
    expect(response.recovery.gaveUp).toBeUndefined();
  });

  test('the connection of a short refusal goes back to the agent', async () => {
    const origin = await startOrigin(inTurn(reply(503), ok));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const { body } = await outcome(quick.get(origin.url, { agent }));
    expect(body).toBe('ok');
    expect(origin.connections()).toBe(1);
    agent.destroy();
  });

  test('a refusal whose body does not come is not waited for', async () => {
    const origin = await startOrigin(inTurn(partial(() => {}, { headers: { 'content-length': 1000 } }), ok));
    // `partial` answers 200.
    const statuses = [200];
    const { body } = await outcome(wrapHttp(http, { retry: { ...QUICK, statuses, retries: 1 } }).get(origin.url));
    expect(body).toBe('ok');
    await origin.requests[0].closed;
  });

  test('a refusal that breaks while it is held back, and is not repeated, is the error', async () => {
    const begun = new EventEmitter();
    const origin = await startOrigin((request, response) => {
      response.writeHead(503, { 'content-length': 1000 });
      response.write('half', () => begun.emit('half', response.socket));
    });
    const half = once(begun, 'half');
    const shouldRetry = async () => {
      const [socket] = await half;
      socket.resetAndDestroy();
      await new Promise((resolve) => {
        request.socket.on('close', resolve);
      });
      return false;
    };
    const request = wrapHttp(http, { retry: { shouldRetry } }).get(origin.url);
    const { error, response, events } = await outcome(request);
    expect(response).toBeUndefined();
    expect(error).toMatchObject({ code: 'ECONNRESET', recovery: { gaveUp: 'not-transient' } });
    expect(events.filter((event) => event === 'close')).toHaveLength(1);
  });

  test('one whose connection ends after it has arrived whole is still the answer', async () => {
    const server = await startRaw((socket) => socket.end('HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy'));
    const shouldRetry = async () => {
      await new Promise((resolve) => {
        request.socket.on('close', resolve);
      });
      return false;
    };
    const request = wrapHttp(http, { retry: { shouldRetry } }).get({ host: '127.0.0.1', port: server.port });
    const { response, body, events } = await outcome(request);
    expect(response.statusCode).toBe(503);
    expect(body).toBe('busy');
    expect(events.filter((event) => event === 'close')).toHaveLength(1);
    await server.close();
  });
});

describe('a request that must not be sent twice', () => {
  test('a POST whose connection was reset is not repeated', async () => {
    const origin = await startOrigin(inTurn(rst, ok));
    const { error } = await outcome(quick.request(origin.url, { method: 'POST' }).end('x'));
    expect(error).toMatchObject({ code: 'ECONNRESET', recovery: { gaveUp: 'not-idempotent' } });
    expect(error.recovery.attempts[0].fault.delivery).toBe('unknown');
    expect(origin.requests).toHaveLength(1);
  });

  test.each([
    ['an option', { 'Idempotency-Key': '1' }, () => {}],
    ['an array of headers', ['Host', 'x', 'idempotency-key', '1', 'Content-Length', '1'], () => {}],
    ['setHeader', {}, (request) => request.setHeader('Idempotency-Key', '1')],
  ])('unless it carries an Idempotency-Key: by %s', async (name, headers, prepare) => {
    const origin = await startOrigin(inTurn(rst, ok));
    const request = quick.request(origin.url, { method: 'POST', headers });
    prepare(request);
    const { response } = await outcome(request.end('x'));
    expect(response.statusCode).toBe(200);
    expect(origin.requests.map(({ headers: seen }) => seen['idempotency-key'])).toEqual(['1', '1']);
    expect(origin.requests[1].rawHeaders).toEqual(origin.requests[0].rawHeaders);
  });

  test('or its method is listed', async () => {
    const origin = await startOrigin(inTurn(rst, ok));
    const listed = wrapHttp(http, { retry: { ...QUICK, methods: ['POST'] } });
    const { response } = await outcome(listed.request(origin.url, { method: 'POST' }).end('x'));
    expect(response.statusCode).toBe(200);
  });

  test('or it had not been written when its connection was lost', async () => {
    // The first connection is reset as soon as it is there; nothing has been written to it.
    const proxy = await FaultProxy.listen({ upstream: (await startOrigin()).port });
    const reset = proxy.add({ type: 'reset', on: 'idle', afterMs: 20, times: 1 });
    const request = quick.request(proxy.url('/'), { method: 'POST' });
    const result = outcome(request);
    const [socket] = await once(request, 'socket');
    await new Promise((resolve) => {
      socket.on('close', resolve);
    });
    request.end('x');
    const { response } = await result;
    expect(reset.hits).toBe(1);
    expect(response.recovery.attempts[0].fault).toMatchObject({ code: 'ECONNRESET', delivery: 'not-sent' });
    expect(response.statusCode).toBe(200);
  });

  test('or its TLS handshake did not come to its end', async () => {
    const certificate = await makeCertificate();
    const origin = await startOrigin(ok, { tls: certificate });
    const proxy = await FaultProxy.listen({ upstream: origin.port });
    proxy.add({ type: 'reset', on: 'response', afterBytes: 10, times: 1 });
    const quickTls = wrapHttp(https, { retry: QUICK });
    const request = quickTls.request(`https://${proxy.address}/`, { method: 'POST', ca: certificate.cert, agent: false });
    const { response } = await outcome(request.end('x'));
    expect(response.recovery.attempts[0].fault).toMatchObject({ code: 'ECONNRESET', delivery: 'not-sent', phase: 'handshake' });
    expect(origin.requests).toHaveLength(1);
  });

  test('bytes that the system has taken prove nothing', async () => {
    const proxy = await FaultProxy.listen({ upstream: (await startOrigin()).port });
    proxy.add({ type: 'reset', on: 'before-request-forwarded', times: 1 });
    const { error } = await outcome(quick.request(proxy.url('/'), { method: 'POST' }).end('x'));
    expect(error.recovery).toMatchObject({ gaveUp: 'not-idempotent', attempts: [{ fault: { delivery: 'unknown' } }] });
  });
});

describe('a kept connection that has died', () => {
  /** Answers each connection's first request, and resets its second. */
  async function agedOrigin() {
    return startOrigin((request, response) => (request.onConnection === 1 ? ok : rst)(request, response));
  }

  test.each([
    ['http.Agent', (options) => new http.Agent(options)],
    ['an agent of its own kind', (options) => new (class Tunnel extends http.Agent {
      #made = 0;

      createConnection(...args) {
        this.#made += 1;
        // Works on the agent itself alone.
        expect(this.#made).toBeGreaterThan(0);
        return super.createConnection(...args);
      }
    })(options)],
  ])('is replaced at once, past the others that are idle: %s', async (name, make) => {
    const origin = await agedOrigin();
    const agent = make({ keepAlive: true });
    // Three idle connections, all of which will be reset.
    await Promise.all([1, 2, 3].map(() => outcome(quick.get(origin.url, { agent }))));
    expect(origin.connections()).toBe(3);
    const slow = wrapHttp(http, { retry: { backoff: { base: 5_000 } } });
    const { response, events } = await outcome(slow.get(origin.url, { agent }));
    expect(response.recovery.attempts).toMatchObject([{ fault: { code: 'ECONNRESET' } }, { fault: null, delay: 0 }]);
    expect(socketsOf(events)).toBe(2);
    expect(origin.connections()).toBe(4);
    // It is the agent's, as before: kept for the next one, and ended with it.
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(3);
    agent.destroy();
  });

  test('the request on the new connection is the same', async () => {
    const server = await startRaw((socket, head, number) => (number === 1 ? socket.resetAndDestroy() : socket.write(okBytes())));
    const agent = new http.Agent({ keepAlive: true, timeout: 5_000 });
    const options = { host: '127.0.0.1', port: server.port, agent, timeout: 3_000 };
    await outcome(quick.get(options));
    const request = quick.get({ ...options, headers: { 'X-Odd': 'Case' } });
    const { body } = await outcome(request);
    expect(body).toBe('ok');
    const [first, second] = [server.received[0].slice(server.received[0].indexOf('GET', 1)), server.received[1]];
    expect(second).toBe(first);
    expect(second).toContain('Connection: keep-alive');
    expect(request.agent).toBe(agent);
    agent.destroy();
    await server.close();
  });

  const [NODE] = process.versions.node.split('.').map(Number);

  (NODE >= 24 ? test : test.skip)('an agent with a proxy from the environment writes for the proxy again', async () => {
    const proxy = await startRaw((socket, head, number) => (number === 1 ? socket.resetAndDestroy() : socket.write(okBytes())));
    const agent = new http.Agent({ keepAlive: true, proxyEnv: { HTTP_PROXY: `http://127.0.0.1:${proxy.port}` } });
    await outcome(quick.get('http://inventory.test/first', { agent }));
    const { body } = await outcome(quick.get('http://inventory.test/second', { agent }));
    expect(body).toBe('ok');
    expect(proxy.received).toHaveLength(2);
    expect(proxy.received[1]).toMatch(/^GET http:\/\/inventory\.test\/second HTTP\/1\.1\r\n/);
    agent.destroy();
    await proxy.close();
  });

  test('a POST on it is not repeated: nobody knows how far it got', async () => {
    const origin = await agedOrigin();
    const agent = new http.Agent({ keepAlive: true });
    await outcome(quick.get(origin.url, { agent }));
    const { error } = await outcome(quick.request(origin.url, { agent, method: 'POST' }).end('x'));
    expect(error.recovery.gaveUp).toBe('not-idempotent');
    agent.destroy();
  });

  test('maxSockets holds: those who wait for a connection come first', async () => {
    const origin = await agedOrigin();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await outcome(quick.get(origin.url, { agent }));
    const results = await Promise.all([outcome(quick.get(origin.url, { agent })), outcome(quick.get(origin.url, { agent }))]);
    expect(results.map(({ body }) => body)).toEqual(['ok', 'ok']);
    agent.destroy();
  });
});

describe('after the response', () => {
  test.each([['RST', rst], ['FIN', fin]])('%s in the body is the response\'s error, with what it took', async (name, end) => {
    let breakIt;
    const origin = await startOrigin(inTurn(rst, partial((request, response) => { breakIt = () => end(request, response); })));
    const request = quick.get(origin.url);
    const { events, closed } = record(request);
    const [response] = await once(request, 'response');
    expect(codes(response.recovery)).toEqual(['ECONNRESET', null]);
    await once(response, 'readable');
    breakIt();
    const [error] = await once(response, 'error');
    expect(error).toMatchObject({ code: 'ECONNRESET', message: 'aborted' });
    expect(error.recovery).toMatchObject({ gaveUp: 'not-resumable' });
    expect(codes(error.recovery)).toEqual(['ECONNRESET', 'ECONNRESET']);
    expect(error.recovery.attempts[1].fault).toMatchObject({ phase: 'receive', delivery: 'answered' });
    expect(response.recovery).toEqual(error.recovery);
    await closed;
    expect(origin.requests).toHaveLength(2);
    expect(events.at(-1)).toBe('close');
  });
});

describe('what is asked of the policy', () => {
  test('hooks are told, and decide', async () => {
    const origin = await startOrigin(inTurn(rst, reply(404), ok));
    const told = [];
    const hooked = wrapHttp(http, {
      retry: {
        ...QUICK,
        onRetry: ({ attempt, fault, method, url }) => told.push([attempt, fault.code, method, url]),
        shouldRetry: (fault) => (fault.status === 404 ? true : undefined),
      },
    });
    const { response } = await outcome(hooked.get(`${origin.url}/stock?id=1`));
    expect(response.statusCode).toBe(200);
    const url = `${origin.url}/stock?id=1`;
    expect(told).toEqual([[1, 'ECONNRESET', 'GET', url], [2, 'HTTP_404', 'GET', url]]);
  });

  test('what a hook throws is the error', async () => {
    const origin = await startOrigin(inTurn(rst, reply(503)));
    const broken = new Error('of the hook');
    const hooked = wrapHttp(http, { retry: { onRetry: () => { throw broken; } } });
    for (const answer of ['RST', '503']) {
      const { error, events } = await outcome(hooked.get(`${origin.url}/${answer}`));
      expect(error).toBe(broken);
      expect(events.filter((event) => event === 'close')).toHaveLength(1);
    }
  });

  test('retries of one request, laid over those of the module', async () => {
    const origin = await resetServer();
    const { error } = await outcome(quick.get(origin.url, { unreset: { retry: 1 } }));
    expect(error.recovery.attempts).toHaveLength(2);
    const single = await outcome(quick.request(origin.url, { method: 'PUT', unreset: { retry: false } }).end('x'));
    expect(single.error.recovery).toMatchObject({ attempts: [{ delay: 0 }], gaveUp: 'attempts-exhausted' });
    expect(single.error.recovery.attempts).toHaveLength(1);
    expect(() => quick.get(origin.url, { unreset: { retries: 1 } })).toThrow(/options\.unreset\.retries is not an option/);
    expect(() => quick.get(origin.url, { unreset: { retry: { base: 1 } } })).toThrow(/options\.unreset\.retry\.base/);
    expect(() => quick.get(origin.url, { unreset: { retry: createPolicy() } })).toThrow(/options\.unreset\.retry must be/);
  });

  test('a policy is shared: budget and stats go by the origin', async () => {
    const policy = createPolicy({ ...QUICK, budget: { ratio: 0, perSecond: 0 } });
    const shared = wrapHttp(http, { retry: policy });
    const origin = await resetServer();
    const { error } = await outcome(shared.get(origin.url));
    expect(error.recovery.gaveUp).toBe('budget-exhausted');
  });
});
