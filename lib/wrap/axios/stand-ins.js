'use strict';

/** What an adapter reads in place of a stream of the caller's: of the same kind, so that it is treated the same way. */

const { Readable } = require('node:stream');
const { promisify } = require('node:util');

/** What axios, and adapters like it, ask a form of the package form-data. */
const FORM_METHODS = Object.freeze(['append', 'getHeaders', 'hasKnownLength', 'getBoundary', 'getBuffer', 'toString']);

/** A form that has been read measures less than it was. @type {WeakMap<object, Promise<number>>} */
const lengths = new WeakMap();

/** @param {ReturnType<import('./kept-stream').KeptStream['reader']>} reader */
function nodeStandIn(reader) {
  return new NodeStandIn(reader);
}

/** Recognised by its methods: they are the form's own. */
function formStandIn(reader, form) {
  const standIn = new NodeStandIn(reader);
  for (const name of FORM_METHODS) {
    if (typeof form[name] === 'function') standIn[name] = form[name].bind(form);
  }
  if (typeof form.getLength === 'function') {
    standIn.getLength = (callback) => {
      lengthOf(form).then((length) => callback(null, length), callback);
    };
  }
  return standIn;
}

function lengthOf(form) {
  const measured = lengths.get(form) ?? promisify(form.getLength).call(form);
  lengths.set(form, measured);
  return measured;
}

function webStandIn(reader) {
  return new ReadableStream(
    {
      async pull(controller) {
        const chunk = await reader.read();
        if (chunk === null) controller.close();
        else controller.enqueue(chunk);
      },
      cancel: () => reader.leave(),
    },
    { highWaterMark: 0 },
  );
}

class NodeStandIn extends Readable {
  #reader;

  constructor(reader) {
    super();
    this.#reader = reader;
  }

  _read() {
    this.#reader.read().then((chunk) => this.push(chunk)).catch((error) => this.destroy(asAxiosSeesIt(error)));
  }

  _destroy(error, done) {
    this.#reader.leave();
    done(error);
  }
}

/** A stream that its owner destroys without an error closes, and axios takes that for a cancellation. */
function asAxiosSeesIt(error) {
  return error?.code === 'ERR_STREAM_PREMATURE_CLOSE' ? undefined : error;
}

module.exports = { nodeStandIn, formStandIn, webStandIn };
