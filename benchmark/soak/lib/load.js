'use strict';

const { drawKind } = require('../calls');
const { Draws } = require('./draws');

/**
 * The calls of one stretch of a run.
 *
 * @param {object} load
 * @param {'usual' | 'failing'} load.mix
 * @param {number} load.seed
 * @param {string} [load.prefix] tells the names of one environment from those of another
 * @param {number} load.from
 * @param {number} load.to
 * @param {((number: number) => typeof import('../../..').fetch)} load.fetchFor which client makes the call
 * @param {Pick<import('./scene').Scene, 'addresses' | 'lasting'>} load.surroundings
 */
function* loadOf({ mix, seed, prefix = '', from, to, fetchFor, surroundings }) {
  for (let number = from; number < to; number++) {
    const name = `${prefix}${number}`;
    const draws = new Draws(seed, name);
    const kind = drawKind(mix, draws);
    const scene = { name, number, draws, fetch: fetchFor(number), ...surroundings };
    yield { name: `call ${name} (${kind.name})`, run: () => kind.run(scene) };
  }
}

module.exports = { loadOf };
