'use strict';

const { createHash, randomBytes } = require('node:crypto');
const { gzipSync } = require('node:zlib');

const { fetch, createFetch } = require('../../..');
const { closeAll, reply, startOrigin } = require('../../../testing');
const { caught, codesOf } = require('../../support/fetch-outcomes');
const { serveFile, sendPart } = require('../../support/file-server');

/** Waits too short to notice. */
const QUICK = { backoff: { base: 1, cap: 2 } };
const FAST = { retry: QUICK };
const WEAK = { etag: 'W/"v1"' };
const CONTENT = randomBytes(200_000);
const HALF = CONTENT.length / 2;

afterEach(closeAll);

async function streamed(response) {
  const chunks = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const whole = async (response) => Buffer.from(await response.arrayBuffer());

/** Reads the stream as far as it goes; `onPiece` is called for each piece. */
async function readUntilBroken(response, onPiece = () => {}) {
  const chunks = [];
  const error = await caught((async () => {
    for await (const chunk of response.body) {
      chunks.push(chunk);
      onPiece();
    }
  })());
  return { error, bytes: Buffer.concat(chunks) };
}

/** A promise to hold a break with, and what lets it happen. */
function held() {
  let release;
  const hold = new Promise((resolve) => {
    release = resolve;
  });
  return { hold, release };
}

describe('a body that breaks goes on where it broke', () => {
  test.each([['the stream', streamed], ['everything', whole]])('read as %s', async (name, read) => {
    const origin = await serveFile(CONTENT, { piece: 70_000 });
    const response = await fetch(origin.url, FAST);
    expect(CONTENT.equals(await read(response))).toBe(true);

    expect(response.recovery).toMatchObject({ resumed: 2, bytesRefetched: 0 });
    expect(codesOf(response.recovery)).toEqual(['ECONNRESET', 'ECONNRESET', null]);
    expect(response.recovery.attempts[0].fault).toMatchObject({ phase: 'receive', delivery: 'answered' });
    expect(response.recovery.gaveUp).toBeUndefined();
    expect(origin.requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=70000-', 'bytes=140000-']);
    expect(origin.requests.map(({ headers }) => headers['if-range'])).toEqual([undefined, '"v1"', '"v1"']);
  });

  test('its recovery is known when it has been read, also to a clone', async () => {
    const origin = await serveFile(CONTENT, { piece: HALF });
    const response = await fetch(origin.url, FAST);
    const twin = response.clone();
    const [one, two] = await Promise.all([streamed(response), streamed(twin)]);
    expect(CONTENT.equals(one) && CONTENT.equals(two)).toBe(true);
    for (const { recovery } of [response, twin]) expect(recovery.resumed).toBe(1);
    expect(response.recovery).toBe(response.recovery);
  });

  test('attempts before the head are told with those after it', async () => {
    const origin = await startOrigin((request, response) => {
      const headers = { etag: '"v1"' };
      if (request.index === 0) response.socket.resetAndDestroy();
      else if (request.index === 1) sendPart(response, CONTENT, 0, { headers, partial: false, piece: HALF });
      else sendPart(response, CONTENT, HALF, { headers });
    });
    const response = await fetch(origin.url, FAST);
    expect(CONTENT.equals(await whole(response))).toBe(true);
    expect(codesOf(response.recovery)).toEqual(['ECONNRESET', 'ECONNRESET', null]);
    expect(response.recovery.attempts.map(({ fault }) => fault?.phase)).toEqual(['wait', 'receive', undefined]);
  });

  test('compressed, with its encoded bytes', async () => {
    const text = Buffer.from(CONTENT.toString('hex'));
    const origin = await serveFile(gzipSync(text), { piece: 90_000, headers: { etag: '"v1"', 'content-encoding': 'gzip' } });
    const response = await fetch(origin.url, FAST);
    expect(text.equals(await whole(response))).toBe(true);
    expect(response.recovery.resumed).toBeGreaterThan(1);
    expect(new Set(origin.requests.map(({ headers }) => headers['accept-encoding'])).size).toBe(1);
  });

  test('and integrity is that of all of it', async () => {
    const origin = await serveFile(CONTENT, { piece: HALF });
    const integrity = `sha256-${createHash('sha256').update(CONTENT).digest('base64')}`;
    const response = await fetch(origin.url, { ...FAST, integrity });
    expect(CONTENT.equals(await whole(response))).toBe(true);
    expect(response.recovery.resumed).toBe(1);
  });

  test('a server that ignores Range sends all of it again, and what came before is skipped', async () => {
    const then = (request, response) => sendPart(response, CONTENT, 0, { headers: { etag: '"v1"' }, partial: false });
    const origin = await serveFile(CONTENT, { piece: HALF, then });
    const response = await fetch(origin.url, FAST);
    expect(CONTENT.equals(await streamed(response))).toBe(true);
    expect(response.recovery).toMatchObject({ resumed: 1, bytesRefetched: HALF });
  });
});

describe('two versions are never spliced into one', () => {
  const OTHER = randomBytes(CONTENT.length);
  const refusals = {
    'a changed file': [(request, response) => sendPart(response, OTHER, 0, { headers: { etag: '"v2"' }, partial: false }), 'ERR_RESUME_CHANGED'],
    'a changed file, If-Range ignored': [(request, response) => sendPart(response, OTHER, HALF, { headers: { etag: '"v2"' } }), 'ERR_RESUME_CHANGED'],
    'a Range ignored by a server without a validator then': [(request, response) => sendPart(response, CONTENT, 0, { partial: false }), 'ERR_RESUME_CHANGED'],
    'another part': [(request, response) => sendPart(response, CONTENT, HALF - 1, { headers: { etag: '"v1"' } }), 'ERR_RESUME_RANGE'],
    'a file that shrank': [(request, response) => sendPart(response, CONTENT.subarray(0, HALF + 9), HALF, { headers: { etag: '"v1"' } }), 'ERR_RESUME_CHANGED'],
    'a file that shrank below what has come': [reply(416, { 'content-range': 'bytes */7' }, ''), 'HTTP_416'],
    'a file that is gone': [reply(404), 'HTTP_404'],
  };

  test.each(Object.entries(refusals))('%s', async (name, [then, code]) => {
    const origin = await serveFile(CONTENT, { piece: HALF, then });
    const response = await fetch(origin.url, FAST);
    const { error, bytes } = await readUntilBroken(response);
    expect(bytes.equals(CONTENT.subarray(0, HALF))).toBe(true);
    expect(error).toMatchObject({ name: 'TypeError', message: 'terminated', code: 'ECONNRESET' });
    expect(error.cause).toMatchObject({ phase: 'receive', delivery: 'answered' });
    expect(codesOf(error.recovery)).toEqual(['ECONNRESET', code]);
    expect(error.recovery.gaveUp).toBe(code.startsWith('HTTP_') ? 'not-transient' : 'not-resumable');
    expect(response.recovery).toEqual(error.recovery);
    expect(origin.requests).toHaveLength(2);
  });

  test('a server that went away', async () => {
    const origin = await serveFile(CONTENT, { piece: HALF, then: (request, response) => response.socket.resetAndDestroy() });
    const { error } = await readUntilBroken(await fetch(origin.url, { retry: { ...QUICK, retries: 2 } }));
    expect(error.cause.phase).toBe('receive');
    expect(error.recovery).toMatchObject({ resumed: 0, gaveUp: 'attempts-exhausted' });
    expect(error.recovery.attempts.map(({ fault }) => fault.phase)).toEqual(['receive', 'wait', 'wait']);
  });
});

describe('resume', () => {
  const cases = [
    // Each: the client's option, the call's, the file's headers, whether the stream comes whole.
    ['validated by default', undefined, undefined, { etag: '"v1"' }, true],
    ['no validator', undefined, undefined, {}, false],
    ['a weak validator', undefined, undefined, WEAK, false],
    ['trusting', undefined, 'trusting', {}, true],
    ['trusting, with a weak validator', 'trusting', undefined, WEAK, true],
    ['false', undefined, false, { etag: '"v1"' }, false],
    ['false, of the client', false, undefined, { etag: '"v1"' }, false],
    ['the call goes before the client', false, 'validated', { etag: '"v1"' }, true],
    ['the call goes before a client that trusts', 'trusting', 'validated', {}, false],
  ];

  test.each(cases)('%s', async (name, ofClient, ofCall, headers, goesOn) => {
    // As long as the caller has seen nothing the body could begin anew, which is another matter.
    const { hold, release } = held();
    const origin = await serveFile(CONTENT, { piece: HALF, hold, headers });
    const response = await createFetch({ retry: QUICK, resume: ofClient })(origin.url, { resume: ofCall });
    if (goesOn) {
      release();
      expect(CONTENT.equals(await streamed(response))).toBe(true);
      expect(origin.requests).toHaveLength(2);
      expect(origin.requests[1].headers.range).toBe(`bytes=${HALF}-`);
    } else {
      const { error } = await readUntilBroken(response, release);
      expect(error.recovery.gaveUp).toBe('not-resumable');
      expect(origin.requests).toHaveLength(1);
    }
  });

  test('retry: false is no resuming either', async () => {
    const origin = await serveFile(CONTENT, { piece: HALF });
    const { error } = await readUntilBroken(await fetch(origin.url, { retry: false }));
    expect(error.recovery.gaveUp).toBe('attempts-exhausted');
    expect(origin.requests).toHaveLength(1);
  });

  test('not what the caller asked a part of', async () => {
    const { hold, release } = held();
    const part = { headers: { etag: '"v1"' }, piece: HALF, hold };
    const origin = await startOrigin((request, response) => sendPart(response, CONTENT, 10, part));
    const response = await fetch(origin.url, { ...FAST, headers: { range: 'bytes=10-' } });
    const { error } = await readUntilBroken(response, release);
    expect(error.recovery.gaveUp).toBe('not-resumable');
    expect(origin.requests).toHaveLength(1);
  });
});

describe('a body of which nobody has seen anything begins anew', () => {
  const JSON_HEADERS = { 'content-type': 'application/json' };
  const VALUE = { rows: Array.from({ length: 20_000 }, (_, index) => index) };
  const TEXT = Buffer.from(JSON.stringify(VALUE));

  const breaksOnce = (headers, hold) => serveFile(TEXT, {
    piece: 40_000,
    hold,
    headers,
    then: (request, response) => sendPart(response, TEXT, 0, { headers, partial: false }),
  });

  test.each([['without a validator', JSON_HEADERS], ['with a weak one', { ...JSON_HEADERS, ...WEAK }]])('%s', async (name, headers) => {
    const origin = await breaksOnce(headers);
    const response = await fetch(origin.url, FAST);
    expect(await response.json()).toEqual(VALUE);
    expect(codesOf(response.recovery)).toEqual(['ECONNRESET', null]);
    expect(response.recovery).toMatchObject({ resumed: 1, bytesRefetched: 40_000 });
    expect(origin.requests.map(({ headers: { range } }) => range)).toEqual([undefined, undefined]);
  });

  test('the whole of the second, also when that is shorter on the way', async () => {
    const origin = await serveFile(TEXT, {
      piece: 40_000,
      headers: JSON_HEADERS,
      then: (request, response) => sendPart(response, TEXT, 0, {
        headers: JSON_HEADERS, partial: false, piece: request.index < 2 ? 10_000 : Infinity,
      }),
    });
    const response = await fetch(origin.url, FAST);
    expect(await response.json()).toEqual(VALUE);
    expect(response.recovery).toMatchObject({ resumed: 2, bytesRefetched: 50_000 });
  });

  test('compressed', async () => {
    const packed = gzipSync(TEXT);
    const headers = { ...JSON_HEADERS, 'content-encoding': 'gzip' };
    const origin = await serveFile(packed, {
      piece: Math.ceil(packed.length / 2),
      headers,
      then: (request, response) => sendPart(response, packed, 0, { headers, partial: false }),
    });
    expect(await (await fetch(origin.url, FAST)).json()).toEqual(VALUE);
  });

  test.each([
    ['another length', { headers: JSON_HEADERS, body: Buffer.concat([TEXT, Buffer.from(' ')]) }],
    ['another type', { headers: { 'content-type': 'text/plain' }, body: TEXT }],
    ['a validator where there was none', { headers: { ...JSON_HEADERS, etag: '"v1"' }, body: TEXT }],
  ])('not with %s', async (name, { headers, body }) => {
    const origin = await serveFile(TEXT, {
      piece: 40_000,
      headers: JSON_HEADERS,
      then: (request, response) => sendPart(response, body, 0, { headers, partial: false }),
    });
    const response = await fetch(origin.url, FAST);
    const error = await caught(response.json());
    expect(error).toMatchObject({ code: 'ECONNRESET', recovery: { gaveUp: 'not-resumable' } });
    expect(codesOf(error.recovery)).toEqual(['ECONNRESET', 'ERR_RESUME_CHANGED']);
  });

  test('not after a piece of it has been handed over', async () => {
    const { hold, release } = held();
    const origin = await breaksOnce(JSON_HEADERS, hold);
    const { error } = await readUntilBroken(await fetch(origin.url, FAST), release);
    expect(error.recovery.gaveUp).toBe('not-resumable');
    expect(origin.requests).toHaveLength(1);
  });

  test('not of a POST: the server may have acted', async () => {
    const origin = await breaksOnce(JSON_HEADERS);
    const error = await caught((await fetch(origin.url, { ...FAST, method: 'POST', body: 'charge 10' })).json());
    expect(error.recovery.gaveUp).toBe('not-idempotent');
    expect(origin.requests).toHaveLength(1);
  });

  test('of a POST that the server recognises', async () => {
    const origin = await breaksOnce(JSON_HEADERS);
    const init = { ...FAST, method: 'POST', body: 'charge 10', headers: { 'idempotency-key': '42' } };
    expect(await (await fetch(origin.url, init)).json()).toEqual(VALUE);
    expect(origin.requests.map(({ body }) => body.toString())).toEqual(['charge 10', 'charge 10']);
  });
});

describe('hooks see these attempts as any other', () => {
  test('onRetry and shouldRetry', async () => {
    const origin = await serveFile(CONTENT, { piece: HALF });
    const told = [];
    const retry = {
      ...QUICK,
      shouldRetry: (fault, { attempt, url }) => {
        told.push(['should', fault.code, fault.phase, attempt, url]);
      },
      onRetry: ({ fault, attempt, url }) => {
        told.push(['on', fault.code, fault.phase, attempt, url]);
      },
    };
    expect(CONTENT.equals(await streamed(await fetch(`${origin.url}/file`, { retry })))).toBe(true);
    const rest = ['ECONNRESET', 'receive', 1, `${origin.url}/file`];
    expect(told).toEqual([['should', ...rest], ['on', ...rest]]);
  });

  test('shouldRetry may say no', async () => {
    const origin = await serveFile(CONTENT, { piece: HALF });
    const response = await fetch(origin.url, { retry: { ...QUICK, shouldRetry: () => false } });
    const { error } = await readUntilBroken(response);
    expect(error.recovery.gaveUp).toBe('not-transient');
    expect(origin.requests).toHaveLength(1);
  });

  test.each([['stream', readUntilBroken], ['whole', async (response) => ({ error: await caught(whole(response)) })]])(
    'what a hook throws is what reading rejects with: %s',
    async (name, read) => {
      const origin = await serveFile(CONTENT, { piece: HALF });
      const thrown = new Error('no more');
      const onRetry = () => {
        throw thrown;
      };
      const response = await fetch(origin.url, { retry: { ...QUICK, onRetry } });
      expect((await read(response)).error).toBe(thrown);
    },
  );
});

test('an abort between two attempts ends it at once, with its reason', async () => {
  const origin = await serveFile(CONTENT, { piece: HALF, then: () => {} });
  const abort = new AbortController();
  const response = await fetch(origin.url, { ...FAST, signal: abort.signal });
  const reading = readUntilBroken(response);
  const asked = await origin.received(1);
  abort.abort(new Error('changed my mind'));
  expect((await reading).error.message).toBe('changed my mind');
  await asked.closed;
});
