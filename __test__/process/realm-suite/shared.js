'use strict';

// Run by each of the suite's files: Jest gives each a realm of its own, and all of them the same addon.

const http = require('node:http');
const { once } = require('node:events');
const { fetch, classify } = require('../../..');

module.exports = function defineTests() {
  test('a call is answered in this realm', async () => {
    const server = http.createServer((request, response) => response.end('{"a":1}'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${server.address().port}`;
    const response = await fetch(url);
    expect(response).toBeInstanceOf(Response);
    expect(await response.json()).toEqual({ a: 1 });
    server.closeAllConnections();
    server.close();
    const error = await fetch(url, { retry: false }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(classify(error)).toMatchObject({ code: 'ECONNREFUSED', kind: 'refused', delivery: 'not-sent' });
  });
};
