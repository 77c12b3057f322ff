'use strict';

/** Peers side by side: medians of the rounds, and ratios taken within each round, between neighbours in time. */

const { median } = require('./summary');
const { number, table } = require('./table');

/**
 * @param {object} shown
 * @param {Record<string, { title: string, unit?: string, peers: string[] }>} shown.cases ratios are taken to the first peer
 * @param {[heading: string, figure: string, write: (value: number) => string][]} shown.columns
 * @param {string[]} shown.compared of which figures a ratio says something
 * @param {string[]} names of the cases that were measured
 * @param {{ round: number, case: string, peer: string, figures: Record<string, number> }[]} measurements
 */
function sideBySide(shown, names, measurements) {
  return names.map((name) => caseTable(shown, shown.cases[name], measurements.filter((one) => one.case === name))).join('\n\n');
}

function caseTable(shown, { title, unit, peers }, measurements) {
  const [base] = peers;
  const measured = peers.filter((peer) => measurements.some((one) => one.peer === peer));
  const has = (figure) => measurements.some(({ figures }) => figures[figure] !== undefined);
  const columns = shown.columns.filter(([, figure]) => has(figure));
  const compared = shown.compared.filter(has);
  const head = [unit === undefined ? '' : `per ${unit}`, ...columns.map(([heading]) => heading), ...compared.map((figure) => `x ${figure}`)];
  const rows = measured.map((peer) => [
    peer,
    ...columns.map(([, figure, write]) => write(median(valuesOf(measurements, peer, figure)))),
    ...compared.map((figure) => (peer === base ? '' : ratio(measurements, peer, base, figure))),
  ]);
  return `${title}\n${table([head, ...rows])}`;
}

/** The median of the ratios, and the quarters below and above. */
function ratio(measurements, peer, base, figure) {
  const others = new Map(measurements.filter((one) => one.peer === base).map((one) => [one.round, one.figures[figure]]));
  const ratios = measurements
    .filter((one) => one.peer === peer && others.has(one.round))
    .map((one) => one.figures[figure] / others.get(one.round))
    .sort((a, b) => a - b);
  if (ratios.length === 0) return '-';
  const at = (part) => number(2)(ratios[Math.min(ratios.length - 1, Math.floor(ratios.length * part))]);
  return `${at(0.5)} (${at(0.25)} to ${at(0.75)})`;
}

const valuesOf = (measurements, peer, figure) =>
  measurements.filter((one) => one.peer === peer).map(({ figures }) => figures[figure]);

module.exports = { sideBySide };
