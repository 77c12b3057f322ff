'use strict';

/**
 * A JSON service over HTTP that really fails, always in the same way.
 *
 * A demo that draws its faults at random proves nothing: the run that a reader sees may be the lucky one.
 * Here a script says, for each path, what happens to its first request, its second, and so on; when the
 * script of a path is used up, the service answers. The faults are made on the socket, never mocked.
 */

const http = require('node:http');
const { once } = require('node:events');

/** What the script may ask for. `work` does the work and returns the answer. */
const FAULTS = {
  /** RST before the request was looked at: a killed process, a load balancer that forgot the flow. */
  RST: ({ req }) => req.socket.resetAndDestroy(),

  /** FIN before the answer: a server that shuts down, or closes what it took for an idle connection. */
  FIN: ({ req }) => req.socket.end(),

  /** Too busy, and polite about it. */
  503: ({ res }) => sendJson(res, 503, { error: 'busy' }, { 'retry-after': '1' }),

  /** Half the body, then RST. */
  'RST in the body': ({ req, res, work }) => {
    const body = JSON.stringify(work());
    res.writeHead(200, { 'content-type': 'application/json' });
    res.write(body.slice(0, body.length / 2));
    // RST may discard what the peer has not read yet, and this fault is about a body that had begun.
    setTimeout(() => req.socket.resetAndDestroy(), 50);
  },

  /** Half the body, then FIN: less than the Content-Length that the head has promised. */
  'FIN in the body': ({ req, res, work }) => {
    const body = JSON.stringify(work());
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    res.write(body.slice(0, body.length / 2), () => req.socket.end());
  },

  /** The work is done and only the answer is lost: the case in which a repeated request does it twice. */
  'RST after the work': ({ req, work }) => {
    work();
    req.socket.resetAndDestroy();
  },
};

/**
 * Starts the service on a free port of this machine.
 *
 * @param {object} options
 * @param {Record<string, string[]>} options.script  'GET /stock/bolt' -> names of `FAULTS`, one per request
 * @param {(req: http.IncomingMessage) => object} options.answer  does the work, returns what is sent as JSON
 * @returns {Promise<{ url: string, requests: object[], close(): Promise<void> }>}
 *   `requests`, each `{ line, at, did }`, is what the service saw: method and path, when (ms), and the fault
 *   or 'answered'
 */
async function startUnstableService({ script, answer }) {
  const requests = [];
  const server = http.createServer((req, res) => {
    const line = `${req.method} ${req.url}`;
    const earlier = requests.filter((request) => request.line === line).length;
    const fault = script[line]?.[earlier];
    requests.push({ line, at: performance.now(), did: fault ?? 'answered' });

    req.resume().on('error', ignoreReset);
    req.on('end', () => {
      const work = () => answer(req);
      if (fault) FAULTS[fault]({ req, res, work });
      else sendJson(res, 200, work());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function sendJson(res, status, value, headers = {}) {
  res.writeHead(status, { 'content-type': 'application/json', ...headers });
  res.end(JSON.stringify(value));
}

/** The resets are ours; without a listener the first of them would end the process. */
function ignoreReset() {}

module.exports = { startUnstableService };
