'use strict';

/**
 * One client against one server: each in a process of its own, and the network between them in this one, which does
 * nothing else meanwhile.
 */

const path = require('node:path');

const { LATENCY, SERVERS, lanesOf } = require('./plan');
const { score } = require('./score');
const { startProcess } = require('../../lib/childProcess');

const FOLDER = path.join(__dirname, '..');
/** The lanes begin one after the other within this time, in ms: one burst must not hold up another. */
const BEGINNING = 1000;
/** What a measurement may take beyond its pauses before it counts as hanging, in ms. */
const GRACE = 20_000;

/**
 * @param {string} peer
 * @param {string} serverName
 * @param {import('./plan').Extent} extent
 * @returns {Promise<{ version: string, score: import('./score').Score } | { failed: string }>}
 */
async function measure(peer, serverName, extent) {
  const stage = { ended: [] };
  try {
    await setUp(stage, { peer, server: SERVERS[serverName], extent });
    return await play(stage);
  } catch (error) {
    return { failed: error.message };
  } finally {
    for (const end of stage.ended.reverse()) await end();
  }
}

/** Starts server, network and client; `stage.ended` holds what ends each of those that were started. */
async function setUp(stage, { peer, server, extent }) {
  const lanes = lanesOf(server, extent);
  const origin = startProcess(path.join(FOLDER, 'server.js'), { ...server, lanes: lanes.length });
  stage.ended.push(origin.kill);
  const { ports } = await origin.message();
  const networks = [];
  for (const port of ports) {
    const network = await openNetwork(port);
    networks.push(network);
    stage.ended.push(() => network.close());
  }
  const stagger = BEGINNING / lanes.length;
  const origins = networks.map(({ address }) => `http://${address}`);
  const client = startProcess(path.join(FOLDER, 'client.js'), { peer, origins, lanes, stagger });
  stage.ended.push(client.kill);
  await client.message();
  Object.assign(stage, { server, lanes, origin, networks, client });
}

/** 20 ms each way, for the FIN as well; and a connection takes a round trip before anything can be sent. */
async function openNetwork(port) {
  // Not above: whoever asks for --help, or has to be told that the addon is missing, has none.
  const { FaultProxy } = require('../../..');
  const network = await FaultProxy.listen({ upstream: { host: '127.0.0.1', port } });
  network.add({ type: 'latency', on: 'accept', ms: 2 * LATENCY });
  network.add({ type: 'latency', on: 'request', ms: LATENCY });
  network.add({ type: 'latency', on: 'response', ms: LATENCY });
  return network;
}

async function play({ server, lanes, origin, networks, client }) {
  const waiting = Math.max(...lanes.map((pauses) => sum(pauses)));
  const timer = setTimeout(client.kill, BEGINNING + waiting + GRACE);
  client.send('begin');
  const { result } = await client.message().finally(() => clearTimeout(timer));
  origin.send('report');
  const arrivals = new Map((await origin.message()).arrivals);
  const connections = sum(networks.map((network) => network.stats().connections.accepted));
  return { version: result.version, score: score(result.outcomes, arrivals, { connections, idle: server.idle }) };
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

module.exports = { measure };
