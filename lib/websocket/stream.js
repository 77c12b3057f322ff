'use strict';

/** `createWebSocketStream` of `ws`: the messages of a WebSocket as the bytes, or the chunks, of a stream. */

const { Duplex } = require('node:stream');

/**
 * @param {import('./websocket').WebSocket} ws
 * @param {import('node:stream').DuplexOptions} [options]
 * @returns {Duplex} ends with the WebSocket; a message that does not go fails it
 */
function createWebSocketStream(ws, options) {
  const isReadableOfObjects = Boolean(options?.readableObjectMode);
  const stream = new Duplex({ ...options, autoDestroy: true, emitClose: true, objectMode: false, writableObjectMode: false, ...methodsFor(ws) });
  const onMessage = (data, isBinary) => {
    if (!stream.push(isReadableOfObjects && !isBinary ? data.toString() : data)) ws.pause();
  };
  const onError = (error) => stream.destroy(error);
  const onClose = () => {
    ws.off('message', onMessage).off('error', onError);
    if (!stream.destroyed) stream.push(null);
  };
  ws.on('message', onMessage).on('error', onError).once('close', onClose);
  return stream;
}

/** What the stream asks of the WebSocket. */
function methodsFor(ws) {
  return {
    read() {
      if (ws.isPaused) ws.resume();
    },

    write(chunk, encoding, callback) {
      // The stream goes on when little waits; that a message did not go is known later, and then the stream is not whole.
      ws.send(chunk, (error) => error && this.destroy(error));
      ws.drained(this.writableHighWaterMark).then(() => callback(), callback);
    },

    final(callback) {
      ws.drained().then(() => {
        ws.close();
        callback();
      }, callback);
    },

    destroy(error, callback) {
      if (ws.readyState === ws.CLOSED) {
        callback(error);
        return;
      }
      ws.once('close', () => callback(error));
      ws.terminate();
    },
  };
}

module.exports = { createWebSocketStream };
