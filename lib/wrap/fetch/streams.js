'use strict';

/**
 * The kinds of stream that a request body can be: how the caller's is read, and how one is made for an attempt. Each attempt
 * gets the kind that the caller gave, because clients tell them apart: node-fetch takes a web stream for text, and sends
 * `form-data` with the length that it states.
 */

const { PassThrough, Readable } = require('node:stream');
const { isAsyncIterable, isStream } = require('../../fetch/brands');
const { openReader } = require('../../fetch/upload');
const { SupersededError } = require('./tape');

/**
 * @typedef {import('./tape').Reader} Reader
 *
 * @typedef {object} Kind
 * @property {(source: object) => () => Reader | Promise<Reader>} reader
 * @property {(source: object) => object} [facts] what clients ask such a stream for
 * @property {(reading: Reader, facts?: object) => object} make
 */

/**
 * @param {unknown} body
 * @returns {Kind | undefined} `undefined` for what can be sent again as it is
 */
function kindOf(body) {
  if (isNodeStream(body)) return typeof body.getBoundary === 'function' ? FORM : NODE;
  if (isStream(body)) return WEB;
  return isAsyncIterable(body) ? ITERABLE : undefined;
}

/** @type {Kind} */
const NODE = { reader: nodeReader, make: nodeStreamOf };
/** The npm package form-data. @type {Kind} */
const FORM = { ...NODE, facts: factsOf, make: (reading, facts) => Object.assign(nodeStreamOf(reading), facts) };
/** @type {Kind} */
const WEB = { reader: (stream) => () => openReader(() => stream), make: webStreamOf };
/** @type {Kind} */
const ITERABLE = { reader: WEB.reader, make: (reading) => ({ [Symbol.asyncIterator]: () => iteratorOf(reading) }) };

function isNodeStream(body) {
  return typeof body?.pipe === 'function' && typeof body.on === 'function';
}

function nodeReader(source) {
  // It may fail before anybody reads it, as a file that is not there does: found out by who reads, and not a crash.
  source.on('error', () => {});
  return () => {
    const stream = isAsyncIterable(source) ? source : throughPipe(source);
    const iterator = stream[Symbol.asyncIterator]();
    return {
      read: () => iterator.next(),
      // Not `iterator.return()`, which waits for the piece that is on its way.
      cancel(reason) {
        stream.destroy(asError(reason));
        // What is piped from is not ended with what it is piped into.
        if (stream !== source) source.destroy?.();
      },
    };
  };
}

/** Taken while it is whole: what is left of its length is not its length. */
function factsOf(form) {
  const boundary = form.getBoundary();
  const isKnown = form.hasKnownLength?.() ?? false;
  const length = isKnown ? form.getLengthSync() : undefined;
  return { getBoundary: () => boundary, hasKnownLength: () => isKnown, getLengthSync: () => length };
}

/** Streams of the oldest kind, as form-data is one, can only be piped. */
function throughPipe(source) {
  const stream = new PassThrough();
  source.on('error', (error) => stream.destroy(error));
  return source.pipe(stream);
}

/** What is no error would be a wrong argument of `destroy`. */
function asError(reason) {
  return reason instanceof Error ? reason : undefined;
}

/** In object mode, so that pieces stay what they are; one piece at a time, so that no more is read than is sent. */
function nodeStreamOf(reading) {
  return new Readable({
    objectMode: true,
    highWaterMark: 1,
    read() {
      reading.read().then(
        ({ done, value }) => this.push(done ? null : value),
        // Nobody may listen to what was given up, and an 'error' that nobody listens to ends the process.
        (error) => this.destroy(error instanceof SupersededError ? undefined : error),
      );
    },
    destroy(error, callback) {
      reading.cancel(error ?? undefined);
      callback(error);
    },
  });
}

function webStreamOf(reading) {
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await reading.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reading.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function iteratorOf(reading) {
  return {
    next: () => reading.read(),
    async return(value) {
      await reading.cancel();
      return { done: true, value };
    },
  };
}

module.exports = { kindOf, isNodeStream, NODE, FORM, WEB };
