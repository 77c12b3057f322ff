'use strict';

/** A host with several addresses, each of which can be given its own faults: one port of as many loopback addresses. */

const { FaultProxy } = require('../../testing');

/** How often another port is tried, when one is free at the first address and taken at another. */
const TRIES = 10;

/**
 * @param {object} host
 * @param {number} host.upstream port on 127.0.0.1 of the server behind all addresses
 * @param {string[]} host.addresses in the order in which the resolver gives them
 * @param {number} [host.port] default: any that is free at all of them
 * @returns {Promise<{ url: string, lookup: Function, asked: string[], at: Record<string, FaultProxy> }>} `lookup` as
 *   dns.lookup; `asked`: the names it was asked for; `at`: the network before each address
 */
async function startHost({ upstream, addresses, port = 0 }) {
  const at = await listenAtAll({ upstream, addresses, port }, TRIES);
  const { port: found } = Object.values(at)[0];
  return { url: `http://several.test:${found}/`, at, ...resolving(addresses) };
}

/** A lookup of that many addresses, and the names that it was asked for. */
function resolving(addresses) {
  const asked = [];
  const entries = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  const lookup = (hostname, options, callback) => {
    asked.push(hostname);
    process.nextTick(callback, null, entries);
  };
  return { lookup, asked };
}

async function listenAtAll({ upstream, addresses, port }, tries) {
  const at = {};
  try {
    for (const address of addresses) {
      const first = Object.values(at)[0];
      at[address] = await FaultProxy.listen({ upstream, host: address, port: first?.port ?? port });
    }
    return at;
  } catch (error) {
    await Promise.all(Object.values(at).map((proxy) => proxy.close()));
    if (error.code !== 'EADDRINUSE' || port !== 0 || tries === 1) throw error;
    return listenAtAll({ upstream, addresses, port }, tries - 1);
  }
}

module.exports = { startHost, resolving };
