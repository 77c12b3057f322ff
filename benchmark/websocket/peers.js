'use strict';

/** The clients, each as it comes and in the form in which its users write it. */

/**
 * @typedef {object} Peer
 * @property {() => (url: string) => any} load gives what makes a WebSocket
 * @property {(ws: any, listener: (length: number) => void) => void} onMessage the length of what came, as the client gives it
 *
 * @type {Record<string, Peer>}
 */
const peers = {
  ws: {
    load() {
      const WebSocket = require('ws');
      return (url) => new WebSocket(url);
    },
    onMessage: (ws, listener) => ws.on('message', ({ length }) => listener(length)),
  },
  'built-in': {
    load: () => (url) => {
      const ws = new globalThis.WebSocket(url);
      ws.binaryType = 'arraybuffer';
      return ws;
    },
    onMessage: (ws, listener) => ws.addEventListener('message', ({ data }) => listener(data.length ?? data.byteLength)),
  },
  unreset: {
    load() {
      const { WebSocket } = require('../..');
      return (url) => new WebSocket(url);
    },
    onMessage: (ws, listener) => ws.on('message', ({ length }) => listener(length)),
  },
};

module.exports = { peers };
