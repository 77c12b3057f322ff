'use strict';

/** Which kinds of calls there are, and how many of a hundred each is. */

const aborted = require('./aborted');
const answered = require('./answered');
const dropped = require('./dropped');
const failing = require('./failing');
const struck = require('./struck');
const uploads = require('./uploads');

/** @typedef {{ name: string, run: (scene: import('../lib/scene').Scene) => Promise<void> }} Kind */

/** A third of them is reset or stalled: the group `struck`, and what of the uploads is. */
const USUAL = [
  ['answered', answered, { json: 8, watched: 4, bytes: 4, coded: 4, streamed: 3, redirected: 3, cloned: 2, headOnly: 2 }],
  ['struck', struck, { json: 8, streamed: 6, coded: 3, hooked: 2, stalled: 4, proxied: 4, unretried: 3 }],
  ['uploads', uploads, { posted: 5, streamed: 3, reopened: 2, refused: 1, failing: 1, lost: 2 }],
  ['aborted', aborted, {
    beforeStart: 1, atOnce: 2, atAnyMoment: 5, whileWaiting: 2, betweenAttempts: 1, insideBody: 2, insideUpload: 1, together: 2,
  }],
  ['dropped', dropped, { unread: 2, cancelled: 2, halfRead: 2, left: 2, cloned: 1, stalled: 1 }],
];

const FAILING = [
  ['failing', failing, {
    refused: 25, refusedAgain: 5, reset: 10, beforeStart: 15, atOnce: 15, nextTurn: 15, later: 10, invalid: 5,
  }],
];

const MIXES = { usual: hundred(USUAL), failing: hundred(FAILING) };

/**
 * @param {'usual' | 'failing'} mix
 * @param {import('../lib/draws').Draws} draws of the call
 * @returns {Kind}
 */
function drawKind(mix, draws) {
  return draws.pick('kind', MIXES[mix]);
}

/** Each kind as often as its share. */
function hundred(groups) {
  const kinds = groups.flatMap(([group, calls, shares]) => Object.entries(shares).flatMap(
    ([name, share]) => new Array(share).fill({ name: `${group}.${name}`, run: calls[name] }),
  ));
  if (kinds.length !== 100) throw new Error(`the shares make ${kinds.length}, not a hundred`);
  return kinds;
}

module.exports = { drawKind };
