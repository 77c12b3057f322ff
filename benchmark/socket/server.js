'use strict';

/**
 * The other end, in a process of its own: echoes, swallows or sends, as the first byte of a connection asks. `r` resets the
 * connection at its next byte.
 */

const net = require('node:net');

const CHUNK = Buffer.alloc(64 * 1024, 'x');

const server = net.createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  socket.once('data', (first) => {
    const kind = String.fromCharCode(first[0]);
    if (kind === 'e') {
      socket.on('data', (chunk) => socket.write(chunk));
      if (first.length > 1) socket.write(first.subarray(1));
    } else if (kind === 's') {
      let taken = first.length - 1;
      socket.on('data', (chunk) => {
        taken += chunk.length;
        // So many bytes have come, as eight bytes each time that another MiB has.
        if (Math.floor(taken / 2 ** 20) > Math.floor((taken - chunk.length) / 2 ** 20)) socket.write('.');
      });
    } else if (kind === 'g') {
      const send = () => {
        while (socket.write(CHUNK));
      };
      socket.on('drain', send);
      send();
    } else {
      socket.once('data', () => socket.resetAndDestroy());
      socket.write('!');
    }
  });
});
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.on('disconnect', () => process.exit());
