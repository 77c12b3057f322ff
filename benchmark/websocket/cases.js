'use strict';

/** What is measured. */

const PEERS = ['ws', 'built-in', 'unreset'];

/** Idle connections. Those of ours to one host begin ten in a tenth of a second; so many hosts begin them in one. */
const IDLE = { connections: 5000, hosts: 50 };

const JSON_TEXT = JSON.stringify(
  Array.from({ length: 160 }, (_, id) => ({ id, symbol: `SYM${id % 40}`, bid: 100 + (id % 7) / 8, ask: 101 + (id % 5) / 8, side: 'buy' })),
);

/**
 * `body()` is what is sent, `inFlight` how many at a time; all comes back from the server.
 *
 * @type {Record<string, { title: string, unit?: string, peers: string[], inFlight?: number, body?: () => string | Buffer,
 *   deflate?: boolean }>}
 */
const cases = {
  'small-1': { title: 'echo of 64 characters of text, one at a time', unit: 'message', peers: PEERS, inFlight: 1, body: () => 'm'.repeat(64) },
  'small-64': { title: 'echo of 64 characters of text, 64 in flight', unit: 'message', peers: PEERS, inFlight: 64, body: () => 'm'.repeat(64) },
  '64k': { title: 'echo of 64 KiB, binary, 8 in flight', unit: 'message', peers: PEERS, inFlight: 8, body: () => Buffer.alloc(64 * 1024, 'x') },
  '1m': { title: 'echo of 1 MiB, binary, 2 in flight', unit: 'message', peers: PEERS, inFlight: 2, body: () => Buffer.alloc(1024 * 1024, 'x') },
  deflate: {
    title: `echo of ${Math.round(JSON_TEXT.length / 1024)} KiB of JSON with permessage-deflate, 8 in flight`,
    unit: 'message',
    peers: PEERS,
    inFlight: 8,
    body: () => JSON_TEXT,
    deflate: true,
  },
  idle: { title: `${IDLE.connections} idle connections, each`, peers: PEERS },
};

module.exports = { cases, IDLE, PEERS };
