'use strict';

/**
 * The server of the prevention benchmark, in a process of its own: it closes connections that have idled, and counts
 * how often each POST arrived.
 *
 *     POST /orders/<id>      answers {"id":"<id>"}
 */

const { once } = require('node:events');
const { createServer } = require('node:http');

/**
 * @param {{ idle: number, hint: boolean }} options see lib/plan.js
 * @param {Map<string, number>} arrivals by id; POSTs that arrived whole are added
 * @returns {import('node:http').Server}
 */
function createClosingServer({ idle, hint }, arrivals) {
  const server = createServer(async (req, res) => {
    try {
      await req.toArray();
    } catch {
      return; // half a request has no effect
    }
    const id = req.url.slice('/orders/'.length);
    arrivals.set(id, (arrivals.get(id) ?? 0) + 1);
    // Node says how long it keeps a connection, but not when it is given this header.
    if (!hint) res.setHeader('connection', 'keep-alive');
    res.setHeader('content-type', 'application/json');
    // After Node has set its own timer, which rings up to 1 s later than it says (`keepAliveTimeoutBuffer`), against the
    // very race that is to be measured.
    res.on('finish', () => req.socket.setTimeout(idle));
    res.end(JSON.stringify({ id }));
  });
  server.keepAliveTimeout = idle;
  return server;
}

/** As a child process: its options are its argument, its messages say where it listens and what arrived. */
async function main({ lanes, ...options }) {
  /** @type {Map<string, number>} */
  const arrivals = new Map();
  const servers = Array.from({ length: lanes }, () => createClosingServer(options, arrivals));
  await Promise.all(servers.map((server) => once(server.listen(0, '127.0.0.1'), 'listening')));
  process.on('message', () => process.send({ arrivals: [...arrivals] }));
  process.on('disconnect', () => process.exit());
  process.send({ ports: servers.map((server) => server.address().port) });
}

if (require.main === module) main(JSON.parse(process.argv[2]));

module.exports = { createClosingServer };
