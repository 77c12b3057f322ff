'use strict';

/**
 * The demo: plays the scenarios of this folder and says what happened.
 *
 *   node examples/run.js                every scenario
 *   node examples/run.js 6              those whose number or file name is given
 *   node examples/run.js --json         one JSON object instead of the report
 *
 * Exit code: 0 when ours kept every promise, 1 when it broke one, 2 when it was asked for something unknown.
 */

const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { play } = require('./support/play');
const { report } = require('./support/report');

/** Every file here that begins with a number is a scenario. */
const FILES = fs.readdirSync(__dirname).filter((name) => /^\d\d-.*\.js$/.test(name)).sort();

async function main() {
  let options;
  let files;
  try {
    options = parseArgs({ options: { json: { type: 'boolean', default: false } }, allowPositionals: true });
    files = choose(options.positionals);
  } catch (err) {
    console.error(err.message);
    process.exitCode = 2;
    return;
  }

  const scenarios = [];
  for (const name of files) {
    const file = path.join(__dirname, name);
    const played = await play(file);
    scenarios.push(played);
    if (!options.values.json) console.log(report(played, require(file), { colours: coloursWanted() }));
  }

  const kept = scenarios.every(({ promises }) => promises.every((promise) => promise.kept));
  if (options.values.json) console.log(JSON.stringify({ kept, scenarios }, null, 2));
  process.exitCode = kept ? 0 : 1;
}

/** The files of the scenarios that were named, or all of them. */
function choose(names) {
  if (names.length === 0) return FILES;
  return names.map((name) => {
    const found = FILES.find((file) => path.parse(file).name === name || parseInt(file, 10) === Number(name));
    if (!found) {
      const known = FILES.map((file) => path.parse(file).name).join(', ');
      throw new Error(`no scenario "${name}"; there is ${known}`);
    }
    return found;
  });
}

function coloursWanted() {
  return process.stdout.isTTY && !process.env.NO_COLOR;
}

main();
