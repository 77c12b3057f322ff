'use strict';

/**
 * Whether anything has been read from a stream. Apart, because `node:stream` is loaded with the first stream that is
 * asked about and not with the package: it takes a tenth of what `require('unreset')` takes.
 */

let stream;

/** @param {unknown} candidate a stream of either kind */
function isDisturbed(candidate) {
  stream ??= require('node:stream');
  return stream.isDisturbed(candidate);
}

module.exports = { isDisturbed };
