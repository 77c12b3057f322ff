'use strict';

/** A forward proxy: requests that name their whole URL are passed on, CONNECT makes a tunnel. */

const http = require('node:http');
const net = require('node:net');
const { LocalServer, closeServers } = require('./local-server');

class ProxyServer extends LocalServer {
  /**
   * What becomes of a CONNECT instead of a tunnel, one after the other: `'reset'`, or what the proxy writes before it
   * closes. When there is nothing left, tunnels are made.
   * @type {string[]}
   */
  refusals = [];
  /** The requests that were passed on. @type {{ line: string, headers: http.IncomingHttpHeaders }[]} */
  requests = [];
  /** The tunnels that were asked for. @type {{ authority: string, headers: http.IncomingHttpHeaders }[]} */
  tunnels = [];

  constructor() {
    const server = http.createServer();
    super(server);
    server.on('connection', (socket) => this.keep(socket));
    server.on('request', (request, response) => this.#passOn(request, response));
    server.on('connect', (request, socket) => this.#connect(request, socket));
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Names that nobody can resolve are answered by the proxy itself. */
  #passOn(request, response) {
    this.requests.push({ line: `${request.method} ${request.url}`, headers: request.headers });
    const { hostname, port, pathname, search } = new URL(request.url);
    if (hostname.endsWith('.test')) {
      response.end('from the proxy');
      return;
    }
    const headers = { ...request.headers };
    delete headers['proxy-authorization'];
    const onwards = http.request({ hostname, port, path: pathname + search, method: request.method, headers, agent: false });
    onwards.on('response', (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onwards.on('error', () => response.writeHead(502).end());
    request.pipe(onwards);
  }

  #connect(request, socket) {
    this.tunnels.push({ authority: request.url, headers: request.headers });
    const refusal = this.refusals.shift();
    if (refusal === 'reset') {
      socket.resetAndDestroy();
      return;
    }
    if (refusal !== undefined) {
      socket.end(refusal);
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const unreachable = () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    const server = net.connect(Number(port), hostname, () => {
      server.off('error', unreachable);
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(server).pipe(socket);
    });
    this.keep(server);
    server.on('error', unreachable);
  }
}

/** @returns {Promise<ProxyServer>} */
function startProxy() {
  return new ProxyServer().listen();
}

module.exports = { startProxy, closeProxies: closeServers };
