'use strict';

/** Streams up and down: what is kept, what is left, and what a body tells that breaks when somebody reads it. */

const { once } = require('node:events');
const { PassThrough, Readable, finished } = require('node:stream');
const { promisify } = require('node:util');
const FormData = require('form-data');
const axios = require('axios');
const { createPolicy, wrapAxios } = require('../../..');
const { closeAll, fin, inTurn, ok, partial, reply, rst, startOrigin } = require('../../../testing');
const { ADAPTERS, QUICK, caught, codesOf, wrapped } = require('../../support/wrap-axios');

afterEach(closeAll);

const MIB = 1024 * 1024;

/** Resets when this many bytes of the first request's body have arrived; later requests are answered. */
function resetsAt(bytes) {
  return startOrigin(async ({ index, incoming }, response) => {
    let size = 0;
    try {
      for await (const chunk of incoming) {
        size += chunk.length;
        if (index === 0 && size >= bytes) return response.socket.resetAndDestroy();
      }
    } catch {
      return undefined;
    }
    return reply(200, {}, { size })({ method: 'PUT' }, response);
  }, { readBody: false });
}

function bytes(count, chunk = 64 * 1024) {
  const chunks = Array.from({ length: count / chunk }, (_, at) => Buffer.alloc(chunk, at));
  return Readable.from(chunks, { objectMode: false });
}

describe.each(ADAPTERS)('an upload over the %s adapter', (adapter) => {
  const client = (retry, config) => wrapped(retry, { adapter, ...config });

  test('of 1 MiB, struck in its middle, is sent again whole', async () => {
    const origin = await resetsAt(MIB / 2);
    const { data, recovery } = await client().put(origin.url, bytes(MIB));
    expect(data).toEqual({ size: MIB });
    expect(recovery.attempts).toHaveLength(2);
  });

  test('of more is committed to its attempt: not replayable', async () => {
    const origin = await resetsAt(MIB + 1);
    const source = bytes(8 * MIB);
    const error = await caught(client().put(origin.url, source));
    expect(error.recovery).toMatchObject({ attempts: [{ fault: { transient: true } }], gaveUp: 'body-not-replayable' });
    expect(origin.requests).toHaveLength(1);
    expect(source.destroyed).toBe(true);
  });

  test('of more, from a function, is opened anew', async () => {
    const origin = await resetsAt(MIB + 1);
    const opened = [];
    const { data } = await client().put(origin.url, () => {
      opened.push(bytes(4 * MIB));
      return opened.at(-1);
    });
    expect(data).toEqual({ size: 4 * MIB });
    expect(opened).toHaveLength(2);
  });

  test('that is slow goes on with the next attempt where the source is', async () => {
    const origin = await resetsAt(3);
    const source = new PassThrough();
    source.write('one');
    const onRetry = () => {
      source.end(' two');
    };
    const { data } = await client({ onRetry }).put(origin.url, source);
    expect(data).toEqual({ size: 7 });
  });

  test('of a POST is kept as well: it may be refused before it has left', async () => {
    const origin = await startOrigin();
    const port = origin.port;
    await origin.close();
    let reopened;
    const onRetry = async () => {
      reopened ??= await startOrigin(undefined, { port });
    };
    await client({ onRetry }).post(`http://127.0.0.1:${port}/`, Readable.from(['bolt']));
    expect(reopened.requests.map(({ body }) => body.toString())).toEqual(['bolt']);
  });

  test('of a call without retries is the caller\'s own stream', async () => {
    const source = Readable.from(['bolt']);
    let given;
    const own = async (config) => {
      given = config.data;
      return { status: 200, data: '', headers: {}, config };
    };
    await wrapped({ retries: 0 }, { adapter: own }).put('/x', source);
    expect(given).toBe(source);
    const origin = await startOrigin(rst);
    const error = await caught(client({ retries: 0 }).put(origin.url, Readable.from(['bolt'])));
    expect(error.recovery.gaveUp).toBe('body-not-replayable');
  });

  test('that fails at its source fails with that, once', async () => {
    const origin = await startOrigin(ok, { readBody: false });
    const broken = () => Object.assign(new Error('the source is gone'), { code: 'ECONNRESET' });
    const source = new Readable({
      read() {
        this.push('one');
        this.destroy(broken());
      },
    });
    const error = await caught(client().put(origin.url, source));
    expect([error, error.cause, error.cause?.cause].map((link) => link?.message)).toContain('the source is gone');
    expect(error.recovery).toMatchObject({ attempts: [{ fault: { code: 'ERR_BODY_SOURCE_FAILED' } }], gaveUp: 'not-transient' });
    expect(error.recovery.attempts).toHaveLength(1);
  });

  test('is sent whole by a call that an interceptor makes anew', async () => {
    const origin = await startOrigin(inTurn(rst, reply(401), rst, ok));
    const api = client();
    api.interceptors.response.use(null, (error) => {
      if (error.response?.status !== 401) throw error;
      return api(error.config);
    });
    const { recovery } = await api.put(origin.url, Readable.from(['bolt, ', 'crank']));
    expect(origin.requests.map(({ body }) => body.toString())).toEqual(Array(4).fill('bolt, crank'));
    expect(codesOf(recovery)).toEqual(['ECONNRESET', null]);
  });

  test('that was read before is not sent empty', async () => {
    const origin = await startOrigin();
    const source = Readable.from(['bolt']);
    await source.toArray();
    const error = await caught(client().put(origin.url, source));
    expect([error, error.cause, error.cause?.cause].map((link) => link?.code)).toContain('ERR_BODY_SOURCE_FAILED');
    expect(error.recovery.gaveUp).toBe('not-transient');
    expect(origin.requests.filter(({ complete }) => complete)).toEqual([]);
  });

  test('in error.config is the caller\'s own', async () => {
    const origin = await startOrigin(reply(404));
    const source = Readable.from(['bolt']);
    const error = await caught(client().put(origin.url, source));
    expect(error.config.data).toBe(source);
  });
});

test('a source that fails while nobody reads it does not end the program: the next attempt fails with that', async () => {
  const source = new PassThrough();
  let attempts = 0;
  const adapter = async ({ data }) => {
    attempts += 1;
    if (attempts === 1) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });
    return data.toArray();
  };
  const onRetry = async () => {
    const closed = new Promise((resolve) => { source.once('close', resolve); });
    source.destroy(new Error('the source is gone'));
    await closed;
  };
  const error = await caught(wrapped({ onRetry }, { adapter }).put('/x', source));
  expect(error.message).toBe('the source is gone');
  expect(codesOf(error.recovery)).toEqual(['ECONNREFUSED', 'ERR_BODY_SOURCE_FAILED']);
});

test.each([
  ['before', (stream) => stream.destroy()],
  ['after', (stream) => setImmediate(() => stream.destroy())],
])('a source is left where the adapter leaves its stand-in, %s it answers', async (name, leave) => {
  const source = new PassThrough();
  source.write('one');
  const closed = once(source, 'close');
  const adapter = async (config) => {
    leave(config.data);
    return { status: 413, data: '', headers: {}, config };
  };
  await wrapped(QUICK, { adapter }).put('/x', source);
  await closed;
});

test('a stream that its owner destroys is a cancellation, as with plain axios', async () => {
  const origin = await startOrigin(ok, { readBody: false });
  const run = async (client) => {
    const source = new PassThrough();
    source.write('one');
    const call = caught(client.put(origin.url, source, { adapter: 'http' }));
    await origin.received(origin.requests.length);
    source.destroy();
    const { name, code, message } = await call;
    return { name, code, message };
  };
  const plain = await run(axios.create());
  expect(plain.code).toBe('ERR_CANCELED');
  expect(await run(wrapped(QUICK))).toEqual(plain);
});

test('a form of the package form-data is its own for adapters: headers, length, class by its methods', async () => {
  const form = new FormData();
  form.append('sku', 'bolt');
  let seen;
  await wrapped(QUICK, {
    adapter: async (config) => {
      seen = { boundary: config.data.getBoundary(), text: String(config.data), body: (await config.data.toArray()).join('') };
      return { status: 200, data: '', headers: {}, config };
    },
  }).put('/x', form);
  expect(seen).toMatchObject({ boundary: form.getBoundary(), text: '[object FormData]' });
  expect(seen.body).toContain('bolt');
});

test('a ReadableStream over fetch that was cut off is cancelled when the call has failed', async () => {
  const origin = await startOrigin(rst, { readBody: false });
  let cancelled = false;
  const source = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024)),
    cancel() {
      cancelled = true;
    },
  });
  await caught(wrapped(QUICK, { adapter: 'fetch' }).put(origin.url, source));
  expect(cancelled).toBe(true);
});

describe('a download', () => {
  const policyTold = () => {
    const policy = createPolicy(QUICK);
    const told = [];
    for (const name of ['attempt', 'gave-up']) policy.on(name, (event) => told.push([name, event.fault?.code ?? null, event.gaveUp]));
    return { policy, told };
  };

  test.each([['RST', rst], ['FIN', fin]])('over http that breaks by %s gives its error the recovery', async (name, fault) => {
    const origin = await startOrigin(inTurn(rst, partial(fault)));
    const { policy, told } = policyTold();
    const { data, recovery } = await wrapAxios(axios, { retry: policy }).get(origin.url, { responseType: 'stream' });
    expect(codesOf(recovery)).toEqual(['ECONNRESET', null]);
    const error = await caught(promisify(finished)(data.resume()));
    expect(error.code).toBe('ECONNRESET');
    expect(error.recovery.gaveUp).toBe('not-resumable');
    expect(error.recovery.attempts[1].fault).toMatchObject({ code: 'ECONNRESET', phase: 'receive', delivery: 'answered' });
    expect(told.at(-1)).toEqual(['gave-up', 'ECONNRESET', 'not-resumable']);
  });

  test.each([['RST', rst], ['FIN', fin]])('over fetch that breaks by %s likewise, for a reader of bytes too', async (name, fault) => {
    const origin = await startOrigin(inTurn(rst, partial(fault)));
    const { data } = await wrapped(QUICK, { adapter: 'fetch' }).get(origin.url, { responseType: 'stream' });
    expect(data).toBeInstanceOf(ReadableStream);
    const reader = data.getReader({ mode: 'byob' });
    expect(Buffer.from((await reader.read(new Uint8Array(100))).value).toString()).toBe('partial');
    const error = await caught(reader.read(new Uint8Array(100)));
    expect(error.recovery).toMatchObject({ gaveUp: 'not-resumable', attempts: [{}, { fault: { code: 'ECONNRESET' } }] });
  });

  test('over fetch arrives whole, and can be cancelled', async () => {
    const origin = await startOrigin(reply(200, {}, 'x'.repeat(MIB)));
    const client = wrapped(QUICK, { adapter: 'fetch' });
    const whole = await client.get(origin.url, { responseType: 'stream' });
    expect((await new Response(whole.data).text()).length).toBe(MIB);
    const left = await client.get(origin.url, { responseType: 'stream' });
    await left.data.cancel();
    await origin.requests[1].closed;
  });

  test('has no listener for errors that plain axios would not have: one that nobody handles ends the program', async () => {
    const origin = await startOrigin(partial(() => {}));
    const [ours, plain] = await Promise.all([wrapped(QUICK), axios].map((client) => client.get(origin.url, { responseType: 'stream' })));
    expect(ours.data.listenerCount('error')).toBe(plain.data.listenerCount('error'));
    for (const { data } of [ours, plain]) data.destroy();
  });

  test('what the caller destroys it with is the caller\'s', async () => {
    const origin = await startOrigin(partial(() => {}));
    const { policy, told } = policyTold();
    const { data } = await wrapAxios(axios, { retry: policy }).get(origin.url, { responseType: 'stream' });
    const own = new Error('enough');
    const failed = once(data, 'error');
    data.destroy(own);
    expect(await failed).toEqual([own]);
    expect(told).toEqual([['attempt', null, undefined]]);
  });

  test('a 503 as a stream gives way to the next attempt, and its connection to others', async () => {
    const origin = await startOrigin(inTurn((request, response) => {
      response.writeHead(503, { 'content-length': 10 * MIB });
      response.write('busy');
    }, ok));
    for (const validateStatus of [undefined, () => true]) {
      origin.requests.length = 0;
      const config = { responseType: 'stream', ...(validateStatus && { validateStatus }) };
      const { data } = await wrapped(QUICK).get(origin.url, config);
      expect((await data.toArray()).join('')).toBe('ok');
      await origin.requests[0].closed;
    }
  });
});
