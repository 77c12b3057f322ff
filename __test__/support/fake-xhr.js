'use strict';

/** As much of XMLHttpRequest as axios's xhr adapter uses, on real connections. As in a browser, an error tells nothing. */

const http = require('node:http');

class FakeXMLHttpRequest {
  #request;
  #headers = {};
  status = 0;
  statusText = '';
  responseURL = '';
  responseText = '';
  onloadend = null;
  onabort = null;
  onerror = null;
  ontimeout = null;

  open(method, url) {
    this.#request = { method, url };
  }

  setRequestHeader(name, value) {
    this.#headers[name] = value;
  }

  getAllResponseHeaders() {
    return '';
  }

  send(data) {
    const { method, url } = this.#request;
    const request = http.request(url, { method, headers: this.#headers, agent: false }, (response) => {
      response.setEncoding('utf8').on('data', (text) => {
        this.responseText += text;
      });
      response.on('error', () => this.onerror?.());
      response.on('end', () => {
        this.status = response.statusCode;
        this.onloadend?.();
      });
    });
    request.on('error', () => this.onerror?.());
    request.end(data ?? undefined);
    this.abort = () => request.destroy();
  }
}

/**
 * For one test file, since the adapter uses the global: axios as it is where there is an XMLHttpRequest.
 *
 * @returns {import('axios').AxiosStatic}
 */
function axiosWithXhr() {
  globalThis.XMLHttpRequest = FakeXMLHttpRequest;
  let axios;
  // It looks for the global when it is loaded.
  jest.isolateModules(() => {
    axios = require('axios');
  });
  return axios;
}

module.exports = { axiosWithXhr };
