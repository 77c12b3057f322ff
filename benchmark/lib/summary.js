'use strict';

/**
 * From the measurements of all rounds to one figure each. Medians, because disturbances only ever make a round
 * slower; ratios are taken within each round first, where both peers met the same weather.
 *
 * @typedef {object} Measurement
 * @property {number} round
 * @property {string} case
 * @property {string} peer
 * @property {Record<string, number>} figures see README.md
 */

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort(ascending);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * @param {Measurement[]} measurements
 * @param {string} caseName
 * @param {string} peer
 * @returns {(Record<string, number> & { spread?: number }) | undefined} the median of each figure, and, of several
 *   rounds, half the distance between the fastest and the slowest as a part of the median rate; undefined if never
 *   measured
 */
function summarize(measurements, caseName, peer) {
  const rounds = roundsOf(measurements, caseName, peer).map(({ figures }) => figures);
  if (rounds.length === 0) return undefined;
  const medians = {};
  for (const figure of Object.keys(rounds[0])) medians[figure] = median(rounds.map((figures) => figures[figure]));
  if (rounds.length === 1) return medians;
  const rates = rounds.map(({ rate }) => rate);
  return { ...medians, spread: (Math.max(...rates) - Math.min(...rates)) / 2 / medians.rate };
}

/**
 * @param {Measurement[]} measurements
 * @param {{ case: string, figure: string, peer: string, against: string }} what
 * @returns {{ median: number, low: number, high: number } | undefined} peer / against over the rounds that have
 *   both; undefined when there is none
 */
function ratio(measurements, { case: caseName, figure, peer, against }) {
  const others = new Map(
    roundsOf(measurements, caseName, against).map(({ round, figures }) => [round, figures[figure]])
  );
  const ratios = roundsOf(measurements, caseName, peer)
    .filter(({ round }) => others.has(round))
    .map(({ round, figures }) => figures[figure] / others.get(round));
  if (ratios.length === 0) return undefined;
  return { median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) };
}

const roundsOf = (measurements, caseName, peer) =>
  measurements.filter((measurement) => measurement.case === caseName && measurement.peer === peer);

const ascending = (a, b) => a - b;

module.exports = { median, summarize, ratio };
