'use strict';

/**
 * Request bodies: the second attempt sends what the first one sent. The known fault of fetch-retry is that it sends what is
 * left of a stream, which is nothing, and the server believes it.
 */

const { Readable } = require('node:stream');
const FormDataPackage = require('form-data');
const { inTurn, ok, rst, startOrigin } = require('../../../../testing');
const { QUICK, failure } = require('./common');

const TEXT = 'one two three';
const pieces = () => ['one ', 'two ', 'three'].map((piece) => Buffer.from(piece));
const webStream = () => ReadableStream.from(pieces());
const MIB = 1024 * 1024;

async function form(context) {
  const FormDataOfClient = await ownOf(context, 'FormData');
  const data = new FormDataOfClient();
  data.append('order', TEXT);
  return data;
}

/** The parts of a multipart body without its boundary, which may be another for each attempt. */
const withoutBoundary = (text) => text.replaceAll(/-{2}[-\w]{8,}(?:--)?\r\n/g, '').trim();

/**
 * What a PUT that is reset when it has arrived sends: both times.
 *
 * @param {object} context
 * @param {(url: string) => [unknown, object?] | Promise<[unknown, object?]>} request input and init
 */
async function sentTwice({ inner, wrapFetch }, request) {
  const origin = await startOrigin(inTurn(rst, ok));
  await wrapFetch(inner, { retry: QUICK })(...await request(origin.url));
  return origin.requests.map(({ body, headers, method }) => ({
    method,
    text: withoutBoundary(String(body)),
    length: headers['content-length'] ?? null,
    coding: headers['transfer-encoding'] ?? null,
    type: headers['content-type']?.replace(/;? ?boundary=.*/, '') ?? null,
  }));
}

const put = (init) => (url) => [url, { method: 'PUT', ...init }];
const twice = (sent) => [sent, sent];
const whole = (type) => twice({ method: 'PUT', text: TEXT, length: String(TEXT.length), coding: null, type });
const chunked = (type = null) => twice({ method: 'PUT', text: TEXT, length: null, coding: 'chunked', type });

const PLAIN = 'text/plain;charset=UTF-8';
const bytes = Buffer.from(TEXT);

module.exports = {
  'a text is sent twice': { run: (context) => sentTwice(context, put({ body: TEXT })), expected: whole(PLAIN) },
  'a Buffer is sent twice': { run: (context) => sentTwice(context, put({ body: bytes })), expected: whole(null) },
  'an ArrayBuffer is sent twice': {
    run: (context) => sentTwice(context, put({ body: new Uint8Array(bytes).buffer })),
    expected: whole(null),
  },
  'URLSearchParams are sent twice': {
    run: (context) => sentTwice(context, put({ body: new URLSearchParams({ a: 'b c' }) })),
    expected: twice({
      method: 'PUT', text: 'a=b+c', length: '5', coding: null, type: 'application/x-www-form-urlencoded;charset=UTF-8',
    }),
  },
  'a Blob is sent twice': {
    run: (context) => sentTwice(context, put({ body: new Blob([TEXT], { type: 'text/csv' }) })),
    // node-fetch 2 pipes what is no Node stream.
    only: ({ kind, client }) => kind === 'undici' || client === 'node-fetch 3',
    expected: whole('text/csv'),
  },
  'a FormData is sent twice': {
    run: async (context) => {
      const sent = await sentTwice(context, put({ body: await form(context) }));
      return sent.map(({ text, type, length }) => ({ hasText: text.includes(TEXT), type, isStated: length !== null }));
    },
    // node-fetch 2 takes it for text.
    only: ({ kind, client }) => kind === 'undici' || client === 'node-fetch 3',
    expected: twice({ hasText: true, type: 'multipart/form-data', isStated: true }),
  },
  'a form of the package form-data is sent twice, with its length and its boundary': {
    run: async (context) => {
      const data = new FormDataPackage();
      data.append('order', TEXT);
      data.append('stream', Readable.from(pieces()), { filename: 'a.txt', knownLength: TEXT.length });
      const origin = await startOrigin(inTurn(rst, ok));
      await context.wrapFetch(context.inner, { retry: QUICK })(origin.url, { method: 'PUT', body: data });
      const [first, second] = origin.requests;
      return {
        isSame: first.body.equals(second.body),
        texts: String(second.body).split(TEXT).length - 1,
        isStated: second.headers['content-length'] === String(second.body.length),
        type: second.headers['content-type'] === `multipart/form-data;boundary=${data.getBoundary()}`,
      };
    },
    only: ({ kind }) => kind === 'node-fetch',
    expected: { isSame: true, texts: 2, isStated: true, type: true },
  },
  'a Node stream is sent twice': {
    run: (context) => sentTwice(context, put({ body: Readable.from(pieces()), duplex: 'half' })),
    expected: chunked(),
  },
  'a Node stream of stated length is sent twice': {
    run: (context) => sentTwice(context, put({
      body: Readable.from(pieces()), duplex: 'half', headers: { 'content-length': String(TEXT.length) },
    })),
    expected: whole(null),
  },
  'a web stream is sent twice': {
    run: (context) => sentTwice(context, put({ body: webStream(), duplex: 'half' })),
    only: ({ kind }) => kind === 'undici',
    expected: chunked(),
  },
  'an async iterable is sent twice': {
    run: (context) => sentTwice(context, put({
      body: (async function* () { yield* pieces(); })(), duplex: 'half',
    })),
    only: ({ kind }) => kind === 'undici',
    expected: chunked(),
  },
  'a function is asked for each attempt': {
    async run(context) {
      let calls = 0;
      const body = async () => {
        calls += 1;
        return Readable.from(pieces());
      };
      return [calls, await sentTwice(context, put({ body })), calls];
    },
    expected: [0, chunked(), 2],
  },
  'the text of a Request is sent twice, with its length': {
    run: (context) => sentTwice(context, async (url) => {
      const Request = await ownOf(context, 'Request');
      return [new Request(url, { method: 'PUT', body: TEXT })];
    }),
    expected: whole(PLAIN),
  },
  'the stream of a Request is sent twice': {
    run: (context) => sentTwice(context, async (url) => {
      const Request = await ownOf(context, 'Request');
      const live = context.kind === 'undici' ? slowWebStream() : Readable.from(slowly());
      return [new Request(url, { method: 'PUT', body: live, duplex: 'half' })];
    }),
    expected: chunked(),
  },
  'the body of init comes before that of the Request': {
    run: (context) => sentTwice(context, async (url) => {
      const Request = await ownOf(context, 'Request');
      return [new Request(url, { method: 'PUT', body: 'another' }), { body: TEXT }];
    }),
    expected: whole(PLAIN),
  },
  'a stream past 1 MiB is not sent again': {
    async run({ inner, wrapFetch }) {
      const origin = await startOrigin(rst);
      const body = Readable.from([Buffer.alloc(MIB), Buffer.alloc(1)]);
      const call = wrapFetch(inner, { retry: QUICK })(origin.url, { method: 'PUT', body, duplex: 'half' });
      const { codes, gaveUp } = await failure(call);
      return { codes, gaveUp, sizes: origin.requests.map((request) => request.body.length) };
    },
    expected: { codes: ['ECONNRESET'], gaveUp: 'body-not-replayable', sizes: [MIB + 1] },
  },
  'a stream that fails is not the fault of the network': {
    async run({ inner, wrapFetch }) {
      const origin = await startOrigin();
      const body = Readable.from((async function* () {
        yield Buffer.from('one');
        throw Object.assign(new Error('the disk'), { code: 'ECONNRESET' });
      })());
      const call = wrapFetch(inner, { retry: QUICK })(origin.url, { method: 'PUT', body, duplex: 'half' });
      const { codes, gaveUp } = await failure(call);
      return { codes, gaveUp, destroyed: body.destroyed };
    },
    // node-fetch 2 ignores it, and waits for the rest of the body for ever.
    only: ({ kind, client }) => kind === 'undici' || client === 'node-fetch 3',
    expected: { codes: ['ERR_BODY_SOURCE_FAILED'], gaveUp: 'not-transient', destroyed: true },
  },
  'a stream is closed when the call has failed': {
    async run({ inner, wrapFetch }) {
      const origin = await startOrigin((request, response) => rst(request, response), { readBody: false });
      const body = Readable.from((async function* () {
        for (;;) yield Buffer.alloc(65_536);
      })());
      await failure(wrapFetch(inner, { retry: QUICK })(origin.url, { method: 'POST', body, duplex: 'half' }));
      await closing(body);
      return { requests: origin.requests.length };
    },
    expected: { requests: 1 },
  },
};

/** Not `once`, which an error on the way would reject. */
function closing(stream) {
  return new Promise((resolve) => {
    if (stream.closed) resolve();
    else stream.once('close', resolve);
  });
}

/** Of the client's own package: others are foreign to it. */
async function ownOf({ inner, client }, name) {
  if (client === 'node-fetch 3') return (await import('node-fetch'))[name];
  if (client === 'undici 7') return require('undici-7')[name];
  if (client === 'undici 8') return require('undici')[name];
  return inner[name] ?? globalThis[name];
}

/** Not at hand at once, so that it goes out as the stream that it is. */
async function* slowly() {
  for (const piece of pieces()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    yield piece;
  }
}

function slowWebStream() {
  return ReadableStream.from(slowly());
}
