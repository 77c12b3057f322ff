'use strict';

/** What `npm run soak` goes by, each shown to find what it is for. */

const fs = require('node:fs');
const net = require('node:net');
const { once } = require('node:events');

const { Draws } = require('../../benchmark/soak/lib/draws');
const { holdings } = require('../../benchmark/soak/lib/holdings');
const { noEnds, runInLanes } = require('../../benchmark/soak/lib/lanes');
const { beyondPool, leftBehind } = require('../../benchmark/soak/lib/leaks');
const { growthOf, memoryLeaks } = require('../../benchmark/soak/lib/memory');
const { readOptions, UsageError } = require('../../benchmark/soak/lib/options');
const { slope } = require('../../benchmark/soak/lib/slope');

const MIB = 2 ** 20;

test('the slope is that of the line, whatever lies off it', () => {
  expect(slope([{ x: 1, y: 5 }, { x: 2, y: 7 }, { x: 4, y: 11 }])).toBeCloseTo(2);
  expect(slope([{ x: 0, y: 3 }, { x: 10, y: 3 }])).toBe(0);
  // One outlier in the middle tilts nothing.
  expect(slope([{ x: 0, y: 0 }, { x: 1, y: 100 }, { x: 2, y: 0 }])).toBeCloseTo(0);
});

describe('memory', () => {
  /** 50 samples; `at` says how much of each there is after so many calls. */
  const samples = (calls, at) => Array.from({ length: 50 }, (_, index) => {
    const made = ((index + 1) * calls) / 50;
    return { calls: made, resident: 100 * MIB, heap: 7 * MIB, external: 4 * MIB, ...at(made, index) };
  });
  const leaksOf = (...args) => memoryLeaks(growthOf(samples(...args)));

  test('that grows with the calls is a leak', () => {
    // Some hundred bytes with each call, below noise of some megabytes.
    const leaking = (calls, index) => ({ resident: 100 * MIB + 400 * calls + (index % 3) * MIB });
    expect(leaksOf(100_000, leaking)).toEqual([expect.stringMatching(/resident memory grew by 3\d\.\d MiB/)]);
    expect(leaksOf(30_000, (calls) => ({ heap: 7 * MIB + 64 * calls }))).toEqual([expect.stringMatching(/JavaScript's heap grew/)]);
    expect(leaksOf(2000, (calls) => ({ external: 1000 * calls }))).toEqual([expect.stringMatching(/memory of buffers grew/)]);
  });

  test('that is taken while it warms up, or goes up and down, is none', () => {
    expect(leaksOf(100_000, (calls) => ({ resident: 100 * MIB + 5000 * Math.min(calls, 10_000) }))).toEqual([]);
    expect(leaksOf(100_000, (calls, index) => ({ resident: (100 + (index % 7)) * MIB, heap: (7 + (index % 3)) * MIB }))).toEqual([]);
  });

  test('of a longer run a smaller leak is found', () => {
    const leaking = (calls) => ({ resident: 100 * MIB + 50 * calls });
    expect(leaksOf(100_000, leaking)).toEqual([]);
    expect(leaksOf(1_000_000, leaking)).toHaveLength(1);
  });

  test('of a short run resident memory is not judged, and of a handful of samples nothing', () => {
    const keys = (judged) => growthOf(judged).map(({ key }) => key);
    expect(keys(samples(40_000, () => ({})))).toEqual(['heap', 'external']);
    expect(keys(samples(50_000, () => ({})))).toEqual(['resident', 'heap', 'external']);
    expect(growthOf(samples(100_000, () => ({})).slice(0, 4))).toEqual([]);
    expect(growthOf([])).toEqual([]);
  });
});

describe('what is held', () => {
  test('handles of the event loop, by kind', () => {
    // So many, because Jest has timers of its own that come and go.
    const timers = Array.from({ length: 50 }, () => setInterval(() => {}, 1_000_000));
    expect(holdings().handles.Timeout).toBeGreaterThanOrEqual(50);
    timers.forEach(clearInterval);
  });

  const onLinux = process.platform === 'linux' ? test : test.skip;
  onLinux('a file and a connection are seen, and are gone when they are', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const held = () => {
      const { descriptors, connections } = holdings();
      return [descriptors[__filename], connections[port]];
    };

    const file = fs.openSync(__filename);
    const client = net.connect(port, '127.0.0.1');
    const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
    const during = held();
    fs.closeSync(file);
    for (const socket of [client, accepted]) {
      socket.destroy();
      await once(socket, 'close');
    }
    server.close();
    expect(during).toEqual([1, 1]);
    expect(held()).toEqual([undefined, undefined]);
  });

  test('what there is less of than before is no leak', () => {
    const none = { handles: {}, descriptors: {}, connections: {}, threads: {}, calls: {} };
    expect(leftBehind({ ...none, threads: { node: 5 } }, { ...none, threads: { node: 4 } })).toEqual([]);
    expect(leftBehind(none, { ...none, calls: { open: 2 } })).toEqual(['2 open calls left behind (2 open)']);
    expect(leftBehind(none, { ...none, threads: { unreset: 1 } })).toEqual(['1 thread left behind (1 unreset)']);
  });

  test('a pool has no more connections than there were calls at once', () => {
    expect(beyondPool({ 80: 100, 443: 101 }, 50)).toEqual([expect.stringMatching(/^101 idle connections to port 443/)]);
  });
});

describe('calls', () => {
  const calls = (runs) => runs.map((run, index) => ({ name: `call ${index}`, run })).values();

  test('that end as they must not are told', async () => {
    const ends = noEnds();
    const wrong = async () => { throw new Error('not like this'); };
    await runInLanes(calls([async () => {}, wrong, async () => {}]), ends, { lanes: 2 });
    expect(ends).toEqual({ settled: 3, wrong: 1, told: ['call 1: not like this'], unsettled: [] });
  });

  test('that never end are named', async () => {
    const ends = noEnds();
    const never = () => new Promise(() => {});
    await runInLanes(calls([async () => {}, never, async () => {}]), ends, { lanes: 2, patience: 50 });
    expect(ends).toMatchObject({ settled: 2, unsettled: ['call 1'] });
  });

  test('follow from the seed, and differ from one another', () => {
    const draws = (seed, call) => {
      const drawn = new Draws(seed, call);
      return [drawn.fraction('a'), drawn.fraction('b'), drawn.integer('c', 3, 5), drawn.pick('d', ['x', 'y'])];
    };
    expect(draws(7, 1)).toEqual(draws(7, 1));
    expect(draws(7, 1)).not.toEqual(draws(8, 1));
    expect(draws(7, 1)).not.toEqual(draws(7, 2));
    const integers = Array.from({ length: 200 }, (_, call) => new Draws(1, call).integer('size', 3, 5));
    expect(new Set(integers)).toEqual(new Set([3, 4, 5]));
  });
});

describe('options', () => {
  test('say how long a run is', () => {
    expect(readOptions([])).toEqual({ mix: 'usual', calls: 100_000, minutes: Infinity, seed: expect.any(Number) });
    expect(readOptions(['--calls', '7', '--seed', '3'])).toEqual({ mix: 'usual', calls: 7, minutes: Infinity, seed: 3 });
    expect(readOptions(['--minutes', '0.5', '--seed', '0'])).toEqual({ mix: 'usual', calls: Infinity, minutes: 0.5, seed: 0 });
    expect(readOptions(['--failing', '1000000'])).toMatchObject({ mix: 'failing', calls: 1_000_000 });
    expect(readOptions(['--fuzz'])).toEqual({ fuzz: 5000 });
    expect(readOptions(['--fuzz', '300'])).toEqual({ fuzz: 300 });
    expect(readOptions(['--help', '--calls', '3'])).toEqual({ help: true });
  });

  test.each([
    [['--calls', 'many'], /--calls takes a whole number, not "many"/],
    [['--calls', '0'], /--calls takes a whole number from 1 on/],
    [['--failing', '1.5'], /--failing takes a whole number/],
    [['--minutes', '0'], /--minutes takes a number of minutes above 0/],
    [['--minutes', 'x'], /--minutes takes/],
    [['--seed=-1'], /--seed takes a whole number/],
    [['--seed', ''], /--seed takes a whole number/],
    [['--fuzz', '0'], /--fuzz takes/],
    [['--fuzz', '--seed', '3'], /--seed means nothing to --fuzz/],
    [['--calls', '3', '--failing', '4'], /--calls and --failing cannot be given together/],
    [['--cals', '3'], /'--cals'/],
    [['3'], /3/],
  ])('%j is refused', (args, message) => {
    expect(() => readOptions(args)).toThrow(UsageError);
    expect(() => readOptions(args)).toThrow(message);
  });
});
