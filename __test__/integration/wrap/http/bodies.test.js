'use strict';

/** Request bodies under faults: sent again as they were, or not at all. */

const http = require('node:http');
const net = require('node:net');
const { EventEmitter, once } = require('node:events');
const { Readable, pipeline } = require('node:stream');

const { wrapHttp } = require('../../../..');
const { FaultProxy, closeAll, inTurn, ok, reply, rst, startOrigin } = require('../../../../testing');
const { ok: okBytes, record, startRaw } = require('./record');

const QUICK = { backoff: { base: 1, cap: 1 } };
const quick = wrapHttp(http, { retry: QUICK });
const MIB = 1024 * 1024;

afterEach(closeAll);

/** Resets the first connection when all of `expected` bytes of its request are there; answers the others. */
function resetOnce(isWhole) {
  return async () => {
    const server = await startRaw((socket, head, number) => {
      const look = () => {
        if (!isWhole(server.received[number])) return;
        if (number === 0) socket.resetAndDestroy();
        else if (!socket.answered) {
          socket.answered = true;
          socket.write(okBytes());
        }
      };
      socket.on('data', () => setImmediate(look));
      setImmediate(look);
    });
    return server;
  };
}

const withChunks = resetOnce((text) => text.endsWith('\r\n0\r\n\r\n'));
const withLength = (length) => resetOnce((text) => text.length - text.indexOf('\r\n\r\n') - 4 >= length);

describe('the second attempt sends the same bytes', () => {
  test.each([
    ['end(text)', {}, withLength(5), (request) => request.end('hello')],
    ['end(buffer)', {}, withLength(5), (request) => request.end(Buffer.from('hello'))],
    ['end(text, encoding)', {}, withLength(5), (request) => request.end('68656c6c6f', 'hex')],
    ['write, write, end', {}, withChunks, (request) => {
      request.write('one');
      request.write(Buffer.from('two'));
      request.end('three');
    }],
    ['an empty write first', {}, withChunks, (request) => {
      request.write('');
      request.end('x');
    }],
    ['flushHeaders first', {}, withChunks, (request) => {
      request.flushHeaders();
      request.end('late');
    }],
    ['a Content-Length of its own', { headers: { 'content-length': 6 } }, withLength(6), (request) => {
      request.write('one');
      request.end('two');
    }],
    ['headers set, added and removed', { headers: { 'X-One': '1', 'X-Two': ['2'], gone: '1' } }, withLength(1), (request) => {
      request.setHeader('X-Three', '3');
      request.appendHeader('x-two', '2b');
      request.removeHeader('Gone');
      request.setHeaders(new Map([['X-Four', '4']]));
      request.end('x');
    }],
    ['an array that is set, and added to', {}, withLength(1), (request) => {
      const values = ['1'];
      request.setHeader('X-A', values);
      request.appendHeader('X-A', '2');
      request.end('x');
    }],
    ['an array of headers', { headers: ['Host', 'x', 'X-A', '1', 'x-a', '2', 'Content-Length', '1'] }, withLength(1), (request) => (
      request.end('x')
    )],
    ['Connection removed', {}, withLength(1), (request) => {
      request.removeHeader('connection');
      request.end('x');
    }],
    ['trailers', { headers: { Trailer: 'X-Sum' } }, resetOnce((text) => text.endsWith('X-Sum: 1\r\n\r\n')), (request) => {
      request.write('one');
      request.addTrailers({ 'X-Sum': '1' });
      request.end();
    }],
    ['members that were set', {}, withLength(1), (request) => {
      request.path = '/set';
      request.end('x');
    }],
    ['no body', {}, withLength(0), (request) => request.end()],
  ])('%s', async (name, options, start, send) => {
    const server = await start();
    const request = quick.request({ host: '127.0.0.1', port: server.port, method: 'PUT', agent: false, ...options });
    const { closed } = record(request);
    send(request);
    const [response] = await once(request, 'response');
    expect(response.resume().recovery.attempts).toHaveLength(2);
    await closed;
    expect(server.received[0]).toMatch(/^PUT /);
    expect(server.received[1]).toBe(server.received[0]);
    await server.close();
  });

  test('the caller\'s objects may change meanwhile', async () => {
    const origin = await startOrigin(inTurn(rst, ok));
    const options = { method: 'PUT', headers: { 'x-list': ['a', 'b'] }, path: '/right' };
    const bytes = Buffer.from('right');
    const request = quick.request(origin.url, options);
    request.end(bytes, () => {
      // It has left, so a program may fill it with what comes next.
      bytes.fill('x');
    });
    options.headers['x-list'].push('c');
    options.headers.other = '1';
    options.path = '/wrong';
    const [response] = await once(request, 'response');
    response.resume();
    expect(origin.requests[1]).toMatchObject({ path: '/right', body: Buffer.from('right') });
    const sent = origin.requests[1].rawHeaders;
    expect(sent.filter((text, at) => sent[at - 1] === 'x-list')).toEqual(['a', 'b']);
    expect(sent).not.toContain('other');
  });
});

describe('how much is kept', () => {
  test.each([
    ['a MiB is', MIB, 200],
    ['a byte more is not', MIB + 1, 'body-not-replayable'],
  ])('%s', async (name, size, expected) => {
    const origin = await startOrigin(inTurn(rst, ok));
    const request = quick.request(origin.url, { method: 'PUT' });
    const { closed } = record(request);
    const outcome = new Promise((resolve) => {
      request.on('response', (response) => resolve(response.resume().statusCode));
      request.on('error', (error) => resolve(error.recovery.gaveUp));
    });
    Readable.from(chunksOf(size)).pipe(request);
    expect(await outcome).toBe(expected);
    await closed;
    if (expected === 200) expect(origin.requests[1].body.equals(origin.requests[0].body)).toBe(true);
    else expect(origin.requests).toHaveLength(1);
  });

  test('what is written between two attempts is sent with the next one', async () => {
    const bodies = [];
    const server = http.createServer((req, res) => {
      const number = bodies.push('') - 1;
      req.on('error', () => {}).on('data', (chunk) => {
        bodies[number] += chunk;
        if (number === 0) req.socket.resetAndDestroy();
      });
      req.on('end', () => res.end());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    // A hook that waits has the moment between two attempts in its hand.
    const moment = new EventEmitter();
    const onRetry = () => {
      moment.emit('between');
      return once(moment, 'over');
    };
    const request = wrapHttp(http, { retry: { ...QUICK, onRetry } }).request({
      host: '127.0.0.1', port: server.address().port, method: 'PUT',
    });
    const between = once(moment, 'between');
    request.write('before, ');
    await between;
    const calls = [];
    expect(request.write('between, ', () => calls.push('between is out'))).toBe(false);
    expect(request.writableNeedDrain).toBe(true);
    expect(() => request.write(null)).toThrow(expect.objectContaining({ code: 'ERR_STREAM_NULL_VALUES' }));
    expect(() => request.setHeader('late', '1')).toThrow(expect.objectContaining({ code: 'ERR_HTTP_HEADERS_SENT' }));
    const drained = once(request, 'drain');
    moment.emit('over');
    await drained;
    request.end('after');
    const [response] = await once(request, 'response');
    response.resume();
    expect(bodies).toEqual(['before, ', 'before, between, after']);
    expect(calls).toEqual(['between is out']);
    server.closeAllConnections();
    server.close();
  });

  test('the body may be ended between two attempts; more is an error', async () => {
    const origin = await startOrigin(inTurn(rst, ok), { readBody: false });
    const moment = new EventEmitter();
    const onRetry = () => {
      moment.emit('between');
      return once(moment, 'over');
    };
    const request = wrapHttp(http, { retry: { ...QUICK, onRetry } }).request(origin.url, { method: 'PUT' });
    const between = once(moment, 'between');
    request.flushHeaders();
    await between;
    const told = [];
    request.end('all of it', () => told.push('finished'));
    request.on('error', ({ code }) => told.push(code));
    expect(request.write('more', ({ code }) => told.push(`written ${code}`))).toBe(false);
    request.end('more');
    const finished = new Promise((resolve) => {
      request.on('finish', resolve);
    });
    moment.emit('over');
    const second = await origin.received(1);
    await finished;
    request.destroy();
    expect(second.headers['transfer-encoding']).toBe('chunked');
    expect(told).toEqual(['written ERR_STREAM_WRITE_AFTER_END', 'ERR_STREAM_WRITE_AFTER_END', 'ERR_STREAM_WRITE_AFTER_END', 'finished']);
  });
});

describe('callbacks and backpressure', () => {
  test('each callback is called once, when its chunk has left for good', async () => {
    const origin = await startOrigin(inTurn(rst, ok));
    const request = quick.request(origin.url, { method: 'PUT' });
    const calls = [];
    request.write('one', (error) => calls.push(['one', error]));
    request.write('two', 'latin1', (error) => calls.push(['two', error]));
    request.end('three', () => calls.push(['ended']));
    const [response] = await once(request, 'response');
    response.resume();
    await once(request, 'close');
    expect(calls).toEqual([['one', undefined], ['two', undefined], ['ended']].map((call) => expect.arrayContaining([call[0]])));
    expect(calls.every(([, error]) => !error)).toBe(true);
  });

  test('when nothing can be sent any more, those who wait are told', async () => {
    // Reads nothing, so that a chunk cannot leave whole.
    const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    const accepted = once(server, 'connection');
    await once(server, 'listening');
    const request = quick.request({ host: '127.0.0.1', port: server.address().port, method: 'PUT' });
    const small = new Promise((resolve) => {
      request.write('small', resolve);
    });
    const large = new Promise((resolve) => {
      request.write(Buffer.alloc(64 * MIB), resolve);
    });
    const [socket] = await accepted;
    const failed = once(request, 'error');
    socket.resetAndDestroy();
    const [error] = await failed;
    expect(error.recovery.gaveUp).toBe('body-not-replayable');
    await small;
    expect((await large).code).toMatch(/^E/);
    server.close();
  });

  test('write says false and drain comes when the socket is full, as with any number of attempts', async () => {
    const origin = await startOrigin(inTurn(rst, ok), { readBody: true });
    const request = quick.request(origin.url, { method: 'PUT' });
    const half = Buffer.alloc(MIB / 2, 'h');
    expect(request.write(half)).toBe(false);
    await once(request, 'drain');
    request.end();
    const [response] = await once(request, 'response');
    response.resume();
    expect(origin.requests[1].body.length).toBe(half.length);
  });

  test('a pipeline survives a reset in the middle of it', async () => {
    const proxy = await FaultProxy.listen({ upstream: (await startOrigin()).port });
    proxy.add({ type: 'reset', on: 'request', afterBytes: 100_000, times: 1 });
    const request = quick.request(proxy.url('/'), { method: 'PUT' });
    const piped = new Promise((resolve) => {
      pipeline(Readable.from(chunksOf(MIB)), request, resolve);
    });
    const [response] = await once(request, 'response');
    expect(response.resume().recovery.attempts).toHaveLength(2);
    await once(response, 'end');
    expect(await piped).toBeFalsy();
  });
});

describe('answers while the body is still written', () => {
  test('a refusal is repeated with all that was written, and the rest follows', async () => {
    const seen = [];
    const server = http.createServer((req, res) => {
      const number = seen.push('') - 1;
      req.on('error', () => {});
      if (number === 0) {
        res.writeHead(503).end();
        return;
      }
      req.on('data', (chunk) => { seen[number] += chunk; });
      req.on('end', () => res.end('ok'));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const retried = new Promise((resolve) => {
      retryTold = resolve;
    });
    const told = wrapHttp(http, { retry: { ...QUICK, onRetry: () => retryTold() } });
    const request = told.request({ host: '127.0.0.1', port: server.address().port, method: 'PUT' });
    request.write('one, ');
    await retried;
    request.write('two, ');
    request.end('three');
    const [response] = await once(request, 'response');
    expect(response.resume().statusCode).toBe(200);
    expect(seen[1]).toBe('one, two, three');
    server.closeAllConnections();
    server.close();
  });
  let retryTold;

  test('an answer that is one is given at once, and writing goes on', async () => {
    const origin = await startOrigin(reply(200), { readBody: false });
    const request = quick.request(origin.url, { method: 'PUT' });
    request.write('one');
    const [response] = await once(request, 'response');
    expect(response.statusCode).toBe(200);
    request.end('two');
    response.resume();
    await once(request, 'close');
  });
});

describe('Expect: 100-continue', () => {
  test('who waits for it writes the body once, and both attempts have it', async () => {
    const server = http.createServer().listen(0, '127.0.0.1');
    const bodies = [];
    server.on('checkContinue', (req, res) => {
      const number = bodies.push('') - 1;
      res.writeContinue();
      req.on('error', () => {}).on('data', (chunk) => { bodies[number] += chunk; }).on('end', () => {
        if (number === 0) req.socket.resetAndDestroy();
        else res.end();
      });
    });
    await once(server, 'listening');
    const request = quick.request({
      host: '127.0.0.1', port: server.address().port, method: 'PUT', headers: { Expect: '100-continue' },
    });
    const continues = [];
    request.on('continue', () => {
      continues.push('continue');
      request.end('the body');
    });
    const [response] = await once(request, 'response');
    response.resume();
    expect(response.recovery.attempts).toHaveLength(2);
    expect(continues).toHaveLength(1);
    expect(bodies).toEqual(['the body', 'the body']);
    server.closeAllConnections();
    server.close();
  });

  test('where the first attempt broke before it, the second one says it', async () => {
    let number = 0;
    const server = http.createServer().listen(0, '127.0.0.1');
    server.on('checkContinue', (req, res) => {
      number += 1;
      if (number === 1) {
        req.socket.resetAndDestroy();
        return;
      }
      res.writeContinue();
      req.resume().on('end', () => res.end());
    });
    await once(server, 'listening');
    const request = quick.request({
      host: '127.0.0.1', port: server.address().port, method: 'PUT', headers: { Expect: '100-continue' },
    });
    request.on('continue', () => request.end('the body'));
    const [response] = await once(request, 'response');
    expect(response.resume().statusCode).toBe(200);
    server.closeAllConnections();
    server.close();
  });
});

describe('what was set on a request', () => {
  test('its timeout holds for the next attempt', async () => {
    const origin = await startOrigin(inTurn(rst, () => {}));
    const request = quick.get(origin.url);
    request.setTimeout(50);
    await origin.received(1);
    await once(request, 'timeout');
    const failed = once(request, 'error');
    request.destroy();
    await failed;
  });

  test('and so do the options of its socket', async () => {
    const origin = await startOrigin(inTurn(rst, ok));
    const set = [];
    const agent = new http.Agent();
    const { createConnection } = agent;
    agent.createConnection = (...args) => {
      const socket = createConnection.apply(agent, args);
      const { setKeepAlive } = socket;
      socket.setKeepAlive = (...values) => {
        set.push(values);
        return setKeepAlive.apply(socket, values);
      };
      return socket;
    };
    const request = quick.request(origin.url, { agent });
    request.setSocketKeepAlive(true, 1234);
    request.end();
    const [response] = await once(request, 'response');
    response.resume();
    expect(set).toEqual([[true, 1234], [true, 1234]]);
  });
});

function* chunksOf(size) {
  for (let left = size; left > 0; left -= 64 * 1024) yield Buffer.alloc(Math.min(left, 64 * 1024), String(left % 10));
}

