'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const { after, before, test } = require('node:test');

const { checkBody, makeBody } = require('../../recovery/lib/bodies');
const { Bucket } = require('../../recovery/lib/bucket');
const { createOrigin } = require('../../recovery/origin');

const SEED = 7;
let origin;
let url;

before(async () => {
  origin = createOrigin({ seed: SEED });
  origin.server.listen(0, '127.0.0.1');
  await once(origin.server, 'listening');
  url = `http://127.0.0.1:${origin.server.address().port}/calls/`;
});
after(() => {
  origin.server.close();
  origin.server.closeAllConnections();
});

const get = (target, headers) => fetch(url + target, { headers });
const bytes = async (response) => new Uint8Array(await response.arrayBuffer());

test('an effect is counted for every POST that arrived whole, and for nothing else', async () => {
  const post = (body) => fetch(`${url}order?length=8`, { method: 'POST', body: JSON.stringify(body) });
  assert.equal((await post({ id: 'order' })).status, 200);
  assert.equal((await post({ id: 'order' })).status, 200);
  assert.equal((await post({ id: 'another' })).status, 400);
  await get('order?length=8');
  await postHalfAndLeave('order');
  const { effects, requests } = origin.calls.get('order');
  assert.deepEqual({ effects, requests }, { effects: 2, requests: 5 });
});

/** Resolves when the origin has seen the end of a connection on which half of a body came. */
async function postHalfAndLeave(id) {
  const socket = net.connect(origin.server.address().port, '127.0.0.1');
  const [connection] = await once(origin.server, 'connection');
  socket.write(`POST /calls/${id}?length=8 HTTP/1.1\r\nHost: origin\r\nContent-Length: 100\r\n\r\n{"id":`);
  await once(origin.server, 'request');
  connection.on('error', () => {}); // half a request is one; `once` would fail with it
  const closed = new Promise((resolve) => {
    connection.on('close', resolve);
  });
  socket.end();
  await closed;
}

test('a file has an ETag, and is continued only for who holds the same', async () => {
  const whole = await bytes(await get('file?length=4096'));
  const part = await get('file?length=4096', { range: 'bytes=1000-', 'if-range': '"file"' });
  assert.equal(part.status, 206);
  assert.equal(part.headers.get('content-range'), 'bytes 1000-4095/4096');
  assert.deepEqual(await bytes(part), whole.subarray(1000));
  assert.equal((await get('file?length=4096', { range: 'bytes=1000-', 'if-range': '"old"' })).status, 200);
  assert.equal((await get('file?length=4096', { range: 'bytes=1000-', 'if-match': '"old"' })).status, 412);
  assert.equal((await get('file?length=4096', { range: 'bytes=5000-' })).status, 416);
});

test('what is live is another version each time, without a validator, and continued all the same', async () => {
  const first = await get('live?length=4096&live=1');
  assert.equal(first.headers.get('etag'), null);
  const begun = await bytes(first);
  const rest = await bytes(await get('live?length=4096&live=1', { range: 'bytes=1000-' }));
  assert.deepEqual(Buffer.from(rest), makeBody(SEED, 'live', 1, 4096).subarray(1000));
  const spliced = Buffer.concat([begun.subarray(0, 1000), rest]);
  assert.equal(checkBody(spliced, SEED, { id: 'live', length: 4096 }), 'other');
});

test('a busy origin says for how long', async () => {
  const refused = await get('busy?length=8&busy=900');
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1']);
});

test('an idle server announces no timeout of its own', async () => {
  assert.equal((await get('plain?length=8')).headers.get('keep-alive'), null);
});

test('refusals cost capacity too, but never more than a second\'s worth', () => {
  const bucket = new Bucket({ perSecond: 10, refusalCost: 0.25 });
  const taken = (count, at) => Array.from({ length: count }, () => bucket.take(at)).filter(Boolean).length;
  assert.equal(taken(6, 1000), 2); // a burst of 0.2 s, then four refusals: one answer's worth of debt
  assert.equal(taken(1, 1100), 0); // 0.1 s earned it back, and this refusal costs again
  assert.equal(taken(1, 1240), 1);
  taken(1000, 1240);
  assert.equal(taken(1, 2350), 1); // 1 s of debt and 0.1 s for one answer
});
