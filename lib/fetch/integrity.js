'use strict';

/** Subresource integrity (W3C SRI, section 3.3): a body whose digest is not the one that was asked for is refused. */

/** Weakest first: of several digests only the strongest count. */
const ALGORITHMS = ['sha256', 'sha384', 'sha512'];

/**
 * @param {string} integrity digests such as `sha256-...`, separated by spaces
 * @param {Uint8Array} bytes
 * @returns {boolean} whether one of the strongest digests is that of the bytes; `true` if none can be understood
 */
function hasIntegrity(integrity, bytes) {
  const digests = integrity.split(/\s+/).map((text) => /^(sha256|sha384|sha512)-([A-Za-z0-9+/_-]+={0,2})(?:\?.*)?$/.exec(text));
  const known = digests.filter((digest) => digest !== null);
  if (known.length === 0) return true;
  const strongest = ALGORITHMS[Math.max(...known.map(([, algorithm]) => ALGORITHMS.indexOf(algorithm)))];
  // Not above: loading it takes a fifth of what `require('unreset')` takes, and few calls ask for this.
  const { createHash } = require('node:crypto');
  const actual = createHash(strongest).update(bytes).digest();
  return known.some(([, algorithm, digest]) => algorithm === strongest && actual.equals(Buffer.from(digest, 'base64')));
}

module.exports = { hasIntegrity };
