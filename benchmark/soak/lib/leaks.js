'use strict';

/** What has been left behind, as sentences. */

/** What each kind of holding is called, where one and where many are left. */
const NAMES = {
  handles: ['handle that keeps the process alive', 'handles that keep the process alive'],
  descriptors: ['file descriptor', 'file descriptors'],
  connections: ['connection', 'connections'],
  threads: ['thread', 'threads'],
  calls: ['open call', 'open calls'],
};

/**
 * @param {import('./holdings').Holdings} before
 * @param {import('./holdings').Holdings} after
 * @returns {string[]} a sentence for each kind of which there is more than before
 */
function leftBehind(before, after) {
  const sentences = [];
  for (const [kind, [one, many]] of Object.entries(NAMES)) {
    const more = Object.entries(after[kind])
      .map(([name, count]) => [name, count - (before[kind][name] ?? 0)])
      .filter(([, count]) => count > 0);
    const total = more.reduce((sum, [, count]) => sum + count, 0);
    if (total === 0) continue;
    const named = more.map(([name, count]) => `${count} ${name}`).join(', ');
    sentences.push(`${total} ${total === 1 ? one : many} left behind (${named})`);
  }
  return sentences;
}

/**
 * A pool keeps what calls have opened: to one server at most two connections for each call that was in flight at once. One
 * that it used, and one that it had begun to make when another call left it that one.
 *
 * @param {Record<string, number>} connections by port
 * @param {number} bound
 * @returns {string[]}
 */
function beyondPool(connections, bound) {
  return Object.entries(connections)
    .filter(([, count]) => count > 2 * bound)
    .map(([port, count]) => `${count} idle connections to port ${port}, and never more than ${bound} calls at once`);
}

module.exports = { leftBehind, beyondPool };
