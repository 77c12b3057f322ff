'use strict';

/** The tables that a run prints: medians of the rounds, and ratios taken within each round with their quartiles. */

const { baseOf, cases } = require('./cases');
const { median } = require('../lib/summary');
const { number, percent, table } = require('../lib/table');

const COLUMNS = [
  ['/s', 'rate', number(0)],
  ['loop us', 'loop', number(2)],
  ['cpu us', 'cpu', number(2)],
  ['server', 'server', percent],
  ['median ms', 'median', number(2)],
  ['p95 ms', 'p95', number(2)],
];
/** Of which figures a ratio says something. */
const COMPARED = ['rate', 'loop', 'cpu', 'median'];

function report(names, measurements) {
  return names.map((name) => caseTable(name, measurements.filter((one) => one.case === name))).join('\n\n');
}

function caseTable(name, measurements) {
  const { title, unit, peers } = cases[name];
  const measured = peers.filter((peer) => measurements.some((one) => one.peer === peer));
  const has = (figure) => measurements.some(({ figures }) => figures[figure] !== undefined);
  const columns = COLUMNS.filter(([, figure]) => has(figure));
  const compared = COMPARED.filter(has);
  const head = [unit === undefined ? '' : `per ${unit}`, ...columns.map(([heading]) => heading), ...compared.map((figure) => `x ${figure}`)];
  const rows = measured.map((peer) => [
    peer,
    ...columns.map(([, figure, write]) => write(median(valuesOf(measurements, peer, figure)))),
    ...compared.map((figure) => (peer === baseOf(name) ? '' : ratio(measurements, peer, baseOf(name), figure))),
  ]);
  return `${title}\n${table([head, ...rows])}`;
}

/** Neighbours in time are compared: the median of their ratios, and the quarters below and above. */
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

/** Which thread took what for each message or MiB, in the medians of the rounds. */
function threadReport(names, measurements) {
  const counted = names.filter((name) => cases[name].unit !== undefined);
  return counted.flatMap((name) => cases[name].peers.map((peer) => {
    const rounds = measurements.filter((one) => one.case === name && one.peer === peer).map(({ used }) => used);
    const threads = [...new Set(rounds.flatMap((used) => Object.keys(used)))];
    const of = (thread, key) => median(rounds.filter((used) => thread in used).map((used) => used[thread][key]));
    const rows = threads
      .map((thread) => [thread, ...['cpu', 'system', 'faults', 'waits'].map((key) => number(2)(of(thread, key)))])
      .filter(([, cpu]) => Number(cpu) > 0.05);
    return `${name}, ${peer}\n${table([['thread', 'cpu us', 'of it system', 'page faults', 'waits'], ...rows])}`;
  })).join('\n\n');
}

module.exports = { report, threadReport };
