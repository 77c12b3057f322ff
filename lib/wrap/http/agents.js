'use strict';

/**
 * Agents that stand in for the caller's own in one attempt. They are made for `ClientRequest`, which asks them
 * once.
 */

/** Whether a new connection can be had from an agent; those that are not of Node's kind are asked in the usual way. */
function givesFreshConnections(agent) {
  return typeof agent?.createSocket === 'function';
}

/**
 * The same agent, but that it gives a new connection, past those that it keeps idle: when one of them turns out to be
 * dead, the others are as old. All else is the agent's: how the connection is made, with which TLS and through which
 * proxy, and whose it is afterwards.
 *
 * `createSocket` is what Node's agents make a connection with, and what agents for proxies override.
 *
 * @template {import('node:http').Agent} T
 * @param {T} agent
 * @returns {T}
 */
function withFreshConnection(agent) {
  // Not an object that inherits: private members, of the agents of others, know only the agent itself.
  return new Proxy(agent, {
    get: (target, name) => (name === 'addRequest' ? addRequest : Reflect.get(target, name, target)),
  });

  function addRequest(request, options) {
    request.agent = agent;
    // The dead connection has left its place under `maxSockets`; those who wait for one come first.
    if (Object.keys(agent.requests ?? {}).length > 0) {
      agent.addRequest(request, options);
      return;
    }
    agent.createSocket(request, { ...options, ...agent.options }, (error, socket) => {
      request.onSocket(socket, error);
      const idle = agent.options?.timeout || 0;
      if (!error && request.timeout !== undefined && request.timeout !== idle) socket.setTimeout(request.timeout);
    });
  }
}

/** Has no connection to give: the request fails with this error, in the way in which Node lets requests fail. */
class Refusal {
  #error;

  /**
   * @param {Error} error
   * @param {string} [protocol] that the request is for
   */
  constructor(error, protocol) {
    this.#error = error;
    this.protocol = protocol;
  }

  addRequest(request) {
    request.onSocket(null, this.#error);
  }
}

module.exports = { Refusal, givesFreshConnections, withFreshConnection };
