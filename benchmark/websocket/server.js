'use strict';

/**
 * The other end, in a process of its own: a server of `ws` that sends back what comes, on one port as it is and on another one
 * with permessage-deflate. Tells its ports, and ends with the process that started it.
 */

const http = require('node:http');
const { once } = require('node:events');

const { WebSocketServer } = require('ws');

async function listen(perMessageDeflate) {
  const server = http.createServer();
  new WebSocketServer({ server, perMessageDeflate, clientTracking: false }).on('connection', (ws) => {
    ws.on('error', () => {});
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  });
  // All addresses of the loopback; the queue of connections is for those that begin at the same time.
  server.listen({ port: 0, host: '0.0.0.0', backlog: 4096 });
  await once(server, 'listening');
  return server.address().port;
}

async function main() {
  process.send({ plain: await listen(false), deflate: await listen(true) });
}

process.on('disconnect', () => process.exit());
main();
