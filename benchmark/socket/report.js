'use strict';

/** The tables that a run prints: medians of the rounds, and ratios taken within each round with their quartiles. */

const { cases } = require('./cases');
const { sideBySide } = require('../lib/sideBySide');
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

const report = (names, measurements) => sideBySide({ cases, columns: COLUMNS, compared: COMPARED }, names, measurements);

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
