'use strict';

/** A server of a file whose responses are reset at exact places: who reads them has read exactly so much before it breaks. */

const { FaultProxy } = require('../..');
const { startOrigin } = require('../../testing');
const { sendPart, serveFile } = require('./file-server');

/**
 * @param {Buffer} content
 * @param {number} piece each response is reset after so many bytes of its body
 * @param {object} [options] those of {@link serveFile}
 * @param {number} [options.times] how many are; default: all
 * @param {boolean} [options.ranges] false: each response is the whole file
 * @returns {Promise<{ url: string, requests: object[] }>} the requests are those that the server saw
 */
async function serveBrokenFile(content, piece, { times, ranges = true, ...options } = {}) {
  const whole = (request, response) => sendPart(response, content, 0, { partial: false, headers: options.headers });
  const origin = await (ranges ? serveFile(content, options) : startOrigin(whole));
  const proxy = await FaultProxy.listen({ upstream: origin.port });
  proxy.add({ type: 'reset', on: 'response-body', afterBytes: piece, ...(times !== undefined && { times }) });
  return { url: new URL(proxy.url('/')).origin, requests: origin.requests };
}

module.exports = { serveBrokenFile };
