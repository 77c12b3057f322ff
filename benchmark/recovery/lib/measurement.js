'use strict';

/**
 * One client plays one script: the client in a process of its own, the origin in another, and the network between
 * them in this one, which does nothing else meanwhile.
 */

const path = require('node:path');

const { pathOf } = require('./calls');
const { score } = require('./score');
const { loadScript } = require('./scripts');
const { startProcess } = require('../../lib/childProcess');

/** When a call counts as hanging, in ms. The most patient client, p-retry, waits 1 + 2 + 4 + 8 + 16 s between attempts. */
const BOUND = 32_000;
/** What a measurement may take beyond its last call and the bound, in ms. */
const GRACE = 20_000;

const FOLDER = path.join(__dirname, '..');

/**
 * Measures several clients in one script at the same time: all are started before any begins, so that no client's
 * start disturbs another's calls.
 *
 * @param {string[]} peers
 * @param {{ script: string, seed: number, quick: boolean }} what
 * @returns {Promise<({ peer: string, version: string, unheard: number, score: import('./score').Score }
 *   | { peer: string, failed: string })[]>}
 */
async function measure(peers, what) {
  const stages = await Promise.allSettled(peers.map((peer) => setUp({ ...what, peer })));
  return Promise.all(
    stages.map(async ({ value: stage, reason }, index) => {
      const peer = peers[index];
      if (!stage) return { peer, failed: reason.message };
      try {
        return { peer, ...(await play(stage)) };
      } catch (error) {
        return { peer, failed: error.message };
      } finally {
        await stage.end();
      }
    })
  );
}

/** Starts the origin, the network and the client, and lets the latter warm up. */
async function setUp(job) {
  // Not above: whoever asks for --help, or has to be told that the addon is missing, has none.
  const { FaultProxy } = require('../../..');
  const script = loadScript(job.script);
  const origin = startProcess(path.join(FOLDER, 'origin.js'), { seed: job.seed, ...script.origin });
  let proxy;
  let client;
  const end = async () => {
    client?.kill();
    origin.kill();
    await proxy?.close();
  };
  try {
    const { port } = await origin.message();
    proxy = await FaultProxy.listen({ upstream: { host: '127.0.0.1', port }, seed: job.seed });
    client = startProcess(path.join(FOLDER, 'client.js'), { ...job, origin: `http://${proxy.address}`, bound: BOUND });
    await client.message();
  } catch (error) {
    await end();
    throw error;
  }
  return { job, script, calls: script.calls(job), origin, proxy, client, end };
}

async function play({ job, script, calls, origin, proxy, client }) {
  script.arrange?.(proxy, calls);
  const before = proxy.stats().bytes.response;
  const timer = setTimeout(client.kill, calls.at(-1).at + BOUND + GRACE);
  client.send('begin');
  const [{ result }] = await Promise.all([
    client.message(),
    script.meanwhile?.({ proxy, origin, quick: job.quick }),
  ]).finally(() => clearTimeout(timer));
  const bytes = proxy.stats().bytes.response - before;
  origin.send('report');
  const counted = new Map((await origin.message()).calls);
  const network = { bytes, requests: requestsByCall(proxy, script, calls, counted) };
  return { version: result.version, unheard: result.unheard, score: score(calls, result.outcomes, counted, network) };
}

/**
 * Requests by call. Where the network swallows requests only the network has seen them all; elsewhere the origin has,
 * and its count is not bounded as the proxy's timeline is.
 */
function requestsByCall(proxy, script, calls, counted) {
  const isStruck = script.arrange || script.meanwhile;
  if (!isStruck) return new Map([...counted].map(([id, { requests }]) => [id, requests]));
  const timeline = proxy.timeline();
  if (timeline.dropped > 0) throw new Error('the script is too long for the proxy\'s timeline');
  const paths = timeline.filter(({ event }) => event === 'exchange').map((entry) => entry.path);
  return new Map(calls.map(({ id }) => [id, paths.filter((one) => one === pathOf(id)).length]));
}

module.exports = { measure, BOUND };
