'use strict';

/** The tables that a run prints. */

const { cases } = require('../cases');
const { summarize, ratio } = require('./summary');
const { number, percent, table } = require('./table');

/** What every peer is compared with, and the heading that stands for it. */
const BASES = [
  ['fetch', 'fetch'],
  ['undici-request', 'undici'],
];

/** The columns of a case's table: heading, figure, how it is written. README.md says what each means. */
const COLUMNS = [
  ['calls/s', 'rate', (value) => number(value < 1000 ? 1 : 0)(value)],
  ['+-', 'spread', percent],
  ['p50 ms', 'p50', number(2)],
  ['p99 ms', 'p99', number(2)],
  ['loop us', 'loop', number(1)],
  ['elu us', 'utilization', number(1)],
  ['cpu us', 'cpu', number(1)],
  ['peak MiB', 'peakMemory', number(0)],
  ['server', 'server', percent],
];

/** @param {object} record see run.js */
function report(record) {
  const tables = record.cases.map((caseName) => caseTable(record, caseName));
  return [...tables, targetTable(record.targets), failures(record.failures)].filter(Boolean).join('\n\n');
}

function caseTable({ measurements, peers, versions }, caseName) {
  const measured = peers.filter((peer) => summarize(measurements, caseName, peer));
  const bases = BASES.filter(([base]) => measured.includes(base));
  const header = [
    'client',
    ...COLUMNS.map(([heading]) => heading),
    ...bases.flatMap(([, heading]) => [`x ${heading}`, `loop x ${heading}`]),
  ];
  const rows = measured.map((peer) => {
    const figures = summarize(measurements, caseName, peer);
    const times = (figure, against) => ratio(measurements, { case: caseName, figure, peer, against }).median;
    return [
      `${peer} ${versions[peer]}`,
      ...COLUMNS.map(([, figure, write]) => (figures[figure] === undefined ? '-' : write(figures[figure]))),
      ...bases.flatMap(([against]) => [times('rate', against), times('loop', against)].map(number(2))),
    ];
  });
  return `${cases[caseName].title} (${caseName})\n${table([header, ...rows])}`;
}

function targetTable(targets) {
  if (targets.length === 0) return '';
  const rows = targets.map(({ case: caseName, figure, peer, against, atLeast, atMost, reached, ...found }) => [
    `${caseName}: ${figure}, ${peer} / ${against}`,
    number(2)(found.median),
    `${number(2)(found.low)} to ${number(2)(found.high)}`,
    atLeast === undefined ? `<= ${number(2)(atMost)}` : `>= ${number(2)(atLeast)}`,
    reached ? 'reached' : 'MISSED',
  ]);
  return `Targets\n${table([['ratio', 'median', 'rounds', 'wanted', ''], ...rows])}`;
}

/** The first line of each reason; the results have it in full. */
function failures(failed) {
  const line = ({ peer, case: caseName, reason }) => `FAILED: ${peer}, ${caseName}: ${reason.split('\n', 1)[0]}`;
  return failed.map(line).join('\n');
}

module.exports = { report };
