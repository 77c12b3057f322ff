'use strict';

/** The forms in which a request is asked for. */

const url = require('node:url');

const { ok, readAll, record } = require('../record');

const answer = (socket) => socket.write(ok());

/** Asks in one of the forms; `begin` is given what the case knows and the callback. */
function form(name, begin) {
  return {
    name,
    answer,
    async run(http, at) {
      const events = [];
      const request = begin(http, at, (response) => {
        events.push(`callback ${response.statusCode}`);
        readAll(response, events);
      });
      const { closed, events: emitted } = record(request);
      await closed;
      return { events, emitted, path: request.path, method: request.method, host: request.host, protocol: request.protocol };
    },
  };
}

const address = ({ port }) => `http://127.0.0.1:${port}/a/b?c=d`;

module.exports = [
  form('get(url, callback)', (http, at, callback) => http.get(address(at), callback)),
  form('get(url), listener', (http, at, callback) => http.get(address(at)).on('response', callback)),
  form('get(url, options, callback)', (http, at, callback) => (
    http.get(address(at), { agent: at.agent, headers: { 'X-A': '1' } }, callback)
  )),
  form('options win over the URL', (http, at, callback) => http.get(address(at), { agent: at.agent, path: '/other' }, callback)),
  form('get(URL object)', (http, at, callback) => http.get(new URL(address(at)), callback)),
  form('get(URL object, options)', (http, at, callback) => http.get(new URL(address(at)), { agent: at.agent }, callback)),
  form('get(options, callback)', (http, { port, host, agent }, callback) => http.get({ port, host, agent, path: '/x' }, callback)),
  form('hostname before host', (http, { port, agent }, callback) => (
    http.get({ port, host: 'unreset.invalid', hostname: '127.0.0.1', agent }, callback)
  )),
  form('a legacy URL object', (http, at, callback) => http.get(url.parse(address(at)), callback)),
  form('request(options, callback).end()', (http, { port, host, agent }, callback) => (
    http.request({ port, host, agent, method: 'options', path: '*' }, callback).end()
  )),
  form('credentials in the URL', (http, { port }, callback) => http.get(`http://me:se%20cret@127.0.0.1:${port}/`, callback)),
  form('agent: false', (http, { port, host }, callback) => http.get({ port, host, agent: false }, callback)),
  form('createConnection', (http, { port, host }, callback) => (
    http.get({ port, host, createConnection: (options) => require('node:net').connect(options.port, options.host) }, callback)
  )),
  form('createConnection that calls back', (http, { port, host }, callback) => {
    const createConnection = (options, done) => {
      const socket = require('node:net').connect(options.port, options.host, () => done(null, socket));
    };
    return http.get({ port, host, createConnection }, callback);
  }),
  form('lookup, family, localAddress', (http, { port, agent }, callback) => {
    const lookup = (name, options, done) => (options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4));
    return http.get({ port, host: 'unreset.invalid', lookup, family: 4, localAddress: '127.0.0.1', agent }, callback);
  }),
  form('a default port', (http, { port, agent }, callback) => (
    http.get({ host: '127.0.0.1', defaultPort: port, _defaultAgent: agent }, callback)
  )),
];
