'use strict';

/** What a test file has opened, so that one line closes it: `afterEach(closeAll)`. */

const { asyncDispose } = require('../async-dispose');
const { closeProxies } = require('../proxy/fault-proxy');

/** @type {Set<{ close(): Promise<void> }>} */
const open = new Set();

/**
 * Enters something that is open, and lets it be closed more than once and by `await using`.
 *
 * @template {object} T
 * @param {T} members
 * @param {() => Promise<void>} close
 * @returns {T & AsyncDisposable & { close(): Promise<void> }}
 */
function opened(members, close) {
  let closing;
  const entered = {
    ...members,
    close() {
      open.delete(entered);
      closing ??= close();
      return closing;
    },
    [asyncDispose]: () => entered.close(),
  };
  open.add(entered);
  return entered;
}

/** Closes every server, black hole and proxy that is open. */
async function closeAll() {
  await Promise.all([...Array.from(open, (entered) => entered.close()), closeProxies()]);
}

module.exports = { opened, closeAll };
