'use strict';

/** The caller ends the request, at every moment of it. */

const { ok, readAll, record } = require('../record');

const answer = (socket) => socket.write(ok());
const silence = () => {};
const half = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');

const ENDS = {
  'abort()': (request) => request.abort(),
  'destroy()': (request) => request.destroy(),
  'destroy(error)': (request) => request.destroy(Object.assign(new Error('enough'), { code: 'ENOUGH' })),
  'its signal': (request, controller) => controller.abort(new Error('of the caller')),
};

/** Until when it is let live; each calls `end` then. */
const MOMENTS = {
  'in the same tick': { answer: silence, at: (request, server, end) => end() },
  'when it has a socket': { answer: silence, at: (request, server, end) => request.on('socket', end) },
  'when the server has it': {
    answer: silence,
    at: (request, server, end) => void server.until(([first]) => first?.includes('\r\n\r\n')).then(end),
  },
  'on response': { answer: half, at: (request, server, end) => request.on('response', end) },
  'in the body': { answer: half, at: (request, server, end) => request.on('response', (response) => response.once('data', end)) },
  'when it is over': { answer, at: (request, server, end) => request.on('close', end) },
};

const cases = [];
for (const [how, end] of Object.entries(ENDS)) {
  for (const [when, { answer: answering, at }] of Object.entries(MOMENTS)) {
    cases.push({
      name: `${how} ${when}`,
      answer: answering,
      async run(http, { port, host, agent, server }) {
        const controller = new AbortController();
        const { signal } = controller;
        const request = http.request({ port, host, agent, ...(how === 'its signal' ? { signal } : {}) });
        const { events, closed } = record(request);
        request.on('response', (response) => readAll(response, events));
        const returned = [];
        at(request, server, () => returned.push(end(request, controller) === request, request.destroyed, request.aborted));
        request.end();
        await closed;
        // Nothing comes after the close.
        await new Promise(setImmediate);
        return { events, returned, destroyed: request.destroyed, aborted: request.aborted, closed: request.closed };
      },
    });
  }
}

cases.push({
  name: 'a signal that is aborted before',
  answer,
  async run(http, { port, host, agent }) {
    const request = http.get({ port, host, agent, signal: AbortSignal.abort() });
    const { events, closed } = record(request);
    await closed;
    return { events, destroyed: request.destroyed };
  },
});

module.exports = cases;
