'use strict';

/**
 * What a response has for its caller besides what the client made: `recovery`, and methods that know of it.
 *
 * As properties of each response these would be the dearest part of a call: 0.3 to 0.5 us for one that is not enumerable, and
 * node-fetch needs ten. So they are on a prototype, which is put between the response and the client's own: that takes a tenth
 * of a microsecond for all of them. The response stays the same object, an instance of the same class, and shows what it
 * showed. To a mere object, as mocks answer it, another prototype would make a difference; it gets properties.
 */

/** Those of the standard, and of node-fetch. */
const READERS = Object.freeze(['arrayBuffer', 'blob', 'buffer', 'bytes', 'formData', 'json', 'text', 'textConverted']);
const METHODS = Object.freeze(['clone', ...READERS]);

/**
 * @param {object} response
 * @param {import('./answer').Answer} answer
 * @param {boolean} tellsReaders whether errors that its methods reject with are made by the methods
 */
function describe(response, answer, tellsReaders) {
  // A mock may answer the same object again.
  const isDescribed = Marked.has(response);
  Marked.mark(response, answer);
  if (isDescribed) return;
  const prototype = Object.getPrototypeOf(response);
  if (isPlain(prototype) || hasOwnMethods(response, tellsReaders)) defineAll(response, membersOf(response, tellsReaders));
  // `Reflect`: one that is frozen stays as it is.
  else Reflect.setPrototypeOf(response, faceOver(prototype, tellsReaders));
}

/** Gives what follows a private member to an object that another class has made: nobody sees it, nor has it to be looked up. */
function Given(object) {
  return object;
}

class Marked extends Given {
  #answer;

  static mark(object, answer) {
    const marked = #answer in object ? object : new Marked(object);
    marked.#answer = answer;
  }

  static has(object) {
    return #answer in object;
  }

  /** @returns {import('./answer').Answer | undefined} also for an object that inherits from a response */
  static answerOf(object) {
    for (let each = object; typeof each === 'object' && each !== null; each = Object.getPrototypeOf(each)) {
      if (#answer in each) return each.#answer;
    }
    return undefined;
  }
}

/** Of any realm. */
function isPlain(prototype) {
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** They would hide those of the prototype: a spy's, for example. */
function hasOwnMethods(response, tellsReaders) {
  if (!tellsReaders) return Object.hasOwn(response, 'clone');
  for (const name of METHODS) {
    if (Object.hasOwn(response, name)) return true;
  }
  return false;
}

/** By the client's prototype; two, since the errors of web streams need no method that tells them. */
const faces = new WeakMap();
const facesForReaders = new WeakMap();

function faceOver(prototype, tellsReaders) {
  const known = tellsReaders ? facesForReaders : faces;
  let face = known.get(prototype);
  if (face === undefined) {
    face = Object.create(prototype, membersOf(prototype, tellsReaders));
    known.set(prototype, face);
  }
  return face;
}

function defineAll(response, members) {
  for (const [name, member] of Object.entries(members)) Reflect.defineProperty(response, name, member);
}

/** Not enumerable: `toEqual` and the like see what the client made. @param {object} source that has the methods */
function membersOf(source, tellsReaders) {
  const members = { recovery: { get: getRecovery, set: setRecovery, configurable: true } };
  for (const name of tellsReaders ? METHODS : ['clone']) {
    if (typeof source[name] !== 'function') continue;
    const value = name === 'clone' ? cloneBy(source.clone) : readerBy(source[name], name);
    members[name] = { value, writable: true, configurable: true };
  }
  return members;
}

function getRecovery() {
  return Marked.answerOf(this)?.recovery;
}

function setRecovery(value) {
  Object.defineProperty(this, 'recovery', { value, writable: true, configurable: true });
}

function cloneBy(inner) {
  return function clone(...args) {
    const answer = Marked.answerOf(this);
    const make = () => inner.apply(this, args);
    return answer === undefined ? make() : answer.twin(this, make);
  };
}

function readerBy(inner, name) {
  const { [name]: reader } = {
    [name](...args) {
      const read = inner.apply(this, args);
      const answer = Marked.answerOf(this);
      // Whatever promises the client makes, they stay of that class.
      return answer === undefined ? read : read.then(undefined, (error) => answer.readingFailed(error));
    },
  };
  return reader;
}

module.exports = { describe };
