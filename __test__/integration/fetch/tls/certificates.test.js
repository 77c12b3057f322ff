'use strict';

/** Whom our fetch trusts, held against Node's own https on the same server: the same verdict, under the same name. */

const { readFileSync } = require('node:fs');
const https = require('node:https');
const path = require('node:path');

const { createFetch } = require('../../../..');
const { closeAll, ok, startOrigin } = require('../../../../testing');
const { makeAuthority, makeCertificate } = require('../../../support/certificates');

const [NODE] = process.versions.node.split('.').map(Number);
/** For servers: OpenSSL lets them show what it would not accept itself. */
const WEAK = { ciphers: 'DEFAULT@SECLEVEL=0' };

const EXPIRED = { from: -3, until: -1 };
const EARLY = { from: 1, until: 3 };

/** Of Node's https. */
function verdictOfNode(url, options) {
  return new Promise((resolve) => {
    const request = https.get(url, { ...options, agent: false }, (response) => {
      response.resume();
      resolve('accepted');
    });
    request.on('error', ({ code }) => resolve(code));
  });
}

async function ourVerdict(url, tls) {
  try {
    await (await createFetch({ tls, retry: false })(url)).text();
    return 'accepted';
  } catch ({ code }) {
    return code;
  }
}

/**
 * What both come to.
 *
 * @param {{ key: string, cert: string }[]} chain what the server shows, its own certificate first
 * @param {{ cert: string }[] | undefined} trusted
 */
async function verdicts(chain, trusted, { host = '127.0.0.1', server, client } = {}) {
  const cert = chain.map((certificate) => certificate.cert).join('\n');
  const origin = await startOrigin(ok, { tls: { key: chain[0].key, cert, ...server } });
  const url = `https://${host}:${origin.port}/`;
  const tls = trusted && { ca: trusted.map((certificate) => certificate.cert), ...client };
  return Promise.all([verdictOfNode(url, tls), ourVerdict(url, tls)]);
}

afterEach(closeAll);

/** What is in order: each case changes one thing. */
let root;
let between;

beforeAll(async () => {
  root = await makeAuthority('Root');
  between = await makeAuthority('Between', { issuer: root });
});

const by = (issuer, differences) => makeCertificate({ issuer, ...differences });

/** The case, its server's chain and what is trusted, and what both must say. */
const CASES = [
  ['issued by a trusted root', async () => [[await by(root)], [root]], 'accepted'],
  ['with its root', async () => [[await by(root), root], [root]], 'accepted'],
  ['of a stranger', async () => [[await by(root)]], 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ['of a stranger, with its root', async () => [[await by(root), root]], 'SELF_SIGNED_CERT_IN_CHAIN'],
  ['of another root of the same name', async () => [[await by(root)], [await makeAuthority('Root')]], 'CERT_SIGNATURE_FAILURE'],
  ['with its intermediate', async () => [[await by(between), between], [root]], 'accepted'],
  ['without its intermediate', async () => [[await by(between)], [root]], 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ['without its intermediate, which is trusted as well', async () => [[await by(between)], [between, root]], 'accepted'],
  ['with its intermediate, of a stranger', async () => [[await by(between), between]], 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
  ['whose intermediate alone is trusted', async () => [[await by(between), between], [between]], 'UNABLE_TO_GET_ISSUER_CERT'],
  ['that alone is trusted', async () => itself(await by(root)), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],

  ['self-signed', async () => [[await makeCertificate()]], 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['self-signed, another one trusted', async () => [[await makeCertificate()], [root]], 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['self-signed and trusted', async () => itself(await makeCertificate()), 'accepted'],
  ['self-signed as an authority', async () => [[await makeCertificate({ authority: true })]], 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['self-signed as an authority and trusted', async () => itself(await makeCertificate({ authority: true })), 'accepted'],
  ['self-signed as none and trusted', async () => itself(await makeCertificate({ authority: false })), 'accepted'],
  [
    'self-signed, trusted and over',
    async () => itself(await makeCertificate({ authority: true, ...EXPIRED })),
    'CERT_HAS_EXPIRED',
  ],
  ['self-signed and over', async () => [[await makeCertificate({ authority: true, ...EXPIRED })]], 'CERT_HAS_EXPIRED'],
  ['self-signed, trusted and early', async () => itself(await makeCertificate(EARLY)), 'CERT_NOT_YET_VALID'],
  ['self-signed and trusted for another name', async () => itself(await makeCertificate({ name: 'x.test' })), 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['self-signed and trusted for clients', async () => itself(await makeCertificate({ purposes: ['clientAuth'] })), 'INVALID_PURPOSE'],
  [
    'self-signed and trusted to sign others only',
    async () => itself(await makeCertificate({ authority: true, usages: ['keyCertSign', 'cRLSign'] })),
    'INVALID_PURPOSE',
  ],

  ['that is an authority, issued by a trusted root', async () => [[await by(root, { authority: true })], [root]], 'accepted'],
  ['that is an authority, of a stranger', async () => [[await by(root, { authority: true })]], 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  [
    'that is an authority, of another root of the same name',
    async () => [[await by(root, { authority: true })], [await makeAuthority('Root')]],
    'CERT_SIGNATURE_FAILURE',
  ],

  ['over', async () => [[await by(root, EXPIRED)], [root]], 'CERT_HAS_EXPIRED'],
  ['over, of a stranger', async () => [[await by(root, EXPIRED)]], 'CERT_HAS_EXPIRED'],
  ['early', async () => [[await by(root, EARLY)], [root]], 'CERT_NOT_YET_VALID'],
  ['whose root is over', async () => issuedBy(await makeAuthority('Over', EXPIRED)), 'CERT_HAS_EXPIRED'],
  ['whose intermediate is over', async () => through(await makeAuthority('Over', { issuer: root, ...EXPIRED })), 'CERT_HAS_EXPIRED'],
  ['whose root is no authority', async () => issuedBy(await makeAuthority('None', { authority: false })), 'INVALID_PURPOSE'],
  ['whose intermediate is no authority', async () => through(await makeAuthority('None', { issuer: root, authority: false })), 'INVALID_PURPOSE'],
  ['whose root is for clients', async () => issuedBy(await makeAuthority('Clients', { purposes: ['clientAuth'] })), 'INVALID_PURPOSE'],
  ['of a chain that is too long for its root', async () => {
    const short = await makeAuthority('Short', { pathLength: 0 });
    const below = await makeAuthority('Below', { issuer: short });
    return [[await by(below), below], [short]];
  }, 'PATH_LENGTH_EXCEEDED'],

  ['for clients', async () => [[await by(root, { purposes: ['clientAuth'] })], [root]], 'INVALID_PURPOSE'],
  ['to sign others only', async () => [[await by(root, { usages: ['keyCertSign'] })], [root]], 'INVALID_PURPOSE'],
  ['to agree on keys only', async () => [[await by(root, { usages: ['keyAgreement'] })], [root]], 'accepted'],
  ['with a key of RSA', async () => {
    const rsa = await makeAuthority('RSA', { keyType: 'rsa' });
    return [[await by(rsa, { keyType: 'rsa' })], [rsa]];
  }, 'accepted'],

  ['for another name', async () => [[await by(root, { name: 'x.test' })], [root]], 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['for several names', async () => [[await by(root, { names: ['x.test', '127.0.0.1', '::1'] })], [root]], 'accepted'],
  ['with the address as common name', async () => [[await by(root, { names: [] })], [root]], 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['for the name', async () => [[await by(root, { name: 'localhost' })], [root], { host: 'localhost' }], 'accepted'],
  ['with a common name only', async () => [[await named([])], [root], { host: 'localhost' }], 'accepted'],
  ['with another common name only', async () => [[await named([], 'x.test')], [root], { host: 'localhost' }], 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['with a common name and addresses', async () => [[await named(['127.0.0.1'])], [root], { host: 'localhost' }], 'accepted'],
  ['with a common name and other names', async () => [[await named(['x.test'])], [root], { host: 'localhost' }], 'ERR_TLS_CERT_ALTNAME_INVALID'],

  ['of version 1, issued by a trusted root', async () => [[ofVersion1().issued], [ofVersion1().authority], { host: 'localhost' }], 'accepted'],
  ['of version 1, of a stranger', async () => [[ofVersion1().issued], [root], { host: 'localhost' }], 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ['of version 1, self-signed', async () => [[ofVersion1().selfSigned], [root], { host: 'localhost' }], 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['of version 1, self-signed and trusted', async () => [...itself(ofVersion1().selfSigned), { host: 'localhost' }], 'accepted'],
  [
    'of version 1, over TLS 1.2',
    async () => [[ofVersion1().issued], [ofVersion1().authority], { host: 'localhost', server: { maxVersion: 'TLSv1.2' } }],
    'accepted',
  ],
];

const itself = (certificate) => [[certificate], [certificate]];
const issuedBy = async (issuer) => [[await by(issuer)], [issuer]];
const through = async (issuer) => [[await by(issuer), issuer], [root]];
const named = (names, cn = 'localhost') => by(root, { cn, names });

function ofVersion1() {
  const pem = readFileSync(path.join(__dirname, '../../../fixtures/version-1.pem'), 'latin1');
  const [authority, issued, selfSigned] = pem.match(/-----BEGIN CERTIFICATE[^]+?-----END CERTIFICATE-----/g);
  const [key] = pem.match(/-----BEGIN PRIVATE KEY[^]+?-----END PRIVATE KEY-----/);
  return { authority: { cert: authority }, issued: { cert: issued, key }, selfSigned: { cert: selfSigned, key } };
}

test.each(CASES)('a certificate %s', async (name, prepare, expected) => {
  expect(await verdicts(...await prepare())).toEqual([expected, expected]);
});

/** What Node does, and what ours does instead: `docs/differences.md` has each. */
const DIFFERENCES = {
  'An authority as a server, issued by an intermediate': async () => {
    const chain = [await by(between, { authority: true }), between];
    expect(await verdicts(chain, [root])).toEqual(['accepted', 'INVALID_PURPOSE']);
  },

  'An issuer that may not sign certificates by its key usage': async () => {
    const data = await makeAuthority('Data', { usages: ['digitalSignature'] });
    const below = await makeAuthority('Below', { usages: ['digitalSignature'], issuer: root });
    expect(await verdicts([await by(data)], [data])).toEqual(['UNSPECIFIED', 'INVALID_CA']);
    expect(await verdicts([await by(below), below], [root])).toEqual(['UNSPECIFIED', 'INVALID_CA']);
  },

  'Keys of P-521': async () => {
    const authority = await makeAuthority('P-521', { curve: 'P-521' });
    const chain = [await by(authority, { curve: 'P-521' })];
    expect(await verdicts(chain, [authority])).toEqual(['accepted', 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE']);
  },

  'Keys of RSA with less than 2048 bits': async () => {
    const rsa = await makeAuthority('RSA', { keyType: 'rsa' });
    const chain = [await by(rsa, { keyType: 'rsa', keySize: 1024 })];
    const expected = NODE < 24 ? 'accepted' : 'UNSPECIFIED';
    expect(await verdicts(chain, [rsa], { server: WEAK })).toEqual([expected, 'CERT_REJECTED']);
    const unverified = { server: WEAK, client: { rejectUnauthorized: false } };
    expect((await verdicts(chain, [rsa], unverified))[1]).toBe('CERT_REJECTED');
  },

  'Signatures with SHA-1': async () => {
    const rsa = await makeAuthority('RSA', { keyType: 'rsa' });
    const chain = [await by(rsa, { keyType: 'rsa', algorithm: 'sha1' })];
    expect(await verdicts(chain, [rsa], { server: WEAK })).toEqual(['UNSPECIFIED', 'CERT_REJECTED']);
  },

  'A handshake that the server ends with an alert': async () => {
    const chain = [await by(root)];
    const asked = verdicts(chain, [root], { server: { maxVersion: 'TLSv1.2' }, client: { minVersion: 'TLSv1.3' } });
    expect(await asked).toEqual(['EPROTO', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION']);
  },
};

test.each(Object.entries(DIFFERENCES))('difference: %s', (name, show) => show());

test('every difference is documented, and none that is not', () => {
  const page = readFileSync(path.join(__dirname, '../../../../docs/differences.md'), 'utf8');
  const [section] = page.match(/^## Certificates$[^]*?(?=^## )/m);
  const documented = [...section.matchAll(/^- \*\*(.+?)\*\*/gm)].map(([, name]) => name);
  expect(documented).toEqual(Object.keys(DIFFERENCES));
});
