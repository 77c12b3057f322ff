'use strict';

/**
 * Agents that stand in for the caller's own in one attempt. They are made for `ClientRequest`, which asks them
 * once.
 */

/**
 * Takes a new connection from an agent, past those that it keeps idle: when one of them turns out to be dead, the
 * others are as old. All else is the agent's: how the connection is made, with which TLS and through which proxy,
 * and whose it is afterwards.
 *
 * `createSocket` is what Node's agents make a connection with, and what agents for proxies override.
 */
class FreshConnection {
  #agent;

  /** @param {import('node:http').Agent} agent */
  constructor(agent) {
    this.#agent = agent;
  }

  /** Whether it can be had from this agent; agents that are not of Node's kind are asked in the usual way. */
  static isPossible(agent) {
    return typeof agent?.createSocket === 'function';
  }

  // What decides about the headers of a request must be as in the first attempt. Getters, because some agents
  // (agent-base) look at the stack to see for whom they are asked.
  get protocol() {
    return this.#agent.protocol;
  }

  get defaultPort() {
    return this.#agent.defaultPort;
  }

  get options() {
    return this.#agent.options;
  }

  get keepAlive() {
    return this.#agent.keepAlive;
  }

  get maxSockets() {
    return this.#agent.maxSockets;
  }

  addRequest(request, options) {
    const agent = this.#agent;
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

module.exports = { FreshConnection, Refusal };
