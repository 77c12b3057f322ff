'use strict';

/** A server of one file, which honours `Range` and `If-Range` as RFC 9110 says, and may break in the middle. */

const { startOrigin } = require('../../testing');

/**
 * @param {Buffer} content
 * @param {object} [options]
 * @param {number} [options.piece] each response breaks with RST after so many bytes of its body; default: none does
 * @param {Promise<void>} [options.hold] what the break waits for
 * @param {Record<string, string>} [options.headers] of every response; default: a strong entity tag
 * @param {import('../../testing').Answer} [options.then] answers every request after the first one
 */
function serveFile(content, { piece = Infinity, hold, headers = { etag: '"v1"' }, then } = {}) {
  return startOrigin((request, response) => {
    if (then !== undefined && request.index > 0) {
      then(request, response);
      return;
    }
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const validator = request.headers['if-range'];
    const honoured = range !== null && (validator === undefined || validator === headers.etag);
    const first = honoured ? Number(range[1]) : 0;
    sendPart(response, content, first, { headers, partial: honoured, piece, hold });
  });
}

/** Sends `content` from `first` on: as a part of it, or as if that were all. */
function sendPart(response, content, first, { headers = {}, partial = true, piece = Infinity, hold } = {}) {
  const rest = content.subarray(first);
  response.writeHead(partial ? 206 : 200, {
    'content-length': rest.length,
    ...(partial && { 'content-range': `bytes ${first}-${content.length - 1}/${content.length}` }),
    ...headers,
  });
  if (rest.length <= piece) {
    response.end(rest);
    return;
  }
  response.write(rest.subarray(0, piece), async () => {
    await hold;
    response.socket?.resetAndDestroy();
  });
}

module.exports = { serveFile, sendPart };
