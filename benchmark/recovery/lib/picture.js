'use strict';

/**
 * The picture of a record: clients down, scripts across, in each field how many calls succeeded, as a number and a
 * colour, and below it what nobody wants to see. Made from the JSON alone, so that anybody can make it again from a
 * record; plain SVG without scripts or fonts from elsewhere, because that is all that shows in a README.
 */

const fs = require('node:fs');
const path = require('node:path');

const { success } = require('./score');
const { loadScript } = require('./scripts');

/** The picture of the latest record, for the README. */
const PICTURE = path.join(__dirname, '..', '..', '..', 'docs', 'recovery.svg');

// Units of the picture, about a pixel each.
const NAMES_WIDTH = 150;
const FIELD = { width: 66, height: 34, gap: 2 };
const FIELD_SIZE = `width="${FIELD.width - FIELD.gap}" height="${FIELD.height - FIELD.gap}"`;
const TOTAL_WIDTH = 68;
const TOP = 78;
const BOTTOM = 40;
const EDGE = 12;

/** Success from these percentages on has this class. Where answers were wrong, or work done twice, a frame says so. */
const LEVELS = [
  [100, 'full'],
  [85, 'most'],
  [50, 'half'],
  [15, 'some'],
  [0, 'none'],
];

const STYLE = `
  text { font: 13px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2328; }
  .small { font-size: 11px; fill: #59636e; }
  .title { font-size: 15px; font-weight: 600; }
  .ours { font-weight: 700; }
  .field, .total { text-anchor: middle; }
  .note { font-size: 10px; font-weight: 700; text-anchor: middle; fill: #b3001b; }
  .bad { font-weight: 700; fill: #b3001b; }
  .flawed { stroke: #b3001b; stroke-width: 1.5; }
  .paper { fill: #ffffff; }
  .full { fill: #7cc7a8; } .most { fill: #c3e3d0; } .half { fill: #f6e6b4; }
  .some { fill: #f2c79b; } .none { fill: #e9a08b; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .small { fill: #9198a1; }
    .note, .bad { fill: #ff9d94; }
    .flawed { stroke: #ff9d94; }
    .paper { fill: #0d1117; }
    .full { fill: #1d7f5b; } .most { fill: #2b5947; } .half { fill: #5c5026; }
    .some { fill: #6b4420; } .none { fill: #6e2f24; }
  }`;

/**
 * @param {string} from the JSON of a run
 * @param {string} to the SVG
 */
function drawPicture(from, to) {
  fs.writeFileSync(to, picture(JSON.parse(fs.readFileSync(from, 'utf8')), path.basename(from)));
}

/**
 * @param {object} record see run.js
 * @param {string} source where it is from; stands in the picture
 * @returns {string} the SVG
 */
function picture(record, source) {
  const { peers, scripts, measurements } = record;
  const totalsAt = EDGE + NAMES_WIDTH + scripts.length * FIELD.width + 8;
  const width = totalsAt + 2 * TOTAL_WIDTH + EDGE;
  const height = TOP + peers.length * FIELD.height + BOTTOM;
  const figuresOf = (peer, script) => measurements.find((one) => one.peer === peer && one.script === script);

  const headings = [
    ...scripts.map((script, column) => heading(centreOf(column), loadScript(script).heading)),
    heading(totalsAt + TOTAL_WIDTH / 2, ['wrong', 'answers']),
    heading(totalsAt + 1.5 * TOTAL_WIDTH, ['work', 'done twice']),
  ];
  const rows = peers.map((peer, row) => {
    const y = TOP + row * FIELD.height;
    const own = measurements.filter((one) => one.peer === peer);
    return [
      text(EDGE, y + 21, peer === 'unreset' ? 'ours' : '', peer),
      ...scripts.map((script, column) => field(EDGE + NAMES_WIDTH + column * FIELD.width, y, figuresOf(peer, script))),
      total(totalsAt + TOTAL_WIDTH / 2, y, own, 'wrong'),
      total(totalsAt + 1.5 * TOTAL_WIDTH, y, own, 'duplicates'),
    ].join('\n');
  });

  const { date, node, seed } = record;
  const origin = `Node ${node} · seed ${seed} · ${date.slice(0, 10)} · made from ${source}`;
  const size = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">`,
    '<title>Calls that succeeded under the same faults, by client and script</title>',
    `<style>${STYLE}\n</style>`,
    `<rect class="paper" width="${width}" height="${height}" rx="6"/>`,
    text(EDGE, 24, 'title', 'Calls that succeeded under the same faults, in percent'),
    ...headings,
    ...rows,
    text(EDGE, height - 14, 'small', `each client at its defaults · ${origin}`),
    '</svg>\n',
  ].join('\n');
}

const centreOf = (column) => EDGE + NAMES_WIDTH + column * FIELD.width + (FIELD.width - FIELD.gap) / 2;

const heading = (x, lines) =>
  lines.map((line, index) => text(x, TOP - 24 + index * 14, 'small field', line)).join('\n');

/** @param {import('./score').Score | undefined} figures undefined where the measurement failed */
function field(x, y, figures) {
  if (!figures) return text(x + FIELD.width / 2, y + 21, 'small field', '-');
  const { wrong, duplicates } = figures;
  const percent = success(figures);
  const [, level] = LEVELS.find(([from]) => percent >= from);
  const notes = [wrong && `${wrong} wrong`, duplicates && `${duplicates} twice`].filter(Boolean);
  const classes = notes.length > 0 ? `${level} flawed` : level;
  const middle = x + (FIELD.width - FIELD.gap) / 2;
  return [
    `<rect class="${classes}" x="${x}" y="${y}" ${FIELD_SIZE} rx="3"/>`,
    text(middle, y + (notes.length > 0 ? 15 : 21), 'field', String(percent)),
    ...(notes.length > 0 ? [text(middle, y + 27, 'note', notes.join(', '))] : []),
  ].join('\n');
}

function total(x, y, own, figure) {
  const sum = own.reduce((all, figures) => all + figures[figure], 0);
  return text(x, y + 21, sum > 0 ? 'total bad' : 'total', String(sum));
}

const text = (x, y, className, content) => `<text x="${x}" y="${y}" class="${className}">${escape(content)}</text>`;

const escape = (content) => content.replace(/[&<>]/g, (character) => `&#${character.codePointAt(0)};`);

module.exports = { drawPicture, picture, PICTURE };
