'use strict';

/** Whom a process trusts by its environment and by the options that Node was started with: what Node does, ours does. */

const { X509Certificate } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const tls = require('node:tls');

const { closeAll, ok, reply, startOrigin } = require('../../testing');
const { makeAuthority, makeCertificate } = require('../support/certificates');
const { runProgram } = require('../support/program');

/** Node's own words, up to what it means by it. */
const WARNING = /Warning: Setting the NODE_TLS_REJECT_UNAUTHORIZED environment variable to '0' makes TLS connections/g;

const REFUSED = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';

let directory;
let root;
let server;
let origin;

beforeAll(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'unreset-tls-'));
  root = await makeAuthority('Root');
  server = await makeCertificate({ issuer: root });
});

beforeEach(async () => {
  origin = await startOrigin(ok, { tls: server });
});

afterEach(closeAll);

afterAll(() => fs.rmSync(directory, { recursive: true }));

function file(name, text) {
  const where = path.join(directory, name);
  fs.writeFileSync(where, text);
  return where;
}

/** An environment that says nothing of TLS, but for what is given. */
async function outcomes(tasks, { env, flags } = {}) {
  const silent = Object.fromEntries([
    'NODE_EXTRA_CA_CERTS', 'NODE_TLS_REJECT_UNAUTHORIZED', 'NODE_OPTIONS', 'SSL_CERT_FILE', 'SSL_CERT_DIR',
  ].map((name) => [name, undefined]));
  const args = tasks.map((task) => JSON.stringify({ url: origin.url, ...task }));
  const ended = await runProgram('tls-trust.js', args, { env: { ...silent, ...env }, flags });
  expect(ended).toMatchObject({ code: 0, signal: null });
  return { came: JSON.parse(ended.stdout), stderr: ended.stderr };
}

const BOTH = [{ client: 'builtIn' }, { client: 'ours' }];

describe('NODE_EXTRA_CA_CERTS', () => {
  test('without it the server is a stranger', async () => {
    expect(await outcomes(BOTH)).toEqual({ came: [REFUSED, REFUSED], stderr: '' });
  });

  test('is trusted', async () => {
    const { came } = await outcomes(BOTH, { env: { NODE_EXTRA_CA_CERTS: file('root.pem', root.cert) } });
    expect(came).toEqual(['ok', 'ok']);
  });

  test('may hold the certificate of the server itself', async () => {
    const self = await makeCertificate({ authority: true });
    origin = await startOrigin(ok, { tls: self });
    const { came } = await outcomes(BOTH, { env: { NODE_EXTRA_CA_CERTS: file('self.pem', self.cert) } });
    expect(came).toEqual(['ok', 'ok']);
  });

  test('is trusted in a worker', async () => {
    const tasks = BOTH.map((task) => ({ ...task, worker: true }));
    const { came } = await outcomes(tasks, { env: { NODE_EXTRA_CA_CERTS: file('root.pem', root.cert) } });
    expect(came).toEqual(['ok', 'ok']);
  });

  test('is not trusted by a client with authorities of its own', async () => {
    const stranger = await makeAuthority('Stranger');
    const own = { client: 'own', tls: { ca: stranger.cert } };
    const { came } = await outcomes([own], { env: { NODE_EXTRA_CA_CERTS: file('root.pem', root.cert) } });
    expect(came).toEqual([REFUSED]);
  });

  test('that cannot be read is warned of by Node, once', async () => {
    const { came, stderr } = await outcomes(BOTH, { env: { NODE_EXTRA_CA_CERTS: path.join(directory, 'none') } });
    expect(came).toEqual([REFUSED, REFUSED]);
    expect(stderr.match(/Warning: Ignoring extra certs/g)).toHaveLength(1);
  });

  test('counts as it was when the process started', async () => {
    const late = { NODE_EXTRA_CA_CERTS: file('root.pem', root.cert) };
    const { came } = await outcomes(BOTH.map((task) => ({ ...task, env: late })));
    expect(came).toEqual([REFUSED, REFUSED]);
  });

  test('is trusted where a proxy alone speaks TLS', async () => {
    const through = { client: 'own', url: 'http://nowhere.test/', proxy: origin.url };
    expect((await outcomes([through])).came).toEqual([REFUSED]);
    const { came } = await outcomes([through], { env: { NODE_EXTRA_CA_CERTS: file('root.pem', root.cert) } });
    expect(came).toEqual(['ok']);
  });

  test('is trusted where a redirect first leads to TLS', async () => {
    const plain = await startOrigin(reply(302, { location: origin.url }, ''));
    const tasks = BOTH.map((task) => ({ ...task, url: plain.url }));
    const { came } = await outcomes(tasks, { env: { NODE_EXTRA_CA_CERTS: file('root.pem', root.cert) } });
    expect(came).toEqual(['ok', 'ok']);
  });
});

describe('NODE_TLS_REJECT_UNAUTHORIZED=0', () => {
  const env = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
  const warnings = (stderr) => stderr.match(WARNING)?.length ?? 0;

  test.each([
    ['ours', ['ours']],
    ['several of ours', ['ours', 'own', 'ours']],
    ['ours after the built-in', ['builtIn', 'ours']],
    ['the built-in after ours', ['ours', 'builtIn']],
  ])('accepts everybody, with the one warning of Node: %s', async (name, clients) => {
    const { came, stderr } = await outcomes(clients.map((client) => ({ client })), { env });
    expect(came).toEqual(clients.map(() => 'ok'));
    expect(warnings(stderr)).toBe(1);
  });

  test('nothing is warned of without TLS', async () => {
    const plain = await startOrigin(ok);
    const { came, stderr } = await outcomes([{ client: 'ours', url: plain.url }], { env });
    expect({ came, stderr }).toEqual({ came: ['ok'], stderr: '' });
  });

  test('also where a redirect first leads to TLS', async () => {
    const plain = await startOrigin(reply(302, { location: origin.url }, ''));
    const { came, stderr } = await outcomes([{ client: 'ours', url: plain.url }], { env });
    expect(came).toEqual(['ok']);
    expect(warnings(stderr)).toBe(1);
  });

  test('rejectUnauthorized decides for its client, and Node warns all the same', async () => {
    const { came, stderr } = await outcomes([{ client: 'own', tls: { rejectUnauthorized: true } }], { env });
    expect(came).toEqual([REFUSED]);
    expect(warnings(stderr)).toBe(1);
  });

  test('rejectUnauthorized: false is not warned of', async () => {
    const { came, stderr } = await outcomes([{ client: 'own', tls: { rejectUnauthorized: false } }]);
    expect({ came, stderr }).toEqual({ came: ['ok'], stderr: '' });
  });

  test('holds from the moment it is set to the moment it is not', async () => {
    const ours = (value) => ({ client: 'ours', env: { NODE_TLS_REJECT_UNAUTHORIZED: value } });
    const { came, stderr } = await outcomes([ours(null), ours('0'), ours(null), ours('1'), ours('0')]);
    expect(came).toEqual([REFUSED, 'ok', REFUSED, REFUSED, 'ok']);
    expect(warnings(stderr)).toBe(1);
  });
});

describe('options of Node', () => {
  test.each([
    ['as an argument', { flags: ['--tls-min-v1.3'] }],
    ['in NODE_OPTIONS', { env: { NODE_OPTIONS: '--no-warnings --tls-min-v1.3' } }],
  ])('--tls-min-v1.3 %s', async (name, options) => {
    origin = await startOrigin(ok, { tls: { ...server, maxVersion: 'TLSv1.2' } });
    const own = { client: 'own', tls: { ca: root.cert } };
    expect((await outcomes([own])).came).toEqual(['ok']);
    expect((await outcomes([own], options)).came).toEqual(['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION']);
    const asked = { client: 'own', tls: { ca: root.cert, minVersion: 'TLSv1.2' } };
    expect((await outcomes([asked], options)).came).toEqual(['ok']);
  });

  test('--use-openssl-ca: what OpenSSL is told to trust', async () => {
    const flags = ['--use-openssl-ca'];
    expect((await outcomes(BOTH, { flags })).came).toEqual([REFUSED, REFUSED]);
    const SSL_CERT_FILE = file('root.pem', root.cert);
    expect((await outcomes(BOTH, { flags, env: { SSL_CERT_FILE } })).came).toEqual(['ok', 'ok']);
    expect((await outcomes(BOTH, { env: { SSL_CERT_FILE } })).came).toEqual([REFUSED, REFUSED]);
  });

  // Where Node can be told in the process itself.
  (tls.setDefaultCACertificates ? test : test.skip)('tls.setDefaultCACertificates', async () => {
    const set = BOTH.map((task) => ({ ...task, defaults: [root.cert] }));
    expect((await outcomes(set)).came).toEqual(['ok', 'ok']);
  });
});

test('native code reads every root that Node brings', () => {
  const { NativeRoots } = require('../../lib/native');
  const certificates = tls.rootCertificates;
  expect(certificates.length).toBeGreaterThan(100);
  for (const pem of certificates) {
    const { subject } = new X509Certificate(pem);
    expect({ subject, count: new NativeRoots(pem).count }).toEqual({ subject, count: 1 });
  }
});
