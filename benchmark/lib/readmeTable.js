'use strict';

/**
 * The part of the project's README that says how fast the clients are, written from a record: what stands there is
 * what was measured, and what others do better is not left to whoever writes.
 */

const fs = require('node:fs');
const path = require('node:path');

const { cases } = require('../cases');
const { ratio } = require('./summary');
const { number } = require('./table');

const RESULTS = path.join(__dirname, '..', 'results');
const README = path.join(__dirname, '..', '..', 'README.md');
const RECORD = /^\d{4}-\d{2}-\d{2}-node\d+\.json$/;
const SECTION = /(?<=<!-- benchmark:start -->\n).*?(?=<!-- benchmark:end -->)/s;

/** It says the same as 50 in flight, and `unreset-no-retry` is only a measure of the policy: see README.md beside. */
const LEFT_OUT = ['json-500', 'unreset-no-retry'];
const NAMES = { fetch: 'built-in fetch', 'undici-fetch': '`undici.fetch`', 'undici-request': '`undici.request`' };
const OURS = 'unreset';
/** Where the clients are put in order, and compared in a sentence. */
const MAIN_CASE = 'json-50';
/** Up to here another client counts as equal: rounds lie further apart than that. */
const EQUAL = 1.05;

/** @returns {object} the newest record, as run.js wrote it */
function newestRecord() {
  const read = (file) => JSON.parse(fs.readFileSync(path.join(RESULTS, file), 'utf8'));
  const records = fs.readdirSync(RESULTS).filter((file) => RECORD.test(file)).map(read);
  return records.reduce((newest, record) => (record.date > newest.date ? record : newest));
}

/**
 * @param {object} record
 * @returns {string} the section between the markers, in Markdown
 */
function section(record) {
  const measured = record.cases.filter((name) => name in cases && !LEFT_OUT.includes(name));
  const rateOf = (peer) => record.medians[MAIN_CASE][peer]?.rate ?? 0;
  const others = record.peers.filter((peer) => peer !== OURS && !LEFT_OUT.includes(peer));
  const peers = [OURS, ...others.sort((a, b) => rateOf(b) - rateOf(a))];
  const rows = [
    ['client', ...measured.map((name) => cases[name].title)],
    ['---', ...measured.map(() => '---')],
    ...peers.map((peer) => [nameWithVersion(record, peer), ...measured.map((name) => cell(record.medians[name][peer]))]),
  ];
  const table = rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  return `${conditions(record)}\n\n${table}\n\n${[better(record, measured), comparison(record)].join('\n')}\n`;
}

/**
 * @param {string} readme
 * @param {object} record
 * @returns {string} the README with the section in its place
 */
function withSection(readme, record) {
  if (!SECTION.test(readme)) throw new Error('the README has no <!-- benchmark:start --> and <!-- benchmark:end -->');
  return readme.replace(SECTION, () => section(record));
}

function conditions({ node, machine, date, rounds }) {
  const processor = machine.processor.replace(/\((R|TM)\)|\bProcessor\b/g, '').replace(/\s+/g, ' ').trim();
  const kernel = machine.kernel.replace(/^(\w+ \d+\.\d+).*/, '$1');
  return [
    `Node ${node} on ${machine.cores} cores (${processor}, ${kernel}), server on the same machine, ${date.slice(0, 10)}, median of`,
    `${rounds} rounds: calls per second, and in brackets the CPU time of the event-loop thread per call.`,
  ].join('\n');
}

function nameWithVersion({ versions }, peer) {
  if (peer === OURS) return '**unreset**';
  const version = peer === 'fetch' ? '' : ` ${versions[peer].split('.').slice(0, 2).join('.')}`;
  return `${nameOf(peer)}${version}`;
}

const nameOf = (peer) => NAMES[peer] ?? peer;

/** Rate and event-loop time; a client that cannot make the call has none. */
function cell(figures) {
  if (!figures) return '-';
  const { rate, loop } = figures;
  const time = loop < 10_000 ? `${number(0)(loop)} us` : `${number(0)(loop / 1000)} ms`;
  return `${number(rate < 100 ? 1 : 0)(rate)} (${time})`;
}

function better({ medians, peers }, measured) {
  const found = measured.flatMap((name) => {
    const ours = medians[name][OURS].rate;
    return peers
      .filter((peer) => !LEFT_OUT.includes(peer) && medians[name][peer]?.rate > ours * EQUAL)
      .map((peer) => `${nameOf(peer)} is ${number(1)(medians[name][peer].rate / ours)} times as fast at "${cases[name].title}"`);
  });
  return found.length > 0 ? `Where others do better: ${found.join('; ')}.` : 'No client was faster in any of these.';
}

/** Ratios taken inside the rounds: see benchmark/README.md. */
function comparison({ measurements }) {
  const against = 'undici-request';
  const rate = ratio(measurements, { case: MAIN_CASE, figure: 'rate', peer: OURS, against });
  const loop = ratio(measurements, { case: MAIN_CASE, figure: 'loop', peer: OURS, against });
  const [median, low, high] = [rate.median, rate.low, rate.high].map(number(1));
  return [
    `With small JSON and 50 in flight this \`fetch\` makes ${median} times the calls of ${nameOf(against)} (${low} to ${high} from round to`,
    `round) in ${number(2)(loop.median)} of its event-loop time per call.`,
  ].join('\n');
}

module.exports = { README, newestRecord, section, withSection };
