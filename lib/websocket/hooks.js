'use strict';

/** The methods of a `WebSocket` that `connection.js` calls: no names that a user could meet or override by accident. */
module.exports = {
  hooks: Object.freeze(Object.fromEntries(
    [
      'message', 'ping', 'pong', 'connected', 'up', 'down', 'waiting', 'over', 'unsent', 'adapt', 'oversized',
      'unexpectedResponse', 'redirect',
    ].map((name) => [name, Symbol(name)]),
  )),
};
