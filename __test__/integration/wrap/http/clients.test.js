'use strict';

/**
 * Clients that are made on `http` work on a wrapped one, their own retries off, and so do mocks and agents below
 * it.
 */

const http = require('node:http');
const https = require('node:https');
const { execFile } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');

const axios = require('axios');
const followRedirects = require('follow-redirects');
const httpsProxyAgent = require('https-proxy-agent');
const superagent = require('superagent');

const { classify, wrapHttp } = require('../../../..');
const { closeAll, fin, inTurn, ok, partial, reply, rst, startOrigin } = require('../../../../testing');
const { makeCertificate } = require('../../../support/certificates');
const { startProxy } = require('../../../support/proxy-server');

const QUICK = { backoff: { base: 1, cap: 1 } };
const quick = wrapHttp(http, { retry: QUICK });

afterEach(closeAll);

// superagent warns of a bug of its own, also on plain http: a body that breaks calls it back by the request and by
// the response.
beforeAll(() => jest.spyOn(console, 'warn').mockImplementation(() => {}));

/** Each makes a call, and resolves with `{ status, body }` or rejects with its own error. */
const CLIENTS = {
  'axios, transport': async (url, { method, body }) => {
    const { status, data } = await axios({ url, method, data: body, transport: quick, responseType: 'text' });
    return { status, body: data };
  },

  'axios, follow-redirects on it': async (url, { method, body }) => {
    const { http: transport } = followRedirects.wrap({ http: quick });
    const { status, data } = await axios({ url, method, data: body, transport, responseType: 'text' });
    return { status, body: data };
  },

  'follow-redirects': async (url, { method, body }) => {
    const request = followRedirects.wrap({ http: quick }).http.request(url, { method });
    request.end(body);
    return read(request);
  },

  'superagent, protocols': async (url, { method, body }) => {
    const { protocols } = superagent;
    const before = protocols['http:'];
    protocols['http:'] = quick;
    try {
      const call = superagent(method, url).buffer(true).parse(superagent.parse.text ?? superagent.parse['text/*']);
      const { status, text } = await (body === undefined ? call : call.type('text/plain').send(body));
      return { status, body: text };
    } finally {
      protocols['http:'] = before;
    }
  },

  'http.get': (url, { method, body }) => read(quick.request(url, { method }).end(body)),

  async 'got, request'(url, { method, body }) {
    const { failed, code, kind, delivery, ...answer } = await imported('got', url, method, ...(body === undefined ? [] : [body]));
    if (failed !== undefined) throw Object.assign(new Error(failed), { code, kind, delivery });
    return answer;
  },
};

/** What a program of `imported.js` comes to. */
async function imported(...args) {
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(__dirname, 'imported.js'), ...args], { timeout: 20_000 });
  return JSON.parse(stdout);
}

async function read(request) {
  // A reset in the body is told by the request too.
  request.on('error', () => {});
  const [response] = await once(request, 'response');
  const text = await response.setEncoding('utf8').toArray();
  return { status: response.statusCode, body: text.join('') };
}

describe.each(Object.entries(CLIENTS))('%s', (name, call) => {
  test.each([
    ['RST', rst],
    ['FIN', fin],
    ['503', reply(503, {}, 'busy')],
  ])('%s before the response is survived', async (fault, answer) => {
    const origin = await startOrigin(inTurn(answer, reply(200, { 'content-type': 'text/plain' }, 'ok')));
    expect(await call(`${origin.url}/x`, { method: 'GET' })).toEqual({ status: 200, body: 'ok' });
    expect(origin.requests).toHaveLength(2);
    expect(origin.requests[1].rawHeaders).toEqual(origin.requests[0].rawHeaders);
  });

  test('a body is sent again as it was', async () => {
    const origin = await startOrigin(inTurn(rst, reply(200, { 'content-type': 'text/plain' }, 'ok')));
    expect(await call(origin.url, { method: 'PUT', body: 'the body' })).toEqual({ status: 200, body: 'ok' });
    expect(origin.requests.map(({ body }) => String(body))).toEqual(['the body', 'the body']);
    expect(origin.requests[1].rawHeaders).toEqual(origin.requests[0].rawHeaders);
  });

  test('a POST that was reset fails, and is not sent again', async () => {
    const origin = await startOrigin(inTurn(rst, ok));
    const fault = await faultOf(call(origin.url, { method: 'POST', body: 'x' }));
    expect(fault).toMatchObject({ code: 'ECONNRESET', kind: 'reset', delivery: 'unknown' });
    expect(origin.requests).toHaveLength(1);
  });

  test('a reset in the body fails as the client shows it', async () => {
    const headers = { 'content-length': 1000, 'content-type': 'text/plain' };
    // The client has to have read the head: an RST may overtake it.
    const origin = await startOrigin(partial((request, response) => setTimeout(() => rst(request, response), 100), { headers }));
    const fault = await faultOf(call(origin.url, { method: 'GET' }));
    // superagent's error is that of the request, which does not tell.
    const delivery = name.startsWith('superagent') ? 'unknown' : 'answered';
    expect(fault).toMatchObject({ kind: 'reset', delivery });
    expect(origin.requests).toHaveLength(1);
  });
});

/** The fault of a call that fails. */
async function faultOf(call) {
  try {
    await call;
  } catch (error) {
    // Of another process it comes classified.
    return error.kind === undefined ? classify(error) : error;
  }
  throw new Error('it has not failed');
}

test('redirects are followed, each hop with its own retries', async () => {
  const origin = await startOrigin((request, response) => {
    const first = origin.requests.filter(({ path: seen }) => seen === request.path).length === 1;
    if (first) rst(request, response);
    else if (request.path === '/from') reply(302, { location: '/to' })(request, response);
    else ok(request, response);
  });
  const { http: following } = followRedirects.wrap({ http: quick });
  const { data } = await axios({ url: `${origin.url}/from`, transport: following });
  expect(data).toBe('ok');
  expect(origin.requests.map(({ path: seen }) => seen)).toEqual(['/from', '/from', '/to', '/to']);
});

test('nock sees every attempt', async () => {
  expect(await imported('nock')).toEqual({
    status: 200, body: 'ok', faults: ['ECONNRESET', 'HTTP_503', null], isDone: true,
  });
});

test.each([
  ['wrapped', quick],
  ['plain', http],
])('axios hears of the reset of a kept connection before Node does; it was %s before', async (name, first) => {
  const origin = await startOrigin((request, response) => (
    [0, 2].includes(request.index) ? reply(200, {}, 'ok') : rst
  )(request, response));
  const httpAgent = new http.Agent({ keepAlive: true });
  // Its listener is put on the socket once.
  await axios.get(origin.url, { httpAgent, transport: first });
  const { data, request } = await axios.get(origin.url, { httpAgent, transport: quick });
  expect(data).toBe('ok');
  expect(request.res.recovery.attempts).toHaveLength(2);
  httpAgent.destroy();
});

test('a mock of the module makes the attempts', async () => {
  const origin = await startOrigin(inTurn(rst, ok));
  const calls = [];
  const mock = { ...http, request: (options) => {
    calls.push(options.path);
    return http.request(options);
  } };
  expect(await read(wrapHttp(mock, { retry: QUICK }).get(`${origin.url}/seen`))).toEqual({ status: 200, body: 'ok' });
  expect(calls).toEqual(['/seen', '/seen']);
});

test('an instrumentation that replaces `emit` hears every attempt', async () => {
  const origin = await startOrigin(inTurn(rst, ok));
  const heard = [];
  const instrumented = { ...http, request: (options) => {
    const request = http.request(options);
    const { emit } = request;
    request.emit = function traced(event, ...args) {
      if (event === 'error' || event === 'response') heard.push(event);
      return emit.call(this, event, ...args);
    };
    request.on('error', () => {});
    return request;
  } };
  await read(wrapHttp(instrumented, { retry: QUICK }).get(origin.url));
  expect(heard).toEqual(['error', 'response']);
});

test('an agent that tunnels through a proxy makes every connection', async () => {
  // By its name: newer releases of Node have no server name that is an address, which is what this agent asks for.
  const certificate = await makeCertificate({ name: 'localhost' });
  const origin = await startOrigin(inTurn(fin, ok), { tls: certificate });
  const proxy = await startProxy();
  const agent = httpsProxyAgent(proxy.url);
  const url = `https://localhost:${origin.port}`;
  const request = wrapHttp(https, { retry: QUICK }).get(url, { agent, ca: certificate.cert });
  expect(await read(request)).toEqual({ status: 200, body: 'ok' });
  expect(proxy.tunnels.map(({ authority }) => authority)).toEqual([`localhost:${origin.port}`, `localhost:${origin.port}`]);
  await proxy.close();
});

test('a Unix socket is used for every attempt', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'unreset-http-'));
  let requests = 0;
  const server = http.createServer((req, res) => {
    requests += 1;
    if (requests === 1) req.socket.destroy();
    else res.end('ok');
  });
  try {
    const socketPath = path.join(directory, 's');
    await once(server.listen(socketPath), 'listening');
    expect(await read(quick.get({ socketPath, path: '/', agent: false }))).toEqual({ status: 200, body: 'ok' });
  } finally {
    server.close();
    fs.rmSync(directory, { recursive: true });
  }
});
