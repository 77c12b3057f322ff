'use strict';

/**
 * Measures every case with every peer, `rounds` times over. The peers take turns within a round and begin it in turns, so what
 * disturbs the machine disturbs all alike. One that fails is noted, and the others go on.
 *
 * @template Found
 * @param {object} plan
 * @param {number} plan.rounds
 * @param {string[]} plan.cases
 * @param {(name: string) => string[]} plan.peersOf a case
 * @param {(turn: { case: string, peer: string }) => Promise<Found & { loopSource?: string }>} measure
 * @returns {Promise<{ loopSource: string | undefined, failures: { peer: string, case: string, reason: string }[],
 *   measurements: ({ round: number, case: string, peer: string } & Found)[] }>}
 */
async function measureInRounds({ rounds, cases, peersOf }, measure) {
  const results = { loopSource: undefined, failures: [], measurements: [] };
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of cases) {
      const peers = peersOf(name);
      const first = round % peers.length;
      for (const peer of [...peers.slice(first), ...peers.slice(0, first)]) {
        const progress = `round ${round} of ${rounds}, ${name}, ${peer}`;
        try {
          const { loopSource, ...found } = await measure({ case: name, peer });
          results.loopSource ??= loopSource;
          results.measurements.push({ round, case: name, peer, ...found });
          console.error(progress);
        } catch (error) {
          const reason = error.stderr || error.message;
          results.failures.push({ peer, case: name, reason });
          console.error(`${progress}: FAILED\n${reason}`);
        }
      }
    }
  }
  return results;
}

module.exports = { measureInRounds };
