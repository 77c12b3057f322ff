'use strict';

/**
 * What an adapter reads in place of a stream of the caller's: of the same kind, so that it is treated the same way. Those of
 * Node are made as axios understands them, any other as for every client.
 */

const { promisify } = require('node:util');
const { NODE: ANY_NODE, isNodeStream, isSuperseded, kindOf, nodeStreamOf } = require('../streams');

/** What axios, and adapters like it, ask a form of the package form-data. */
const FORM_METHODS = Object.freeze(['append', 'getHeaders', 'hasKnownLength', 'getBoundary', 'getBuffer', 'toString']);

/** A form that has been read measures less than it was. @type {WeakMap<object, Promise<number>>} */
const lengths = new WeakMap();

/** @type {import('../streams').Kind} */
const NODE = { reader: ANY_NODE.reader, make: (reading, facts) => Object.assign(nodeStreamOf(reading, facts, isClose), facts) };
/** Recognised by its methods: they are the form's own. @type {import('../streams').Kind} */
const FORM = { ...NODE, facts: methodsOf };

/** @returns {import('../streams').Kind | undefined} `undefined`: no stream, can be sent again as it is */
function standInKindOf(data) {
  if (isNodeStream(data)) return typeof data.getHeaders === 'function' ? FORM : NODE;
  return kindOf(data);
}

function methodsOf(form) {
  const methods = {};
  for (const name of FORM_METHODS) {
    if (typeof form[name] === 'function') methods[name] = form[name].bind(form);
  }
  if (typeof form.getLength === 'function') {
    methods.getLength = (callback) => {
      lengthOf(form).then((length) => callback(null, length), callback);
    };
  }
  return methods;
}

function lengthOf(form) {
  const measured = lengths.get(form) ?? promisify(form.getLength).call(form);
  lengths.set(form, measured);
  return measured;
}

/** A stream that its owner destroys without an error closes, and axios takes that for a cancellation. */
function isClose(error) {
  return isSuperseded(error) || error?.code === 'ERR_STREAM_PREMATURE_CLOSE';
}

module.exports = { standInKindOf };
