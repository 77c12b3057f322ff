'use strict';

/** What is repeated and what is not. */

const http = require('node:http');
const { once } = require('node:events');
const { FaultProxy, fin, inTurn, ok, refusedPort, reply, rst, startOrigin } = require('../../../../testing');
const { QUICK, codesOf, failure } = require('./common');

const KEY = 'Idempotency-Key';

/** A PATCH that is reset once, with these headers: how many requests it took. */
async function resetOnce({ inner, wrapFetch }, headers) {
  const origin = await startOrigin(inTurn(rst, ok));
  await wrapFetch(inner, { retry: QUICK })(origin.url, { method: 'PATCH', body: 'x', headers });
  return origin.requests.map((request) => request.headers['idempotency-key']);
}

module.exports = {
  'a GET survives RST, FIN and 503, and the response is the one of the client': {
    async run({ inner, wrapFetch }) {
      const origin = await startOrigin(inTurn(rst, fin, reply(503, { 'retry-after': '0' }), ok));
      const response = await wrapFetch(inner, { retry: QUICK })(`${origin.url}/stock`);
      return {
        isClients: response.constructor === (await inner(`${origin.url}/other`)).constructor,
        own: Object.keys(response).includes('recovery'),
        text: await response.text(),
        codes: codesOf(response.recovery),
        gaveUp: response.recovery.gaveUp ?? null,
        requests: origin.requests.length,
      };
    },
    expected: {
      isClients: true,
      own: false,
      text: 'ok',
      codes: ['ECONNRESET', 'ECONNRESET', 'HTTP_503', null],
      gaveUp: null,
      requests: 5,
    },
  },

  'a POST that was reset is not repeated': {
    async run({ inner, wrapFetch }) {
      const origin = await startOrigin(rst);
      const call = wrapFetch(inner, { retry: QUICK })(origin.url, { method: 'post', body: 'order' });
      const { codes, gaveUp } = await failure(call);
      return { codes, gaveUp, requests: origin.requests.length };
    },
    expected: { codes: ['ECONNRESET'], gaveUp: 'not-idempotent', requests: 1 },
  },

  'a POST that was refused is repeated': {
    async run({ inner, wrapFetch }) {
      const origin = await startOrigin();
      const proxy = await FaultProxy.listen({ upstream: origin.port });
      const outage = proxy.add({ type: 'refuse', on: 'accept' });
      const deliveries = [];
      const onRetry = ({ fault }) => {
        deliveries.push(fault.delivery);
        outage.remove();
      };
      // By name: the error tells the address, and that has to be recognised as this host's.
      const url = `http://localhost:${proxy.port}/orders`;
      const response = await wrapFetch(inner, { retry: { ...QUICK, onRetry } })(url, { method: 'POST', body: 'order' });
      return { status: response.status, deliveries, bodies: origin.requests.map(({ body }) => String(body)) };
    },
    expected: { status: 200, deliveries: ['not-sent'], bodies: ['order'] },
  },

  'a POST whose redirect leads to a server that refuses is not repeated': {
    async run({ inner, wrapFetch }) {
      const port = await refusedPort();
      const origin = await startOrigin(reply(303, { location: `http://127.0.0.1:${port}/done` }));
      const { codes, gaveUp } = await failure(wrapFetch(inner, { retry: QUICK })(origin.url, { method: 'POST', body: 'order' }));
      return { codes, gaveUp, requests: origin.requests.length };
    },
    expected: { codes: ['ECONNREFUSED'], gaveUp: 'not-idempotent', requests: 1 },
  },

  'the last response is returned when the retries run out': {
    async run({ inner, wrapFetch }) {
      const origin = await startOrigin(reply(503, {}, 'down'));
      const response = await wrapFetch(inner, { retry: { ...QUICK, retries: 1 } })(origin.url);
      const { recovery, status } = response;
      return { status, text: await response.text(), codes: codesOf(recovery), gaveUp: recovery.gaveUp };
    },
    expected: { status: 503, text: 'down', codes: ['HTTP_503', 'HTTP_503'], gaveUp: 'attempts-exhausted' },
  },

  'a 404 is an answer': {
    async run({ inner, wrapFetch }) {
      const origin = await startOrigin(reply(404));
      const { status, recovery } = await wrapFetch(inner, { retry: QUICK })(origin.url);
      return { status, codes: codesOf(recovery), requests: origin.requests.length };
    },
    expected: { status: 404, codes: [null], requests: 1 },
  },

  'an Idempotency-Key makes any call repeatable, whatever holds the headers': {
    async run(context) {
      const { inner } = context;
      const Own = inner.Headers ?? globalThis.Headers;
      return {
        record: await resetOnce(context, { [KEY]: 'a' }),
        lowerCase: await resetOnce(context, { [KEY.toLowerCase()]: 'b' }),
        pairs: await resetOnce(context, [['accept', '*/*'], [KEY, 'c']]),
        own: await resetOnce(context, new Own({ [KEY]: 'd' })),
        standard: await resetOnce(context, new Headers({ [KEY]: 'e' })),
        iterable: await resetOnce(context, new Map([[KEY, 'f']])),
      };
    },
    expected: {
      record: ['a', 'a'], lowerCase: ['b', 'b'], pairs: ['c', 'c'], own: ['d', 'd'], standard: ['e', 'e'], iterable: ['f', 'f'],
    },
  },

  'the responses that are passed over leave no connection open': {
    async run({ inner, wrapFetch }) {
      const open = new Set();
      let requests = 0;
      // More than is drained, and without an end: whoever does not end the connection holds it.
      const server = http.createServer((request, response) => {
        requests += 1;
        if (requests % 2 === 0) {
          response.end('ok');
          return;
        }
        response.writeHead(503, { 'content-length': 10_000_000 });
        response.write(Buffer.alloc(300_000));
      });
      server.on('connection', (socket) => {
        open.add(socket);
        socket.on('error', () => {}).on('close', () => {
          open.delete(socket);
          server.emit('fewer');
        });
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      try {
        const fetch = wrapFetch(inner, { retry: QUICK });
        const url = `http://127.0.0.1:${server.address().port}/`;
        for (let call = 0; call < 10; call++) await (await fetch(url)).text();
        // At most one is kept, for the calls that were answered.
        while (open.size > 1) await once(server, 'fewer');
        return { requests };
      } finally {
        for (const socket of open) socket.destroy();
        server.close();
      }
    },
    expected: { requests: 20 },
  },

  'a short response that is passed over leaves its connection to the next attempt': {
    async run({ inner, kind, wrapFetch }) {
      const origin = await startOrigin(inTurn(reply(503, {}, 'x'.repeat(30_000)), ok));
      // Connections of node-fetch are kept by the agent that it is given.
      const agent = new http.Agent({ keepAlive: true });
      const response = await wrapFetch(inner, { retry: QUICK })(origin.url, kind === 'node-fetch' ? { agent } : undefined);
      await response.text();
      agent.destroy();
      return { requests: origin.requests.length, connections: origin.connections() };
    },
    expected: { requests: 2, connections: 1 },
  },
};
