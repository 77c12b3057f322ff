'use strict';

const { createHash } = require('node:crypto');

/**
 * A number in [0, 1) that depends on its arguments only. Not a stream of numbers: what strikes a call must not depend
 * on how many calls, connections or attempts came before it, or each client would meet other faults.
 *
 * @param {number} seed
 * @param {...(string | number)} keys what the number is for
 */
function draw(seed, ...keys) {
  const digest = createHash('sha256').update([seed, ...keys].join('/')).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

module.exports = { draw };
