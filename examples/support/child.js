'use strict';

/**
 * Runs one variant of one scenario in a process of its own, so that the report can show what such a program
 * prints and how it ends: an unhandled rejection of the usual remedy ends this process and not the demo.
 *
 * Arguments: the scenario's file, the name of the variant, the world's address as JSON.
 */

const [file, variant, address] = process.argv.slice(2);
const scenario = require(file);

async function main() {
  let told = Promise.resolve();
  await scenario.run(scenario[variant], JSON.parse(address), (outcome) => {
    told = new Promise((resolve) => { process.send(outcome, resolve); });
  });
  await told;
  // From here on only what the variant left behind can keep this process alive.
  process.disconnect();
}

main();
