'use strict';

/** A connection that the server is about to close, or has closed, does not cost the caller a POST. */

const { setTimeout: sleep } = require('node:timers/promises');

const { createFetch } = require('../../..');
const { closeAll, startOrigin } = require('../../../testing');
const { startIdleClosingOrigin, stating } = require('../../support/idle-closing-origin');

/** POSTs at a time: each needs a connection of its own, so that each connection idles until the next burst. */
const BURST = 10;

afterEach(closeAll);

describe('while the server closes its idle connections', () => {
  test.each([
    ['after 1 s, which it says', 1000, 1],
    ['after 2 s, which it does not say', 2000, undefined],
  ])('%s, no POST is lost and none arrives twice', async (name, idle, hint) => {
    const { posts, lost, twice } = await stepAcross(createFetch(), idle, hint);
    expect(posts).toBe(420);
    expect(lost).toEqual({});
    expect(twice).toEqual([]);
  });

  test('the built-in fetch loses some of them: it is a test', async () => {
    const { lost } = await stepAcross(globalThis.fetch, 2000, undefined);
    expect(lost).not.toEqual({});
  });

  /**
   * Two bursts on each of many origins; the pauses between them are stepped across the moment when the server closes. A
   * request that leaves in the 40 ms before crosses the FIN.
   */
  async function stepAcross(fetch, idle, hint) {
    const pauses = Array.from({ length: 21 }, (_, step) => idle - 80 + 5 * step);
    const lanes = await Promise.all(pauses.map(async (pause, lane) => {
      const { url, posts } = await startIdleClosingOrigin(idle, hint);
      // Not all at once: one burst must not hold up another.
      await sleep(20 * lane);
      const first = await burst(fetch, url, 'first');
      await sleep(pause);
      const second = await burst(fetch, url, 'second');
      return { outcomes: [...first, ...second], at: `${pause - idle} ms`, twice: repeated(posts) };
    }));
    const lossy = lanes.map(({ outcomes, at }) => [at, codesOf(outcomes)]).filter(([, codes]) => codes.length > 0);
    return {
      posts: lanes.flatMap(({ outcomes }) => outcomes).length,
      lost: Object.fromEntries(lossy),
      twice: lanes.flatMap(({ twice }) => twice),
    };
  }
});

test('how long a server keeps idle connections is learned from what it does', async () => {
  const { url, posts, proxy } = await startIdleClosingOrigin(300);
  const fetch = createFetch();
  const outcomes = await burst(fetch, url, 'unknowing');
  await allClosed(proxy);
  for (let pause = 280; pause <= 320; pause += 5) {
    outcomes.push(...await burst(fetch, url, `before-${pause}`));
    await sleep(pause);
    outcomes.push(...await burst(fetch, url, `after-${pause}`));
  }
  expect(codesOf(outcomes)).toEqual([]);
  expect(repeated(posts)).toEqual([]);

  // And not by never reusing one. Not all are: on a busy machine some may have idled for too long already.
  await burst(fetch, url, 'before');
  const { accepted } = proxy.stats().connections;
  await burst(fetch, url, 'after');
  expect(proxy.stats().connections.accepted).toBeLessThan(accepted + BURST);
});

test('a connection that the server has closed is never picked', async () => {
  const origin = await startOrigin(stating());
  for (let round = 0; round < 50; round += 1) {
    // Of its own, which has not learned that this server closes at once: it would hardly use a connection again.
    const fetch = createFetch();
    await burst(fetch, `${origin.url}/`, 'before');
    const used = origin.requests.slice(-BURST);
    // Where client and server share a machine, the FIN is there when the system has closed the socket.
    for (const { incoming } of used) incoming.socket.destroy();
    await Promise.all(used.map(({ closed }) => closed));
    expect(await burst(fetch, `${origin.url}/`, 'after')).toEqual(Array(BURST).fill({ code: null, attempts: 1 }));
  }
  expect(origin.requests).toHaveLength(50 * 2 * BURST);
});

describe('a connection that has idled for longer than the bound for calls that must not be repeated', () => {
  test.each([
    ['is used again by a POST where the server keeps it for long, and says so', 'POST', 60, BURST],
    ['is not, where nobody knows', 'POST', undefined, 2 * BURST],
    ['is used again by a GET, which can be repeated', 'GET', undefined, BURST],
  ])('%s', async (name, method, hint, connections) => {
    const origin = await startOrigin(together(stating(hint)));
    const fetch = createFetch();
    await burst(fetch, `${origin.url}/`, 'first', method);
    await sleep(1200);
    await burst(fetch, `${origin.url}/`, 'second', method);
    expect(origin.requests).toHaveLength(2 * BURST);
    expect(origin.connections()).toBe(connections);
  });
});

/** Answers when a whole burst has arrived: each of its requests then needs a connection of its own, busy machine or not. */
function together(answer) {
  const held = [];
  return (...exchange) => {
    if (held.push(exchange) === BURST) held.splice(0).forEach((one) => answer(...one));
  };
}

/** @returns {Promise<{ code: string | null, attempts?: number }[]>} `code`: why a call failed */
function burst(fetch, url, name, method = 'POST') {
  const body = method === 'POST' ? 'order' : undefined;
  return Promise.all(Array.from({ length: BURST }, async (_, index) => {
    try {
      const response = await fetch(`${url}${name}-${index}`, { method, body });
      await response.text();
      return { code: null, attempts: response.recovery?.attempts.length };
    } catch (error) {
      return { code: error.code ?? error.cause?.code };
    }
  }));
}

const codesOf = (outcomes) => outcomes.map(({ code }) => code).filter((code) => code !== null);

const repeated = (posts) => [...posts].filter(([, times]) => times > 1).map(([path]) => path);

/** Resolves when the client has closed its ends as well: it has seen the FINs. */
async function allClosed(proxy) {
  while (proxy.stats().connections.open > 0) await sleep(5);
}
