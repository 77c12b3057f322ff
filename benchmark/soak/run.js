'use strict';

/** `npm run soak`: does anything stay behind? ../README.md says what it proves. */

const { readOptions, UsageError, USAGE } = require('./lib/options');
const { fuzz } = require('./lib/fuzz');
const { report, sampleLine } = require('./lib/report');
const { soak } = require('./lib/soak');

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
  } else if (options.fuzz !== undefined) {
    process.exitCode = fuzz(options.fuzz);
  } else {
    console.log(`seed ${options.seed}`);
    const outcome = await soak(options, { onSample: (sample, wrong) => console.log(sampleLine(sample, wrong)) });
    console.log(report(outcome, options));
    if (outcome.leaks.length > 0) process.exitCode = 1;
  }
}

main().catch((error) => {
  console.error(error instanceof UsageError ? `${error.message}\n\n${USAGE}` : `soak: ${error.stack}`);
  process.exitCode = 1;
});
