'use strict';

/** The tables that a run prints. */

const { SERVERS } = require('./plan');
const { lossWindow } = require('./score');
const { number, table } = require('../../lib/table');

/** The columns of a server's table: heading, and how a figure is written. README.md says what each means. */
const COLUMNS = [
  ['POSTs', ({ posts }) => number(0)(posts)],
  ['failed', ({ failed }) => number(0)(failed)],
  ['lost in the window', writeShare],
  ['window ms', writeWindow],
  ['arrived twice', ({ duplicates }) => number(0)(duplicates)],
  ['connections', ({ connections }) => number(0)(connections)],
  ['p50 ms', ({ p50 }) => number(0)(p50)],
  ['p99 ms', ({ p99 }) => number(0)(p99)],
  ['errors', ({ codes }) => Object.entries(codes).map(([code, count]) => `${code} ${count}`).join(', ') || '-'],
];

/** @param {object} record see run.js */
function report(record) {
  const tables = record.servers.map((server) => serverTable(record, server));
  return [...tables, failures(record.failures)].filter(Boolean).join('\n\n');
}

function serverTable({ measurements, versions }, server) {
  const rows = measurements
    .filter((measurement) => measurement.server === server)
    .map((figures) => [`${figures.peer} ${versions[figures.peer]}`, ...COLUMNS.map(([, write]) => write(figures))]);
  const title = SERVERS[server].title;
  return `POST to ${title} (${server})\n${table([['client', ...COLUMNS.map(([heading]) => heading)], ...rows])}`;
}

/** Of the POSTs after a pause at which any was lost; of all of them it would depend on where the steps begin. */
function writeShare(figures) {
  const window = lossWindow(figures);
  if (!window) return '-';
  const [first, last] = window;
  const inside = figures.byPause.filter(([offset]) => offset >= first && offset <= last);
  const total = (column) => inside.reduce((sum, row) => sum + row[column], 0);
  return `${number(0)((total(1) / total(2)) * 100)} %`;
}

function writeWindow(figures) {
  const window = lossWindow(figures);
  return window ? `${window[0]} to ${window[1]}` : '-';
}

/** The first line of each reason; the results have it in full. */
function failures(failed) {
  const line = ({ peer, server, reason }) => `FAILED: ${peer}, ${server}: ${reason.split('\n', 1)[0]}`;
  return failed.map(line).join('\n');
}

module.exports = { report };
