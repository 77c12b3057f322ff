'use strict';

/**
 * The HTTP clients that people use, behind one call: `request(url, options)` reads the response to its end and
 * resolves with it, or rejects with the client's own error, untouched.
 *
 * Options: `signal`; `timeout` in ms, by the client's own means; `connectTimeout` in ms; `ca` to trust;
 * `onHead`, called and awaited when the response head is there and its body is not, where the client tells.
 */

const http = require('node:http');
const https = require('node:https');
const { once } = require('node:events');

const [NODE] = process.versions.node.split('.').map(Number);
/** The newest release that runs on this Node. */
const undici = require(NODE >= 22 ? 'undici' : 'undici-7');
const GOT = NODE >= 22 ? 'got' : 'got-14';

const CLIENTS = {
  async fetch(url, { signal, onHead }) {
    const response = await fetch(url, { signal });
    await onHead?.();
    await response.text();
    return response;
  },

  async 'undici fetch'(url, { signal, onHead, ...limits }) {
    const response = await undici.fetch(url, { signal, dispatcher: undiciAgent(limits) });
    await onHead?.();
    await response.text();
    return response;
  },

  async 'undici request'(url, { signal, onHead, ...limits }) {
    const response = await undici.request(url, { signal, dispatcher: undiciAgent(limits) });
    await onHead?.();
    await response.body.text();
    return response;
  },

  async http(url, { signal, ca, onHead }) {
    const { get } = url.startsWith('https:') ? https : http;
    const request = get(url, { signal, ca, agent: false });
    // A request reports an abort too after its response has begun; the response reports it here.
    request.on('error', () => {});
    const [response] = await once(request, 'response');
    const ended = once(response, 'end');
    // Awaited below; it may fail while the head is being announced.
    ended.catch(() => {});
    await onHead?.();
    response.resume();
    await ended;
    return response;
  },

  async axios(url, { signal, timeout, ca, onHead }) {
    const axios = require('axios');
    const onDownloadProgress = onHead && (() => onHead());
    return axios.get(url, { signal, timeout, onDownloadProgress, httpsAgent: ca && new https.Agent({ ca }) });
  },

  async 'node-fetch'(url, { signal, ca, onHead }) {
    const { default: nodeFetch } = await import('node-fetch');
    const response = await nodeFetch(url, { signal, agent: ca && new https.Agent({ ca }) });
    await onHead?.();
    await response.text();
    return response;
  },

  async got(url, { signal, timeout, connectTimeout, silenceTimeout, http2, ca, onHead }) {
    const { default: got } = await import(GOT);
    const call = got(url, {
      signal,
      http2,
      timeout: { request: timeout, connect: connectTimeout, socket: silenceTimeout },
      https: { certificateAuthority: ca },
      retry: { limit: 0 },
    });
    if (onHead) call.on('downloadProgress', ({ transferred }) => transferred > 0 && onHead());
    return call;
  },
};

/** Those that `import()` alone loads, which Jest does not offer: they run in a process of their own. */
const IMPORTED = ['node-fetch', 'got'];

function undiciAgent({ timeout, connectTimeout, ca }) {
  return new undici.Agent({ headersTimeout: timeout, bodyTimeout: timeout, connect: { timeout: connectTimeout, ca } });
}

module.exports = { CLIENTS, IMPORTED };
