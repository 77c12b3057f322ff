'use strict';

/** A response body that breaks while it is read, in whichever way that is. */

const { partial, rst, startOrigin, silence } = require('../../../../testing');
const { NAMES, QUICK, caught, codesOf } = require('./common');

/** Chunked: of a body with a Content-Length node-fetch 2 never learns that it has ended early. */
const CHUNKED = { headers: { 'content-type': 'text/plain' } };

/** A server whose body breaks when the reader has its first part and asks for more. */
async function startBreaking() {
  const held = [];
  const origin = await startOrigin(partial((request, response) => held.push(() => rst(request, response)), CHUNKED));
  return { url: origin.url, breakNow: () => held.shift()() };
}

async function readStream(stream, breakNow) {
  for await (const chunk of stream) {
    void chunk;
    breakNow();
  }
}

/** A body that is read whole breaks once reading has begun. */
const whole = (read) => (response, breakNow) => {
  setImmediate(breakNow);
  return read(response);
};

const WAYS = {
  text: whole((response) => response.text()),
  json: whole((response) => response.json()),
  arrayBuffer: whole((response) => response.arrayBuffer()),
  blob: whole((response) => response.blob()),
  bytes: whole((response) => response.bytes()),
  buffer: whole((response) => response.buffer()),
  'async iteration': (response, breakNow) => readStream(response.body, breakNow),
  async reader(response, breakNow) {
    const reader = response.body.getReader();
    await reader.read();
    breakNow();
    await reader.read();
  },
  pipeTo: whole((response) => response.body.pipeTo(new WritableStream())),
  'pipe events': (response, breakNow) => new Promise((resolve, reject) => {
    response.body.on('error', reject).on('end', resolve).on('data', breakNow);
  }),
  'a clone': whole((response) => response.clone().text()),
  'what was cloned': whole((response) => {
    // Both are read, as they have to be: one that waits holds the other back.
    response.clone().text().catch(() => {});
    return response.text();
  }),
};
/** As the client makes it; read directly, the stream of node-fetch has what Node reported. */
const OWN = { 'async iteration': 'Error', 'pipe events': 'Error' };

const ONLY = {
  bytes: ({ kind }) => kind === 'undici' && typeof Response.prototype.bytes === 'function',
  buffer: ({ kind }) => kind === 'node-fetch',
  reader: ({ kind }) => kind === 'undici',
  pipeTo: ({ kind }) => kind === 'undici',
  'pipe events': ({ kind }) => kind === 'node-fetch',
};

const cases = {};
for (const [way, read] of Object.entries(WAYS)) {
  cases[`a body that breaks while it is read by ${way}`] = {
    async run({ inner, kind, wrapFetch }) {
      const { url, breakNow } = await startBreaking();
      const response = await wrapFetch(inner, { retry: QUICK })(url);
      const before = codesOf(response.recovery);
      const error = await caught(read(response, breakNow));
      const { delivery, phase } = error.recovery.attempts.at(-1).fault;
      return {
        name: error.name === (kind === 'undici' ? NAMES.undici : (OWN[way] ?? NAMES['node-fetch'])),
        before,
        after: error.recovery.attempts.length,
        fault: { delivery, phase },
        gaveUp: error.recovery.gaveUp,
        response: response.recovery.gaveUp,
      };
    },
    only: ONLY[way],
    expected: {
      name: true,
      before: [null],
      after: 1,
      fault: { delivery: 'answered', phase: 'receive' },
      gaveUp: 'not-resumable',
      response: 'not-resumable',
    },
  };
}

module.exports = {
  ...cases,

  'a body that is no JSON has not broken': {
    async run({ inner, wrapFetch }) {
      const origin = await startOrigin();
      const response = await wrapFetch(inner)(origin.url);
      const error = await caught(response.json());
      return { recovery: error.recovery ?? null, codes: codesOf(response.recovery), gaveUp: response.recovery.gaveUp ?? null };
    },
    expected: { recovery: null, codes: [null], gaveUp: null },
  },

  'a body that is silent for too long': {
    async run({ inner, wrapFetch }) {
      const origin = await startOrigin(partial(silence));
      const fetch = wrapFetch(inner, { timeout: { body: 50 } });
      const ways = {};
      const read = {
        text: (response) => response.text(),
        stream: (response) => readStream(response.body, () => {}),
        clone: (response) => response.clone().text(),
      };
      for (const [way, by] of Object.entries(read)) {
        const response = await fetch(origin.url);
        const { name, code, recovery, cause } = await caught(by(response));
        ways[way] = [name, code, cause.phase, recovery.gaveUp];
      }
      for (const { closed } of origin.requests) await closed;
      return ways;
    },
    expected: Object.fromEntries(['text', 'stream', 'clone'].map((way) => [
      way, ['TypeError', 'ETIMEDOUT', 'receive', 'not-resumable'],
    ])),
  },
};
