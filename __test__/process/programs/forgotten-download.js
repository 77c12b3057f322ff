'use strict';

/** A download that nobody has any more ends its transfer: prints what the server saw of it. */

const { once } = require('node:events');
const http = require('node:http');
const { setImmediate: turn } = require('node:timers/promises');

const { download } = require('../../..');

async function main() {
  const server = http.createServer((request, response) => {
    response.writeHead(200);
    response.write(Buffer.alloc(1024 * 1024));
    response.on('close', () => {
      process.stdout.write('closed');
      server.close();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await begin(`http://127.0.0.1:${server.address().port}/`);
  while (server.listening) {
    global.gc();
    await turn();
  }
}

async function begin(url) {
  const stream = download(url);
  await once(stream, 'readable');
}

main();
