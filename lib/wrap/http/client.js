'use strict';

/** What the requests of one wrapped module have in common. */
class Client {
  /**
   * The agent that the program has put in the place of the module's. @type {import('node:http').Agent | undefined}
   */
  ownGlobalAgent;

  /**
   * @param {typeof import('node:http')} module that makes the attempts
   * @param {import('../../policy/policy').Policy} policy
   * @param {Function} [onRequest]
   */
  constructor(module, policy, onRequest) {
    this.module = module;
    this.policy = policy;
    this.onRequest = onRequest;
    /** Of a request that names none. */
    this.protocol = module.globalAgent?.protocol;
  }

  get globalAgent() {
    return this.ownGlobalAgent ?? this.module.globalAgent;
  }
}

module.exports = { Client };
