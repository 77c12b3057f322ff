'use strict';

/**
 * The terminal report of a played scenario. Every figure and every verdict in it is computed from the runs;
 * only the names of columns are written here.
 */

const ESCAPES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };
/** Lines that are shown of what a program has printed: mongoose's crash prints a hundred and fifty. */
const MOST_PRINTED = 20;
const VERDICT_COLOURS = { succeeded: 'green', wrong: 'yellow', failed: 'red' };

/**
 * @param {Awaited<ReturnType<import('./play').play>>} played
 * @param {object} scenario  the scenario itself, for the source of its variants
 * @param {{ colours: boolean }} options
 * @returns {string}
 */
function report(played, scenario, { colours }) {
  const paint = (style, text) => (colours ? `\x1b[${ESCAPES[style]}m${text}\x1b[0m` : text);
  const heading = (text) => `\n${paint('bold', text)}`;
  const { runs } = played;

  return [
    heading(`Scenario ${played.number}: ${played.title}`),
    played.story,
    ...runs.flatMap((run) => [
      heading(`${run.variant}: ${run.label}`),
      ...sourceOf(scenario[run.variant].client).map((line) => paint('dim', `  | ${line}`)),
      `  It printed${run.printed.length ? ':' : ' nothing.'}`,
      ...beginningOf(run.printed).map((line) => `    ${line}`),
      ...noticedByNobody(run),
      `  ${sentence(run)}`,
    ]),
    heading('Every call'),
    ...callsTable(played, paint),
    heading('What ours recovered, and what it could not'),
    ...recoveries(runs.find(({ variant }) => variant === 'ours')),
    heading('Side by side'),
    ...summaryTable(runs, paint),
    heading('What ours promises'),
    ...played.promises.map(({ claim, kept }) => (
      `  ${kept ? paint('green', 'kept  ') : paint('red', 'BROKEN')} ${claim}`
    )),
    '',
  ].join('\n');
}

/** The lines of a function's body, without the indentation that they share. */
function sourceOf(fn) {
  const lines = fn.toString().split('\n').slice(1, -1);
  const indents = lines.filter((line) => line.trim()).map((line) => line.search(/\S/));
  return lines.map((line) => line.slice(Math.min(...indents)));
}

function beginningOf(lines) {
  if (lines.length <= MOST_PRINTED) return lines;
  return [...lines.slice(0, MOST_PRINTED), `... and ${lines.length - MOST_PRINTED} lines more`];
}

/** Wrong answers that were passed on as right ones. */
function noticedByNobody({ outcomes }) {
  const wrong = outcomes.filter(({ outcome }) => outcome === 'wrong');
  return wrong.map(({ call, saw }) => `  ${call} was answered "${saw}", and no error said so.`);
}

/** One line on what the program did to the server, and how it ended. */
function sentence({ requests, outcomes, counts, ended, took }) {
  const answers = requests.filter(({ did }) => did === 'answered').length;
  const unclaimed = Math.max(0, answers - counts.succeeded);
  const pauses = pausesBefore(requests);
  return [
    `The server saw ${requests.length} requests for ${outcomes.length} calls`,
    pauses.length ? `; they came again after ${pauses.join(', ')} ms` : '',
    unclaimed ? `; ${unclaimed} of its answers reached no caller` : '',
    `. The program ended ${ended} after ${took} ms.`,
  ].join('');
}

/** For each request that the server had seen before: how long after the one before it (ms). */
function pausesBefore(requests) {
  const last = new Map();
  const pauses = [];
  for (const { line, at } of requests) {
    if (last.has(line)) pauses.push(Math.round(at - last.get(line)));
    last.set(line, at);
  }
  return pauses;
}

function callsTable({ calls, runs }, paint) {
  const rows = calls.map(({ name, meets }, index) => [
    { text: name },
    { text: meets.join(', ') || '-' },
    ...runs.map(({ outcomes }) => {
      const { outcome } = outcomes[index];
      return { text: outcome, colour: VERDICT_COLOURS[outcome] };
    }),
  ]);
  return table(['call', 'meets', ...runs.map(({ variant }) => variant)], rows, paint);
}

function recoveries({ outcomes }) {
  const met = outcomes.filter(({ recovery, error }) => error || recovery?.attempts.some(({ fault }) => fault));
  return met.flatMap(({ call, outcome, saw, recovery, error }) => [
    `  ${call}: ${(recovery?.attempts ?? []).map(attemptText).join(', ')}`,
    `    ${outcome}, ${error ? errorText(error, recovery) : saw}`,
  ]);
}

function attemptText({ fault, delay }, index) {
  const begun = index === 0 ? '' : delay ? `${Math.round(delay)} ms later: ` : 'at once: ';
  return begun + (fault ? `${fault.code} (phase ${fault.phase}, delivery ${fault.delivery})` : 'answered');
}

function errorText({ message, code, delivery }, recovery) {
  const gaveUp = recovery?.gaveUp ? `, gave up: ${recovery.gaveUp}` : '';
  return `"${message}", code ${code}, delivery ${delivery}${gaveUp}`;
}

function summaryTable(runs, paint) {
  const rows = runs.map(({ variant, outcomes, counts, requests, duplicates }) => [
    { text: variant },
    { text: String(outcomes.length), right: true },
    { text: String(counts.succeeded), right: true, colour: counts.succeeded ? 'green' : undefined },
    { text: String(counts.wrong), right: true, colour: counts.wrong ? 'yellow' : undefined },
    { text: String(counts.failed), right: true, colour: counts.failed ? 'red' : undefined },
    { text: String(requests.length), right: true },
    { text: String(duplicates), right: true, colour: duplicates ? 'red' : undefined },
  ]);
  const head = ['', 'calls', 'succeeded', 'wrong answer', 'failed', 'requests sent', 'done twice'];
  return table(head, rows, paint);
}

/** Lines of a table whose cells are `{ text, right?, colour? }`; painted when the widths are known. */
function table(head, rows, paint) {
  const widths = head.map((name, column) => (
    Math.max(name.length, ...rows.map((row) => row[column].text.length))
  ));
  const pad = ({ text, right, colour }, column) => {
    const padded = right ? text.padStart(widths[column]) : text.padEnd(widths[column]);
    return colour ? paint(colour, padded) : padded;
  };
  const line = (cells) => `  ${cells.map(pad).join('  ')}`.trimEnd();
  return [
    line(head.map((text, column) => ({ text, right: rows[0][column].right }))),
    line(widths.map((width) => ({ text: '-'.repeat(width) }))),
    ...rows.map(line),
  ];
}

module.exports = { report };
