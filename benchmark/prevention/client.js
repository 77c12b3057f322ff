'use strict';

/**
 * One client against one server, in a process of its own: bursts of POSTs in every lane, each after its pause. It tells
 * what each POST came to.
 */

const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');

const { loadPeer } = require('./lib/peers');
const { BURST } = require('./lib/plan');
const { errorCode } = require('../lib/errorCode');

/**
 * @typedef {object} Outcome
 * @property {string} id of the POST
 * @property {number | null} pause before it, in ms; null of a lane's first burst, which opens the connections
 * @property {string | null} failure its error's code, `WRONG_ANSWER`, or null
 * @property {number} ms
 */

/**
 * @param {object} job
 * @param {string} job.peer
 * @param {string[]} job.origins of the lanes
 * @param {number[][]} job.lanes their pauses, in ms
 * @param {number} job.stagger ms between the beginnings of two lanes, so that they do not burst at once
 */
async function play({ peer: name, origins, lanes, stagger }) {
  const peer = loadPeer(name);
  await peer.setup();
  process.send({ ready: true });
  await once(process, 'message');
  const outcomes = await Promise.all(
    lanes.map(async (pauses, lane) => {
      await sleep(lane * stagger);
      return playLane(peer, { name: `lane-${lane}`, origin: origins[lane], pauses });
    })
  );
  return { version: peer.version, outcomes: outcomes.flat() };
}

/** @returns {Promise<Outcome[]>} */
async function playLane(peer, { name, origin, pauses }) {
  const outcomes = [];
  for (const [index, pause] of [null, ...pauses].entries()) {
    if (pause !== null) await sleep(pause);
    const ids = Array.from({ length: BURST }, (_, number) => `${name}-burst-${index}-${number}`);
    outcomes.push(...await Promise.all(ids.map(async (id) => ({ id, pause, ...(await post(peer, origin, id)) }))));
  }
  return outcomes;
}

async function post(peer, origin, id) {
  const begun = performance.now();
  const failure = await peer.post(`${origin}/orders/${id}`).then(
    (answer) => (answer.id === id ? null : 'WRONG_ANSWER'),
    errorCode
  );
  return { failure, ms: performance.now() - begun };
}

play(JSON.parse(process.argv[2])).then(
  // Idle connections may keep a process alive: nothing is left to wait for.
  (result) => process.send({ result }, () => process.exit(0)),
  (error) => {
    console.error(error);
    process.exit(1);
  }
);
