'use strict';

const fs = require('node:fs');
const path = require('node:path');

const FOLDER = path.join(__dirname, '..', 'results');

/**
 * Writes a run as JSON, one measurement a line, so that two records can be compared as text.
 * @param {object} record see run.js, recovery/run.js
 * @param {string} [what] tells a record from those of another benchmark on the same day
 * @returns {string} the file, relative to the folder this process runs in; runs that are no record go to `scratch/`
 */
function writeResults(record, what) {
  const folder = record.complete ? FOLDER : path.join(FOLDER, 'scratch');
  const parts = [record.date.slice(0, 10), what, `node${record.node.split('.')[0]}`];
  const name = `${parts.filter(Boolean).join('-')}.json`;
  const file = path.join(folder, name);
  const { measurements, ...rest } = record;
  const head = JSON.stringify(rest, rounded, 2).replace(/\n}$/, '');
  const lines = measurements.map((measurement) => `    ${JSON.stringify(measurement, rounded)}`);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(file, `${head},\n  "measurements": [\n${lines.join(',\n')}\n  ]\n}\n`);
  return path.relative(process.cwd(), file);
}

/** Five digits are more than any of these measurements can tell. */
const rounded = (key, value) =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;

module.exports = { writeResults };
