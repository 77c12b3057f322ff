'use strict';

// How long a process lives that has called fetch: the case is the first argument.

const http = require('node:http');
const { once } = require('node:events');
const { fetch, createFetch } = require('../../..');

const CASES = {
  /** Nothing else keeps the process alive: the answer must still arrive, and then it must end by itself. */
  async waits(url) {
    const response = await fetch(`${url}/later`);
    console.log(await response.text());
  },
  /** The body arrives later than the head. */
  async waitsForBody(url) {
    const response = await fetch(`${url}/late-body`);
    console.log(await response.text());
  },
  /** A wait between two attempts is part of the call. */
  async waitsForRetry(url) {
    const response = await fetch(`${url}/once-reset`, { retry: { retries: 3, backoff: { base: 200, cap: 200 } } });
    console.log(await response.text());
  },
  /** A body that nobody reads does not keep the process alive. */
  async forgetsBody(url) {
    const response = await fetch(`${url}/endless`);
    console.log(response.status);
  },
  /** The head of the answer comes first: the request must still be sent to its end. */
  async waitsForUpload(url) {
    const pieces = async function* pieces() {
      for (let i = 0; i < 5; i++) {
        // A turn of the event loop that does not keep the process alive by itself.
        await new Promise((resolve) => {
          setTimeout(resolve, 20).unref();
        });
        yield 'piece';
        sent += 1;
      }
    };
    const response = await fetch(`${url}/early`, { method: 'POST', body: pieces(), duplex: 'half' });
    process.on('exit', () => console.log(`${response.status} ${sent}`));
  },
  /** The addresses of a host are found by a function of the program. */
  async waitsForLookup(url) {
    const lookup = (host, options, callback) => {
      setTimeout(callback, 50, null, '127.0.0.1').unref();
    };
    const { port } = new URL(url);
    const response = await createFetch({ lookup })(`http://service.invalid:${port}/later`);
    console.log(await response.text());
  },
  /** Nobody waits for the call, but somebody for its end. */
  async waitsForClose(url) {
    const client = createFetch();
    const response = await client(`${url}/late-body`);
    await client.close();
    console.log(await response.text());
  },
  /** Where there is no built-in Response the call fails and says so; it does not hang. */
  async needsResponse(url) {
    delete globalThis.Response;
    const error = await fetch(`${url}/later`).catch((thrown) => thrown);
    console.log(error.message);
  },
  /** An exit with requests in every state. */
  async exits(url) {
    for (let i = 0; i < 50; i++) {
      fetch(`${url}/never`).catch(() => {});
      fetch(`${url}/endless`).then((response) => response.text()).catch(() => {});
      fetch(`${url}/reset`, { retry: { retries: 100 } }).catch(() => {});
    }
    await fetch(`${url}/later`);
    console.log('exiting');
    process.exit(7);
  },
  /** Thrown out of a callback of the user's, with others in flight. */
  async uncaught(url) {
    process.on('uncaughtException', (error) => console.log(`caught ${error.message}`));
    process.on('unhandledRejection', (error) => console.log(`unhandled ${error.code}`));
    const others = Array.from({ length: 20 }, () => fetch(`${url}/later`).then((response) => response.text()));
    fetch(`${url}/reset`, { retry: false });
    fetch(`${url}/later`).then(() => {
      setImmediate(() => {
        throw new Error('mine');
      });
    });
    const texts = await Promise.all(others);
    console.log(`others ${texts.filter((text) => text === 'later').length}`);
  },
};

async function main() {
  const server = http.createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Only what fetch holds keeps the process alive.
  server.unref();
  server.on('connection', (socket) => socket.unref());
  await CASES[process.argv[2]](`http://127.0.0.1:${server.address().port}`);
}

let resets = 0;
let sent = 0;

function answer(request, response) {
  switch (request.url) {
    case '/later':
      setTimeout(() => response.end('later'), 50).unref();
      return;
    case '/late-body':
      response.writeHead(200, { 'content-length': '4' }).flushHeaders();
      setTimeout(() => response.end('body'), 50).unref();
      return;
    case '/early':
      response.writeHead(200, { 'content-length': '100' }).write('x');
      request.resume();
      return;
    case '/once-reset':
      if (resets++ === 0) request.socket.resetAndDestroy();
      else response.end('recovered');
      return;
    case '/endless':
      response.writeHead(200, { 'content-length': '1000000' }).write('x');
      return;
    case '/reset':
      request.socket.resetAndDestroy();
  }
}

main();
