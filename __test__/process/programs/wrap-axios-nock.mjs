/** nock, which is an ES module, under a wrapped axios: prints what became of two calls over each adapter. */

import axios from 'axios';
import nock from 'nock';
import unreset from '../../../index.js';

// nock 15 uses what Node has from version 22 on.
Promise.withResolvers ??= function withResolvers() {
  const made = {};
  made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};

const client = unreset.wrapAxios(axios, { retry: { backoff: { base: 1, cap: 2 } } });
const codes = ({ attempts }) => attempts.map(({ fault }) => fault?.code ?? null);
const told = {};

nock.disableNetConnect();
for (const adapter of ['http', 'fetch']) {
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
  const stock = nock('http://inventory.test')
    .get('/stock').replyWithError(reset)
    .get('/stock').reply(503, 'busy', { 'Retry-After': '0' })
    .get('/stock').reply(200, { stock: 120 });
  const { data, recovery } = await client.get('http://inventory.test/stock', { adapter });

  const orders = nock('http://inventory.test').post('/orders').reply(503).post('/orders').reply(201);
  const refused = await client.post('http://inventory.test/orders', { sku: 'bolt' }, { adapter }).catch((error) => error);
  told[adapter] = {
    data,
    codes: codes(recovery),
    unmet: stock.pendingMocks().length,
    post: refused.recovery.gaveUp,
    unmetPosts: orders.pendingMocks().length,
  };
  nock.cleanAll();
}
console.log(JSON.stringify(told));
