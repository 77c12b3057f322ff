'use strict';

const { Worker } = require('node:worker_threads');
const { once } = require('node:events');
const { fetch } = require('../../..');

/** Beside the test, in a thread of its own: the thread of the test is kept busy. */
const SERVER = `
  const { parentPort } = require('node:worker_threads');
  const body = require('node:zlib').gzipSync(JSON.stringify(Array.from({ length: 700 }, (_, id) => ({ id, tags: ['a', 'b'], name: 'user ' + id * 7919 % 1000, email: id + '@example.com' }))));
  const server = require('node:http').createServer((request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.length }).end(body);
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

test('timers have their turn while answers that take long to read follow one another', async () => {
  const server = new Worker(SERVER, { eval: true });
  try {
    const [port] = await once(server, 'message');
    const url = `http://127.0.0.1:${port}/`;
    let rings = 0;
    const timer = setInterval(() => { rings += 1; }, 5);
    let answers = 0;
    await Promise.all(Array.from({ length: 50 }, async () => {
      while (answers < 1500) {
        const users = await (await fetch(url)).json();
        expect(users).toHaveLength(700);
        // Somewhat more than reading alone: as much as the program may do with it.
        JSON.parse(JSON.stringify(users));
        answers += 1;
      }
    }));
    clearInterval(timer);
    // At most some tens of answers are handed over at a time.
    expect(rings).toBeGreaterThanOrEqual(answers / 200);
  } finally {
    await server.terminate();
  }
});
