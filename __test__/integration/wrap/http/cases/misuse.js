'use strict';

/** What Node says when a request is used in a wrong way. */

const { ok, readAll, record } = require('../record');

const answer = (socket) => socket.write(ok());
const silence = () => {};

/** Asking like this throws at once. */
const REFUSED = {
  'a URL that is none': (http) => http.get('no url'),
  'another protocol': (http) => http.get('https://127.0.0.1/'),
  'another protocol as an option': (http) => http.get({ protocol: 'ftp:' }),
  'a method with a space': (http) => http.get({ method: 'GE T' }),
  'a method that is no text': (http) => http.request({ method: 1 }),
  'a path with a space': (http) => http.get({ path: '/a b' }),
  'a host that is no text': (http) => http.get({ host: 1 }),
  'an agent that is none': (http) => http.get({ agent: {} }),
  'a header value with a line break': (http) => http.get({ headers: { a: 'b\nc' } }),
  'a header name with a space': (http) => http.get({ headers: { 'a b': 'c' } }),
  'an odd array of headers': (http) => http.get({ headers: ['a'] }),
  'a timeout that is no number': (http) => http.get({ timeout: 'soon' }),
  'a signal that is none': (http) => http.get({ signal: {} }),
  'a callback that is none': (http) => http.get({ port: 1 }, 'callback'),
  'maxHeaderSize below 0': (http) => http.get({ maxHeaderSize: -1 }),
  'insecureHTTPParser that is no boolean': (http) => http.get({ insecureHTTPParser: 1 }),
};

/** Doing this with a request throws, or is told. */
const WRONG = {
  'setHeader after the head': (request) => {
    request.flushHeaders();
    request.setHeader('a', 'b');
  },
  'removeHeader after the head': (request) => {
    request.flushHeaders();
    request.removeHeader('a');
  },
  'a header value that is undefined': (request) => request.setHeader('a', undefined),
  'setTimeout with text': (request) => request.setTimeout('soon'),
  'setTimeout with a callback that is none': (request) => request.setTimeout(10, 'callback'),
  'write(null)': (request) => request.write(null),
  'write(number)': (request) => request.write(1),
  'end(number)': (request) => request.end(1),
  'write after end': (request, events) => {
    request.end();
    events.push(`write returns ${request.write('more', (error) => events.push(`written ${error?.code}`))}`);
  },
  'end after end': (request, events) => {
    request.end('x');
    request.end('y', (error) => events.push(`ended ${error?.code}`));
  },
  'end() after end()': (request, events) => {
    request.end('x');
    request.end((error) => events.push(`ended ${error?.code}`));
  },
  'end() after all is over': (request, events) => {
    request.end();
    request.on('close', () => request.end((error) => events.push(`ended ${error?.code}`)));
  },
  'write after all is over': (request, events) => {
    request.end();
    request.on('close', () => events.push(`write returns ${request.write('x', (error) => events.push(`written ${error?.code}`))}`));
  },
  'write after destroy': (request, events) => {
    request.destroy();
    events.push(`write returns ${request.write('x', (error) => events.push(`written ${error?.code}`))}`);
  },
  'pipe from it': (request) => request.pipe(process.stdout),
};

const refused = Object.entries(REFUSED).map(([name, ask]) => ({
  name,
  answer: silence,
  run: (http) => thrownBy(() => ask(http)),
}));

const wrong = Object.entries(WRONG).map(([name, misuse]) => ({
  name,
  answer,
  async run(http, { port, host, agent }) {
    const request = http.request({ port, host, agent, method: 'POST' });
    const { events, closed } = record(request);
    request.on('response', (response) => readAll(response, events));
    const thrown = thrownBy(() => misuse(request, events));
    request.end();
    await closed;
    await new Promise(setImmediate);
    return { thrown, events };
  },
}));

function thrownBy(run) {
  try {
    run();
    return 'nothing';
  } catch ({ name, code, message }) {
    return [name, code, message];
  }
}

module.exports = [...refused, ...wrong];
