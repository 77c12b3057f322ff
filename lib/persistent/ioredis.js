'use strict';

/**
 * ioredis. Traps that are closed here (ioredis 6):
 * - it sends commands again whose answer was lost with the connection: an INCR is applied twice, and a command that kills its
 *   connection is sent for ever. Told not to, it forgets them, and they never settle. So it is told not to, and they are
 *   settled here;
 * - a command that met a dead connection in silence hangs: the connection is tested after a silence;
 * - a client that has given up reconnecting stays dead.
 */

const { classify } = require('../fault');
const { endedError, isReadOnly } = require('./redis-common');

function isIoredis(client) {
  return typeof client?.status === 'string' && client.isCluster === false && typeof client.sendCommand === 'function';
}

/** @param {import('ioredis').Redis} client */
function ioredisSource(client) {
  client.options.autoResendUnfulfilledCommands = false;
  client.on('close', () => settleUnanswered(client.commandQueue));
  // What the client meant to send again when it was given to us: told not to, it would forget it.
  if (client.prevCommandQueue) settleUnanswered(client.prevCommandQueue);
  // Without a listener it writes to the console.
  client.on('error', () => {});
  return {
    surface: 'wrapRedis',
    heals: true,
    faultOf: classify,
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
    // It says 'ready' for a moment longer than its stream lives.
    isBroken: (_, error) => client.status !== 'ready' || client.stream?.writable !== true || isReadOnly(error),
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
function settleUnanswered(commandQueue) {
  while (commandQueue.length > 0) commandQueue.shift().command.reject(endedError());
}

module.exports = { ioredisSource, isIoredis };
