'use strict';

/** The tables that a run prints. */

const { amplification, overhead, success } = require('./score');
const { loadScript } = require('./scripts');
const { number, table } = require('../../lib/table');

const percent = (value) => `${value} %`;
const orDash = (write) => (value) => (value === null ? '-' : write(value));

/** The columns of a script's table: heading, value, how it is written. README.md says what each means. */
const COLUMNS = [
  ['succeeded', success, percent],
  ['failed', ({ failed }) => failed, number(0)],
  ['hung', ({ hung }) => hung, number(0)],
  ['wrong', ({ wrong }) => wrong, number(0)],
  ['done twice', ({ duplicates }) => duplicates, number(0)],
  ['requests/call', amplification, number(2)],
  ['bytes/needed', overhead, orDash(number(2))],
  ['p50 ms', ({ p50 }) => p50, orDash(number(0))],
  ['p99 ms', ({ p99 }) => p99, orDash(number(0))],
  ['max ms', ({ max }) => max, orDash(number(0))],
];

/** @param {object} record see run.js */
function report(record) {
  const tables = record.scripts.map((script) => scriptTable(record, script));
  return [...tables, summary(record), failures(record.failures)].filter(Boolean).join('\n\n');
}

function scriptTable({ measurements, versions }, script) {
  const rows = measurements
    .filter((measurement) => measurement.script === script)
    .map((figures) => [
      `${figures.peer} ${versions[figures.peer]}`,
      ...COLUMNS.map(([, value, write]) => write(value(figures))),
    ]);
  const headings = ['client', ...COLUMNS.map(([heading]) => heading)];
  return `${loadScript(script).title} (${script})\n${table([headings, ...rows])}`;
}

/** Success by client and script, and what nobody wants to see added up over the scripts. */
function summary({ measurements, peers, scripts }) {
  const rows = peers.map((peer) => {
    const own = measurements.filter((measurement) => measurement.peer === peer);
    const successes = scripts.map((script) => {
      const figures = own.find((measurement) => measurement.script === script);
      return figures ? percent(success(figures)) : '-';
    });
    const total = (figure) => number(0)(own.reduce((sum, figures) => sum + figures[figure], 0));
    return [peer, ...successes, total('wrong'), total('duplicates')];
  });
  return `Calls that succeeded\n${table([['client', ...scripts, 'wrong', 'done twice'], ...rows])}`;
}

/** The first line of each reason; the results have it in full. */
function failures(failed) {
  const line = ({ peer, script, reason }) => `FAILED: ${peer}, ${script}: ${reason.split('\n', 1)[0]}`;
  return failed.map(line).join('\n');
}

module.exports = { report };
