'use strict';

const fs = require('node:fs');

const native = require('../../lib/native');
const { classify, explain } = require('../../lib/fault');
const { page, PAGE } = require('../../scripts/faults-doc');

const ENTRIES = JSON.parse(native.faultCatalogue()).flatMap(({ entries }) => entries);

test('a code is explained', () => {
  expect(explain('ECONNREFUSED')).toEqual({
    code: 'ECONNREFUSED',
    kind: 'refused',
    phase: 'connect',
    delivery: 'not-sent',
    transient: true,
    reconnect: true,
    meaning: expect.stringMatching(/listens/),
    causes: expect.arrayContaining([expect.any(String)]),
    action: expect.any(String),
  });
});

test("a client's own name says what it becomes", () => {
  expect(explain('UND_ERR_HEADERS_TIMEOUT')).toMatchObject({ becomes: 'ETIMEDOUT', kind: 'timeout' });
});

test('a code of an open-ended group is explained under its own name', () => {
  expect(explain('HTTP_418')).toMatchObject({ code: 'HTTP_418', kind: 'client', meaning: explain('HTTP_4XX').meaning });
  expect(explain('ERR_SSL_BAD_LENGTH')).toMatchObject({ code: 'ERR_SSL_BAD_LENGTH', kind: 'tls' });
  expect(explain('HPE_SOMETHING_NEW')).toMatchObject({ code: 'HPE_SOMETHING_NEW', kind: 'protocol' });
});

test.each([['E_NO_SUCH_CODE'], [''], ['constructor'], ['HTTP_'], ['HTTP_99999'], [undefined], [null], [104], [{}]])(
  '%p is not explained',
  (code) => {
    expect(explain(code)).toBeUndefined();
  },
);

test('the codes of the fault that classify gives are all explained', () => {
  for (const { code, becomes } of ENTRIES) {
    const fault = classify(Object.assign(new Error('words'), { code }));
    expect(fault.code).toBe(becomes ?? code);
    expect(explain(fault.code)).toBeDefined();
  }
});

test('the codes that Node documents for certificates are all there', () => {
  // `tls`, "X.509 certificate error codes".
  const documented = [
    'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_CRL', 'UNABLE_TO_DECRYPT_CERT_SIGNATURE', 'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
    'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY', 'CERT_SIGNATURE_FAILURE', 'CRL_SIGNATURE_FAILURE', 'CERT_NOT_YET_VALID',
    'CERT_HAS_EXPIRED', 'CRL_NOT_YET_VALID', 'CRL_HAS_EXPIRED', 'ERROR_IN_CERT_NOT_BEFORE_FIELD',
    'ERROR_IN_CERT_NOT_AFTER_FIELD', 'ERROR_IN_CRL_LAST_UPDATE_FIELD', 'ERROR_IN_CRL_NEXT_UPDATE_FIELD', 'OUT_OF_MEM',
    'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CERT_CHAIN_TOO_LONG', 'CERT_REVOKED', 'INVALID_CA', 'PATH_LENGTH_EXCEEDED',
    'INVALID_PURPOSE', 'CERT_UNTRUSTED', 'CERT_REJECTED', 'HOSTNAME_MISMATCH',
  ];
  expect(documented.filter((code) => explain(code)?.kind !== 'tls')).toEqual([]);
});

test('docs/faults.md is what the catalogue says', () => {
  // When this fails: node scripts/faults-doc.js
  expect(fs.readFileSync(PAGE, 'utf8')).toBe(page());
});
