'use strict';

/**
 * ioredis. Traps that are closed here (ioredis 6):
 * - it sends commands again whose answer was lost with the connection: an INCR is applied twice, and a command that kills its
 *   connection is sent for ever. Told not to, it forgets them, and they never settle. So it is told not to, and they are
 *   settled here;
 * - a command that met a dead connection in silence hangs: the connection is tested after a silence;
 * - a client that has given up reconnecting stays dead.
 */

const { endedError, isReadOnly, replyShape } = require('./redis-replies');
const { SLOW, knowing } = require('./shapes');

function isIoredis(client) {
  return typeof client?.status === 'string' && client.isCluster === false && typeof client.sendCommand === 'function';
}

/** @param {import('ioredis').Redis} client */
function ioredisSource(client) {
  client.options.autoResendUnfulfilledCommands = false;
  client.on('close', () => settleUnanswered(client));
  // Without a listener it writes to the console.
  client.on('error', () => {});
  return {
    surface: 'wrapRedis',
    heals: true,
    faultOf,
    async connect({ signal, lost }) {
      await untilReady(client, signal);
      client.once('close', () => lost(endedError()));
      return client;
    },
    // It comes back by itself; unless it does not know that it is dead.
    discard() {
      if (client.status === 'ready') client.stream?.destroy();
    },
    async close() {
      if (client.status === 'ready') await client.quit();
      else client.disconnect();
    },
    destroyAll() {
      client.disconnect();
      client.stream?.destroy();
    },
    ping: () => client.ping(),
    isBroken: (_, error) => client.status !== 'ready' || isReadOnly(error),
    traffic: () => `${client.connectionEpoch}:${client.stream?.bytesWritten}`,
  };
}

/** One attempt of the client's own, which it repeats by itself until it gives up. */
function untilReady(client, signal) {
  if (client.status === 'ready') return Promise.resolve();
  return new Promise((resolve, reject) => {
    const listeners = {
      ready: () => end(resolve),
      error: (error) => end(reject, error),
      close: () => end(reject, endedError()),
      end: () => end(reject, endedError()),
    };
    const end = (settle, value) => {
      for (const [event, listener] of Object.entries(listeners)) client.off(event, listener);
      signal.removeEventListener('abort', onAbort);
      settle(value);
    };
    const onAbort = () => end(reject, signal.reason);
    for (const [event, listener] of Object.entries(listeners)) client.on(event, listener);
    signal.addEventListener('abort', onAbort);
    // Its rejection says less than the events.
    if (client.status === 'wait' || client.status === 'end') client.connect().catch(() => {});
  });
}

/** What had been sent when the connection ended. Nobody else keeps it. */
function settleUnanswered({ commandQueue }) {
  while (commandQueue.length > 0) commandQueue.shift().command.reject(endedError());
}

/** Rejections of commands that may have been sent, or not: ioredis rejects all that it holds with the same error. */
const GONE = Object.freeze(['ECONNRESET', Object.freeze({})]);
const OFFLINE = Object.freeze(['ECONNRESET', Object.freeze({
  phase: 'send', delivery: 'not-sent', reason: 'There was no connection, and the command was not queued: nothing was sent.',
})]);

const MESSAGES = Object.freeze({
  'Connection is closed.': GONE,
  'Command timed out': SLOW,
  "Stream isn't writeable and enableOfflineQueue options is false": OFFLINE,
});

const faultOf = knowing((error) => {
  if (error.kind !== undefined) return undefined;
  if (error.name === 'ReplyError') return replyShape(error.message);
  // Its AbortError is no abort by the caller: a pipeline was cut in the middle.
  if (error.name === 'MaxRetriesPerRequestError' || (error.name === 'AbortError' && error.command !== undefined)) return GONE;
  return Object.hasOwn(MESSAGES, error.message) ? MESSAGES[error.message] : undefined;
});

module.exports = { ioredisSource, isIoredis };
