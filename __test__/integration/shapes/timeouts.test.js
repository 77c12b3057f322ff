'use strict';

/** Limits on time, by each client's own means: always `ETIMEDOUT`, with the phase as far as the client tells. */

const http2 = require('node:http2');
const { once } = require('node:events');

const { makeCertificate } = require('../../support/certificates');
const { openBlackHole } = require('../../../testing');
const { clientSuite } = require('../../support/client-suite');
const { CLIENTS } = require('../../support/clients');

const TIMEOUT = { code: 'ETIMEDOUT', kind: 'timeout', transient: true, reconnect: true };
const WAITING = { ...TIMEOUT, phase: 'wait', delivery: 'unknown' };
const CONNECTING = { ...TIMEOUT, phase: 'connect', delivery: 'not-sent' };
const READING = { ...TIMEOUT, phase: 'receive', delivery: 'answered' };

const MS = 150;

const suite = clientSuite();
let blackHole;

beforeAll(async () => {
  blackHole = await openBlackHole();
});

afterAll(() => blackHole.close());

describe('a server that never answers', () => {
  test.each([['undici fetch'], ['undici request'], ['axios'], ['got']])('%s', async (client) => {
    const { fault } = await suite.runner.run({ client, url: `${suite.server.url}/stall-before`, timeout: MS });
    expect(fault).toMatchObject(WAITING);
  });
});

describe('a server that took the request and never answers, whichever limit of got ends it', () => {
  // The limit includes the TLS handshake, which must be over by then on a busy machine too.
  const LIMIT = 2_000;
  let silent;
  const streams = new Set();

  beforeEach(async () => {
    const { key, cert } = await makeCertificate();
    silent = http2.createSecureServer({ key, cert, allowHTTP1: true });
    silent.certificate = cert;
    silent.on('secureConnection', (socket) => streams.add(socket.on('error', () => {})));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
  });

  afterEach(async () => {
    for (const stream of streams) stream.destroy();
    streams.clear();
    silent.close();
    await once(silent, 'close');
  });

  test.each([
    ['1.1', { timeout: LIMIT }],
    ['1.1', { silenceTimeout: LIMIT }],
    // got sees nothing of the connection there, which is no proof that there was none.
    ['2.0', { timeout: LIMIT, http2: true }],
    ['2.0', { silenceTimeout: LIMIT, http2: true }],
  ])('HTTP/%s with %j', async (version, limits) => {
    const versions = [];
    silent.on('request', ({ httpVersion }) => versions.push(httpVersion));
    const url = `https://127.0.0.1:${silent.address().port}/`;
    const { fault } = await suite.runner.run({ client: 'got', url, ca: silent.certificate, ...limits });
    expect(versions).toEqual([version]);
    expect(fault).toMatchObject(WAITING);
  });
});

describe('a body that stalls', () => {
  test.each([
    ['undici fetch', READING],
    ['undici request', READING],
    ['got', READING],
    // It destroys its socket and then reports what any broken body is: nothing tells that it was the limit.
    ['axios', { code: 'ECONNRESET', kind: 'reset', phase: 'receive', delivery: 'answered' }],
  ])('%s', async (client, expected) => {
    const { fault } = await suite.runner.run({ client, url: `${suite.server.url}/stall-body`, timeout: MS });
    expect(fault).toMatchObject(expected);
  });
});

describe('a host that accepts no connection', () => {
  test.each([
    ['undici fetch', { connectTimeout: MS }, CONNECTING],
    ['undici request', { connectTimeout: MS }, CONNECTING],
    ['got', { connectTimeout: MS }, CONNECTING],
    // One limit for everything, and nothing that tells a connection in the making from one that got does not see.
    ['got', { timeout: MS }, { ...CONNECTING, delivery: 'unknown' }],
    // One limit for everything, and the error does not say how far the request came.
    ['axios', { timeout: MS }, WAITING],
  ])('%s with %j', async (client, limits, expected) => {
    const { fault } = await suite.runner.run({ client, url: `http://127.0.0.1:${blackHole.port}/`, ...limits });
    expect(fault).toMatchObject(expected);
  });
});

describe('AbortSignal.timeout', () => {
  // These keep nothing of the signal's reason in their error.
  const ABORTED = { kind: 'aborted', code: 'ABORT_ERR' };
  const but = { axios: ABORTED, 'node-fetch': ABORTED };

  test.each(Object.keys(CLIENTS))('%s', async (client) => {
    const { fault, underSignal } = await suite.runner.run({
      client,
      url: `${suite.server.url}/stall-before`,
      signalTimeout: MS,
    });
    expect(fault).toMatchObject(but[client] ?? TIMEOUT);
    // The caller who knows the signal knows that the call is over.
    expect(underSignal).toMatchObject({ kind: 'aborted', code: 'ABORT_ERR', transient: false });
  });
});
