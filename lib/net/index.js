'use strict';

/** `unreset/net`: what of `node:net` makes connections. `docs/socket.md`. */

const { Socket } = require('./socket');
const { normalized } = require('./address');

/**
 * As `net.connect`: the options of the socket and of the connection in one object, or a port and a host, or a path.
 *
 * @returns {Socket}
 */
function connect(...args) {
  const [options, callback] = normalized(args);
  return new Socket(options).connect(options, callback);
}

/** As in `net`, another name for it. */
const createConnection = connect;

module.exports = { Socket, connect, createConnection };
