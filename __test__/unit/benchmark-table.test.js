'use strict';

const fs = require('node:fs');

const { README, newestRecord, section, withSection } = require('../../benchmark/lib/readmeTable');

describe('the benchmark in the README', () => {
  // When this fails: node benchmark/readme.js
  test('is what the newest record gives', () => {
    const readme = fs.readFileSync(README, 'utf8');
    expect(withSection(readme, newestRecord())).toBe(readme);
  });

  /** What a run of one round in two cases writes, as far as the section needs it. */
  function record(rates) {
    const figures = ([rate, loop]) => ({ rate, loop });
    const medians = Object.fromEntries(
      Object.entries(rates).map(([name, byPeer]) => [
        name,
        Object.fromEntries(Object.entries(byPeer).map(([peer, pair]) => [peer, figures(pair)])),
      ]),
    );
    const measurements = Object.entries(medians).flatMap(([name, byPeer]) =>
      Object.entries(byPeer).map(([peer, own]) => ({ round: 1, case: name, peer, figures: own })),
    );
    return {
      node: '20.20.2',
      date: '2026-11-22T21:32:54.205Z',
      rounds: 5,
      machine: { cores: 2, processor: 'Intel(R) Xeon(R) Processor', kernel: 'Linux 6.18.44-fc x86_64' },
      peers: ['unreset', 'unreset-no-retry', 'fetch', 'undici-request'],
      versions: { unreset: '0.1.0', fetch: '6.24.1', 'undici-request': '7.30.2' },
      cases: Object.keys(rates),
      medians,
      measurements,
    };
  }

  test('has each client in a row, the fastest others first, and a dash for what a client cannot do', () => {
    const text = section(
      record({
        'json-50': { unreset: [30_000, 12.4], fetch: [5000, 200], 'undici-request': [20_000, 49.6] },
        'gzip-50': { unreset: [6000.4, 60], fetch: [900, 1100] },
      }),
    );
    expect(text).toBe(`Node 20.20.2 on 2 cores (Intel Xeon, Linux 6.18), server on the same machine, 2026-11-22, median of
5 rounds: calls per second, and in brackets the CPU time of the event-loop thread per call.

| client | small JSON, 50 in flight | 64 KiB of JSON as 10 KiB gzip, 50 in flight |
| --- | --- | --- |
| **unreset** | 30 000 (12 us) | 6 000 (60 us) |
| \`undici.request\` 7.30 | 20 000 (50 us) | - |
| built-in fetch | 5 000 (200 us) | 900 (1 100 us) |

No client was faster in any of these.
With small JSON and 50 in flight this \`fetch\` makes 1.5 times the calls of \`undici.request\` (1.5 to 1.5 from round to
round) in 0.25 of its event-loop time per call.
`);
  });

  test('names whoever is faster, and where', () => {
    const text = section(
      record({
        'json-50': { unreset: [1000, 10], fetch: [1049, 10], 'undici-request': [500, 10] },
        'stream-1': { unreset: [10, 13_000], fetch: [15, 20_000] },
      }),
    );
    expect(text).toContain(
      'Where others do better: built-in fetch is 1.5 times as fast at "64 MiB streamed, one at a time".\n',
    );
    expect(text).toContain('| 10.0 (13 ms) |');
  });
});
