'use strict';

/**
 * The `unreset` command. A subcommand is one file in `commands/`, listed below; it must not load the native
 * addon before it has to, because building a missing addon is one of them.
 */

const { parseArgs } = require('node:util');

const { version } = require('../../package.json');

/** @type {Record<string, Command>} */
const COMMANDS = {
  build: require('./commands/build'),
};

/** A mistake in how the command was called: its message and the usage are shown, without a stack. */
const USAGE_EXIT_CODE = 2;

/**
 * @typedef {object} Command
 * @property {string} summary one line for the list of commands
 * @property {string} usage what `unreset <command> --help` prints
 * @property {import('node:util').ParseArgsConfig['options']} options
 * @property {(values: object) => Promise<number>} run returns the exit code
 */

/**
 * Runs one command line and sets `process.exitCode`.
 * @param {string[]} args without the interpreter and the script
 */
async function main(args) {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(overview());
  } else if (name === '--version' || name === '-v') {
    process.stdout.write(`${version}\n`);
  } else if (Object.hasOwn(COMMANDS, name)) {
    await runCommand(COMMANDS[name], rest);
  } else {
    refuse(`unknown command: ${name}`, overview());
  }
}

async function runCommand(command, args) {
  let values;
  try {
    const options = { ...command.options, help: { type: 'boolean', short: 'h' } };
    ({ values } = parseArgs({ args, options, allowPositionals: false }));
  } catch (error) {
    refuse(error.message, command.usage);
    return;
  }
  if (values.help) process.stdout.write(command.usage);
  else process.exitCode = await command.run(values);
}

function refuse(problem, usage) {
  process.stderr.write(`unreset: ${problem}\n\n${usage}`);
  process.exitCode = USAGE_EXIT_CODE;
}

function overview() {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const list = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `Usage: unreset <command> [options]

Commands:
${list.join('\n')}

Options:
  -h, --help     show this, or the help of a command
  -v, --version  show the version
`;
}

module.exports = { main };
