'use strict';

/**
 * Connections that tell of their end by events, as those of most drivers do. They are listened to from here, so that the end
 * of an idle connection is noticed when it happens, and so that an 'error' that nobody listens to does not end the process.
 */

/** Each says that a connection will not be used again; a FIN is 'end' in some drivers, and 'close' follows. */
const ENDINGS = Object.freeze(['error', 'end', 'close']);

/**
 * @param {(context: { lost(error?: unknown): void }) => unknown} connect
 * @returns the same, whose connections report their end by themselves
 */
function heeding(connect) {
  return async (context) => {
    const connection = await connect(context);
    if (isEmitter(connection)) {
      for (const event of ENDINGS) connection.on(event, (error) => context.lost(errorOf(event, error)));
    }
    return connection;
  };
}

/** These listeners stay: a connection that is done for may still emit 'error', once more and to nobody. */
function isEmitter(connection) {
  return typeof connection?.on === 'function' && typeof connection.emit === 'function';
}

/** 'close' of a socket has a boolean. */
function errorOf(event, error) {
  if (typeof error === 'object' && error !== null) return error;
  return Object.assign(new Error(`The connection emitted '${event}'.`), { code: 'ECONNRESET' });
}

module.exports = { heeding };
