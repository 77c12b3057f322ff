'use strict';

/**
 * Writes `docs/faults.md` from the catalogue that `classify` and `explain` use. With `--check`, says whether the
 * page is as the catalogue has it.
 */

const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');

const native = require('../lib/native');

const PAGE = path.join(__dirname, '..', 'docs', 'faults.md');

const HEAD = `# Faults

<!-- Written by scripts/faults-doc.js from src/fault/catalogue. Do not edit here. -->

Every code that \`classify(anything)\` can give or recognise: what it means, what usually causes it and what to do.
\`explain(code)\` returns the same at run time.

- **kind** is the family, the same for every client.
- **phase** and **delivery** are what holds when the error tells nothing more: where it struck, and what the server can
  have seen of the request. \`not-sent\`: not one byte, or the server said that it did not act on what it
  saw, so any call may be repeated. \`unknown\`: bytes left and no answer came, so only an idempotent call may be repeated.
  \`answered\`: a response began.
- **transient**: the same call would plausibly succeed later.
- **reconnect**: a connection has to be opened anew.
- "becomes" names the code that a fault carries instead, where the code is one client's name for a common event.
`;

const LIMITS_TITLE = 'What clients do not tell';

const LIMITS = `
## ${LIMITS_TITLE}

\`classify\` says what the error shows and never guesses that a retry is safe. Where a client hides something, the fault
says less than it could:

- \`http\`: "aborted" inside a response is the same for RST, FIN and an abort by the caller. Give the caller's signal as
  context (\`classify(error, { signal })\`) to tell the abort. \`request.destroy()\` without an error reads "socket hang up",
  as if the server had closed.
- undici's \`request\`: a body that broke off looks like a request that failed, so phase and delivery are \`wait\` and
  \`unknown\`. Its \`fetch\` and the built-in one tell the difference.
- axios: a body that stalls for longer than \`timeout\` is reported as one that broke off, and a limit on time does not tell
  whether there was a connection yet.
- node-fetch: it keeps the code and not the address, nor that it was the TLS handshake that was interrupted. An abort by
  \`AbortSignal.timeout\` reads as any abort, as with axios.

If you know better, say so: \`classify(error, { phase: 'receive', delivery: 'answered' })\`.
`;

function page() {
  const chapters = JSON.parse(native.faultCatalogue());
  const titles = [...chapters.map(({ title }) => title), LIMITS_TITLE];
  const contents = titles.map((title) => `- [${title}](#${anchor(title)})`).join('\n');
  return [HEAD, contents, ...chapters.map(chapter), LIMITS].join('\n');
}

function chapter({ title, introduction, entries }) {
  return ['', `## ${title}`, '', introduction, ...entries.map(entry)].join('\n');
}

function entry({ code, becomes, kind, phase, delivery, transient, reconnect, meaning, causes, action }) {
  const facts = [
    becomes && `becomes \`${becomes}\``,
    `kind \`${kind}\``,
    `phase \`${phase}\``,
    `delivery \`${delivery}\``,
    transient ? 'transient' : 'not transient',
    reconnect && 'reconnect',
  ];
  return [
    '',
    `### ${code.replace('*', '\\*')}`,
    '',
    meaning,
    '',
    facts.filter(Boolean).join(' · '),
    '',
    'Usual causes:',
    ...causes.map((cause) => `- ${cause}`),
    '',
    `What to do: ${action}`,
  ].join('\n');
}

/** As GitHub makes it from a heading. */
function anchor(title) {
  return title.toLowerCase().replaceAll(/[^a-z0-9 -]/g, '').replaceAll(' ', '-');
}

function main() {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  if (!values.check) {
    fs.writeFileSync(PAGE, page());
  } else if (fs.readFileSync(PAGE, 'utf8') !== page()) {
    console.error('docs/faults.md is not as the catalogue has it: run node scripts/faults-doc.js');
    process.exitCode = 1;
  }
}

if (require.main === module) main();

module.exports = { page, PAGE };
