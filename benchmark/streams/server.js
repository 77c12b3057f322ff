'use strict';

/**
 * The other end, in a process of its own: a file of any size, from where it is asked for. `/reset/<bytes>` resets each
 * connection after so many bytes of its body. Sockets and nothing else, so that it is faster than every client.
 *
 * It prints its port, and ends with the process that started it.
 */

const net = require('node:net');

const { FILE_SIZE } = require('./options');

const CHUNK = Buffer.alloc(1024 * 1024, 'unreset ');

const server = net.createServer({ noDelay: true }, (socket) => {
  let asked = '';
  socket.setEncoding('latin1').on('error', () => {});
  socket.on('data', (text) => {
    asked += text;
    if (!asked.endsWith('\r\n\r\n')) return;
    const head = asked;
    asked = '';
    answer(socket, head);
  });
});

function answer(socket, head) {
  const first = Number(/\r\nrange: bytes=(\d+)-\r\n/i.exec(head)?.[1] ?? 0);
  const resetAfter = Number(/^GET \/reset\/(\d+) /.exec(head)?.[1] ?? Infinity);
  const length = FILE_SIZE - first;
  const status = first > 0 ? `206 Partial Content\r\ncontent-range: bytes ${first}-${FILE_SIZE - 1}/${FILE_SIZE}` : '200 OK';
  socket.write(`HTTP/1.1 ${status}\r\ncontent-length: ${length}\r\netag: "file"\r\n\r\n`);
  let left = Math.min(length, resetAfter);
  const isReset = left < length;
  const send = () => {
    while (left > 0) {
      const bytes = Math.min(left, CHUNK.length);
      left -= bytes;
      const more = socket.write(bytes === CHUNK.length ? CHUNK : CHUNK.subarray(0, bytes));
      if (!more) return;
    }
    socket.off('drain', send);
    // When the system has taken all of it; what the other one has not read then is lost, as it is in life.
    if (isReset) socket.write('', () => socket.resetAndDestroy());
  };
  socket.on('drain', send);
  send();
}

server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit());
