'use strict';

/** The `tls` option of `createFetch`: its shapes, what it refuses, and that nothing of it is ignored. */

const https = require('node:https');

const { createFetch } = require('../../../..');
const { closeAll, ok, startOrigin } = require('../../../../testing');
const { makeAuthority, makeCertificate } = require('../../../support/certificates');
const { caught } = require('../../../support/fetch-outcomes');

let root;
let server;
let stranger;

beforeAll(async () => {
  root = await makeAuthority('Root');
  server = await makeCertificate({ issuer: root });
  stranger = await makeAuthority('Stranger');
});

afterEach(closeAll);

const serving = (tls) => startOrigin(ok, { tls: { ...server, ...tls } });

describe('ca', () => {
  const forms = {
    'a string': () => root.cert,
    'a Buffer': () => Buffer.from(root.cert),
    'bytes inside of others': () => new Uint8Array(Buffer.from(`xx${root.cert}xx`)).subarray(2, -2),
    'an array': () => [stranger.cert, Buffer.from(root.cert)],
    'several in one file, with text between': () => `the first\n${stranger.cert}\nthe second\r\n${root.cert.replaceAll('\n', '\r\n')}`,
  };

  test.each(Object.entries(forms))('%s', async (name, form) => {
    const { url } = await serving();
    const response = await createFetch({ tls: { ca: form() } })(url);
    expect(await response.text()).toBe('ok');
  });

  test('an empty array trusts nobody, as in Node', async () => {
    const { url } = await serving();
    const error = await caught(createFetch({ tls: { ca: [] } })(url));
    expect(error.code).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  test('null is not given, as in Node', () => {
    expect(() => createFetch({ tls: { ca: null, cert: null, key: null, passphrase: null, minVersion: null } })).not.toThrow();
  });

  test('why a certificate is refused can be read in the error', async () => {
    const { port } = await serving();
    const { cause } = await caught(createFetch({ tls: { ca: root.cert } })(`https://localhost:${port}/`));
    expect(cause.detail).toContain('the certificate is for 127.0.0.1 and not for localhost');
  });
});

describe('rejectUnauthorized', () => {
  test('false accepts whoever answers', async () => {
    const { url } = await serving();
    const fetch = createFetch({ tls: { rejectUnauthorized: false } });
    expect(await (await fetch(url)).text()).toBe('ok');
  });

  test('false accepts whoever answers although authorities are named', async () => {
    const { url } = await serving(await makeCertificate({ name: 'x.test', from: -3, until: -1 }));
    const fetch = createFetch({ tls: { rejectUnauthorized: false, ca: stranger.cert } });
    expect(await (await fetch(url)).text()).toBe('ok');
  });

  test('true is the default', async () => {
    const { url } = await serving();
    for (const tls of [undefined, {}, { rejectUnauthorized: undefined }, { rejectUnauthorized: true }]) {
      const error = await caught(createFetch({ tls })(url));
      expect(error.code).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    }
  });
});

test('close() ends the connections of calls that were verified, and of those that were not', async () => {
  const { url, requests, connections } = await serving();
  const fetch = createFetch({ tls: { ca: root.cert } });
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  try {
    for (const value of ['1', '0', '1', '0']) {
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = value;
      await (await fetch(url)).text();
    }
  } finally {
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  }
  expect(connections()).toBe(2);
  await fetch.close();
  await Promise.all(requests.map(({ closed }) => closed));
});

describe('minVersion', () => {
  const versionOf = async (minVersion, serverOptions) => {
    const { url } = await startOrigin((request, response) => response.end(request.incoming.socket.getProtocol()), {
      tls: { ...server, ...serverOptions },
    });
    return (await createFetch({ tls: { ca: root.cert, minVersion } })(url)).text();
  };

  test('without it, TLS 1.2 is spoken where the server knows no other', async () => {
    expect(await versionOf(undefined, { maxVersion: 'TLSv1.2' })).toBe('TLSv1.2');
    expect(await versionOf('TLSv1.2', { maxVersion: 'TLSv1.2' })).toBe('TLSv1.2');
    expect(await versionOf('TLSv1.2')).toBe('TLSv1.3');
  });

  test('TLS 1.3 is insisted on', async () => {
    expect(await versionOf('TLSv1.3')).toBe('TLSv1.3');
    const error = await caught(versionOf('TLSv1.3', { maxVersion: 'TLSv1.2' }));
    expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });
});

describe('what createFetch refuses', () => {
  const torn = (pem) => pem.replace(/\n.{20}/, '\n');

  test.each([
    ['an option that there is not', { certs: '' }, /^tls\.certs is not an option\. Accepted: ca, cert, key/],
    ['an unknown version', { minVersion: 'TLSv1.1' }, /^tls\.minVersion must be 'TLSv1\.2' or 'TLSv1\.3'\. Received 'TLSv1\.1'/],
    ['a version of another type', { minVersion: 1.3 }, /^tls\.minVersion must be 'TLSv1\.2' or 'TLSv1\.3'\. Received 1\.3/],
    ['rejectUnauthorized of another type', { rejectUnauthorized: 0 }, /^tls\.rejectUnauthorized must be true or false/],
    ['authorities of another type', { ca: 1 }, /^tls\.ca must be certificates in PEM, as a string or a Buffer/],
    ['authorities that are none', { ca: '' }, /^tls\.ca must be certificates in PEM\.$/],
    ['an authority that is none among others', { ca: ['-----BEGIN'] }, /^tls\.ca\[0\] must be certificates in PEM\.$/],
    ['a passphrase of another type', { passphrase: 1 }, /^tls\.passphrase must be a string\. Received 'number'/],
    ['a certificate without a key', { cert: '' }, /^tls\.key must be given together with tls\.cert\.$/],
    ['a key without a certificate', { key: '' }, /^tls\.cert must be given together with tls\.key\.$/],
    ['a tls option of another type', true, /^tls must be an object/],
  ])('%s', (name, tls, message) => {
    const given = () => createFetch({ tls });
    expect(given).toThrow(message);
    expect(given).toThrow(expect.objectContaining({ name: 'TypeError' }));
  });

  test('a certificate that is damaged', () => {
    expect(() => createFetch({ tls: { ca: `${stranger.cert}\n${torn(root.cert)}` } }))
      .toThrow(/^tls\.ca must be certificates in PEM: number 2 in it cannot be read\.$/);
  });

  test('the error says what OpenSSL found', () => {
    let thrown;
    try {
      createFetch({ tls: { ca: torn(root.cert) } });
    } catch (error) {
      thrown = error;
    }
    expect(thrown.code).toBe('ERR_INVALID_ARG_VALUE');
    expect(thrown.cause.code).toMatch(/^ERR_OSSL_/);
  });
});

test('certificates are verified against the name in the URL, which the server is told', async () => {
  const names = [];
  const localhost = await makeCertificate({ issuer: root, name: 'localhost' });
  const { port } = await serving({
    ...localhost,
    SNICallback(name, done) {
      names.push(name);
      done(null);
    },
  });
  const fetch = createFetch({ tls: { ca: root.cert } });
  expect((await fetch(`https://localhost:${port}/`)).status).toBe(200);
  expect((await caught(fetch(`https://127.0.0.1:${port}/`))).code).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  // An address is not sent: RFC 6066, section 3.
  expect(names).toEqual(['localhost']);
});

test('the options of one client are not those of another', async () => {
  const { url } = await serving();
  const trusting = createFetch({ tls: { ca: root.cert } });
  expect((await trusting(url)).status).toBe(200);
  expect((await caught(createFetch()(url))).code).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  expect((await trusting(url)).status).toBe(200);
});

test('Node trusts the same server with the same options', async () => {
  const { url } = await serving();
  const status = await new Promise((resolve, reject) => {
    https.get(url, { ca: [stranger.cert, Buffer.from(root.cert)], agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
  expect(status).toBe(200);
});
