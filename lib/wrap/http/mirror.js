'use strict';

/**
 * What a facade has in common with the `ClientRequest` of its attempt.
 *
 * A `ClientRequest` has some sixty members, documented and not, and other ones with every release of Node.
 * Libraries read and set the undocumented ones as well. So the facade names only those that it has to do itself,
 * and for all others it stands for the request of the latest attempt.
 */

const { ClientRequest, OutgoingMessage } = require('node:http');
const { Stream } = require('node:stream');

/** What a `ClientRequest` keeps in fields of its own, besides those that every `OutgoingMessage` has. */
const CLIENT_FIELDS = [
  'agent', 'socketPath', 'timeout', 'method', 'maxHeaderSize', 'insecureHTTPParser', 'joinDuplicateHeaders', 'path',
  '_ended', 'timeoutCb', 'upgradeOrConnect', 'parser', 'maxHeadersCount', 'reusedSocket', 'host', 'protocol',
  'httpValidation',
];

/** These work on a facade as they are: they use what the facade has itself. */
const INHERITED = new Set(['constructor', 'pipe', 'clearTimeout']);

/**
 * Gives a prototype all members of `ClientRequest` that it does not have yet.
 *
 * @param {object} prototype
 * @param {(facade: object) => import('node:http').ClientRequest | undefined} requestOf
 * @param {(facade: object, field: string, value: unknown) => void} assign
 */
function mirror(prototype, requestOf, assign) {
  const define = (name, descriptor) => {
    if (!Object.hasOwn(prototype, name) && !INHERITED.has(name)) {
      Object.defineProperty(prototype, name, { configurable: true, ...descriptor });
    }
  };
  const accessors = [...accessorsOf(ClientRequest), ...accessorsOf(OutgoingMessage)];
  for (const name of [...ownFields(new OutgoingMessage()), ...CLIENT_FIELDS, ...accessors]) {
    define(name, {
      get() {
        return requestOf(this)?.[name];
      },
      set(value) {
        assign(this, name, value);
      },
    });
  }
  for (const name of [...methodsOf(ClientRequest), ...methodsOf(OutgoingMessage)]) {
    define(name, {
      writable: true,
      value(...args) {
        const request = requestOf(this);
        const returned = request[name](...args);
        return returned === request ? this : returned;
      },
    });
  }
}

/** Those of an emitter belong to the facade. */
function ownFields(message) {
  const emitters = new Set(Object.keys(new Stream()));
  return Object.keys(message).filter((name) => !emitters.has(name));
}

function accessorsOf({ prototype }) {
  return Object.getOwnPropertyNames(prototype).filter((name) => isAccessor(prototype, name));
}

function methodsOf({ prototype }) {
  return Object.getOwnPropertyNames(prototype).filter((name) => (
    !isAccessor(prototype, name) && typeof prototype[name] === 'function'
  ));
}

function isAccessor(prototype, name) {
  return Object.getOwnPropertyDescriptor(prototype, name).get !== undefined;
}

module.exports = { mirror };
