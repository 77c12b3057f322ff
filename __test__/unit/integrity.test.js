'use strict';

const { createHash } = require('node:crypto');
const { hasIntegrity } = require('../../lib/fetch/integrity');

const BYTES = Buffer.from('body');
const digest = (algorithm, bytes = BYTES) => `${algorithm}-${createHash(algorithm).update(bytes).digest('base64')}`;
const WRONG = Buffer.from('other');

test.each([
  ['the digest of the bytes', digest('sha256'), true],
  ['that of others', digest('sha256', WRONG), false],
  ['one of several', `${digest('sha512', WRONG)} ${digest('sha512')}`, true],
  ['a weaker one that fits beside a stronger one that does not', `${digest('sha256')} ${digest('sha384', WRONG)}`, false],
  ['base64url', digest('sha256').replaceAll('+', '-').replaceAll('/', '_').replace('sha256_', 'sha256-'), true],
  ['options behind it', `${digest('sha384')}?any`, true],
  ['nothing that is understood', 'md5-abc', true],
])('%s', (_, integrity, expected) => {
  expect(hasIntegrity(integrity, BYTES)).toBe(expected);
});
