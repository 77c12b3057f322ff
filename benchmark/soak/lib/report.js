'use strict';

const { MEASURES, mib } = require('./memory');

/** One line while it runs. @param {import('./memory').Sample} sample @param {number} wrong calls that ended as they must not */
function sampleLine(sample, wrong) {
  const figures = MEASURES.map(({ key }) => `${key} ${mib(sample[key])}`);
  return `${String(sample.calls).padStart(9)} calls  ${figures.join('  ')} MiB${wrong > 0 ? `  ${wrong} wrong` : ''}`;
}

/**
 * @param {import('./soak').Outcome} outcome
 * @param {import('./options').SoakOptions} options
 */
function report({ settled, growth, leaks }, { seed }) {
  const lines = growth.map(({ name, grown, perCall, allowed }) =>
    `${name}: ${mib(grown)} MiB more after the warm-up (${perCall.toFixed(1)} bytes a call; up to ${mib(allowed)} MiB is flat)`);
  const verdict = leaks.length === 0
    ? [`${settled} calls settled, and nothing was left behind.`]
    : ['LEAK:', ...leaks.map((sentence) => `- ${sentence}`), `Again with: --seed ${seed}`];
  return [...lines, ...verdict].join('\n');
}

module.exports = { report, sampleLine };
