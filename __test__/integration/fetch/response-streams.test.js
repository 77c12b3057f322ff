'use strict';

const { Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { once } = require('node:events');

const { contenders } = require('../../support/fetch-contenders');
const { closeAll, reply, startOrigin } = require('../../../testing');
const { untilQuiet } = require('../../support/fetch-quiet');

const KIB = 1024;
const MIB = 1024 * KIB;

afterEach(closeAll);

/** Sends one piece after another, as fast as they are taken; `sent` is called for each. */
function endless(piece, sent = () => {}) {
  return (request, response) => {
    const send = () => {
      do sent();
      while (response.write(piece));
    };
    response.writeHead(200);
    response.on('drain', send);
    send();
  };
}

async function gather(iterable) {
  const chunks = [];
  for await (const chunk of iterable) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

// What holds for the built-in fetch holds for ours.
describe.each(contenders)('%s', (contender, call) => {
  async function get(answer) {
    const origin = await startOrigin(answer);
    return call(origin.url);
  }

  describe('large bodies', () => {
    const BODY = Buffer.alloc(5 * MIB);
    for (let index = 0; index < BODY.length; index += 1) BODY[index] = (index * 7 + (index >> 9)) & 0xff;

    test.each([
      ['with its length', { 'content-length': BODY.length }],
      ['chunked', {}],
    ])('%s', async (name, headers) => {
      const answer = (request, response) => {
        response.writeHead(200, headers);
        response.end(BODY);
      };
      expect(BODY.equals(Buffer.from(await (await get(answer)).arrayBuffer()))).toBe(true);
      expect(BODY.equals(await gather((await get(answer)).body))).toBe(true);
      const [one, two] = [await get(answer)].flatMap((response) => [response.clone(), response]);
      const both = await Promise.all([one.arrayBuffer(), gather(two.body)]);
      for (const each of both) expect(BODY.equals(Buffer.from(each))).toBe(true);
    });

    test('through a pipeline of Node', async () => {
      const response = await get(reply(200, {}, BODY));
      const chunks = [];
      await pipeline(response.body, async (source) => {
        for await (const chunk of source) chunks.push(chunk);
      });
      expect(BODY.equals(Buffer.concat(chunks))).toBe(true);
    });
  });

  describe('a stream that is left', () => {
    const leaving = [
      ['cancelled', async ({ body }) => {
        await body.getReader().cancel();
      }],
      ['cancelled after a piece', async ({ body }) => {
        const reader = body.getReader();
        await reader.read();
        await reader.cancel();
      }],
      ['cancelled while a read waits', async ({ body }) => {
        const reader = body.getReader();
        const reads = [reader.read(), reader.read(), reader.read()];
        await reader.cancel();
        await Promise.all(reads);
      }],
      ['left by for await', async ({ body }) => {
        for await (const chunk of body) if (chunk.length > 0) break;
      }],
      ['destroyed as a Readable', async ({ body }) => {
        const readable = Readable.fromWeb(body);
        await once(readable, 'readable');
        readable.destroy();
        await once(readable, 'close');
      }],
    ];

    test.each(leaving)('%s: the transfer ends', async (name, leave) => {
      const origin = await startOrigin(endless(Buffer.alloc(16 * KIB)));
      await leave(await call(origin.url));
      await (await origin.received(0)).closed;
    });

    test('a reader that stops, stops the server', async () => {
      let sent = 0;
      const origin = await startOrigin(endless(Buffer.alloc(64 * KIB), () => {
        sent += 1;
      }));
      const reader = (await call(origin.url)).body.getReader();
      await reader.read();
      await untilQuiet(() => sent);
      // The buffers of both systems hold some MiB.
      expect(sent).toBeLessThan(512);
      // And it goes on when the reader does.
      for (let bytes = 0; bytes < 64 * MIB;) bytes += (await reader.read()).value.byteLength;
      await reader.cancel();
      await (await origin.received(0)).closed;
    });
  });
});
