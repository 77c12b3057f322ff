'use strict';

/**
 * What `onConnect` gets: one new connection, before anything that was queued may leave. What it sends goes straight through, and
 * messages that come are its to read; those that it does not read reach the listeners afterwards, in their order. With
 * the connection it ends.
 */

const { checkFunction, invalidType } = require('../validate');
const { bufferOf, isText, textOf } = require('./message');

class Session {
  #greet;
  /** Messages that nobody has read: `[flags, weight, value]`. */
  #unread = [];
  #waiting;
  #ended;
  #controller = new AbortController();

  /**
   * @param {{ generation: number, protocol: string, url: string }} connection
   * @param {{ send(data: string | Uint8Array): boolean, taken(weight: number): void }} native
   */
  constructor({ generation, protocol, url }, native) {
    this.generation = generation;
    this.protocol = protocol;
    this.url = url;
    this.#greet = native;
  }

  /** Aborted when the connection is lost, with the fault as its reason. */
  get signal() {
    return this.#controller.signal;
  }

  /** Sends at once, past everything that is queued. */
  send(data) {
    if (this.#ended !== undefined) throw this.#ended;
    if (!this.#greet.send(dataOf(data))) throw goneError();
  }

  /**
   * The next message, or the next one that is accepted; the others stay for whoever asks for them, or listens.
   *
   * @param {'message' | ((data: string | Buffer, isBinary: boolean) => boolean)} [accepts]
   * @returns {Promise<string | Buffer>}
   */
  async once(accepts = 'message') {
    const accept = accepts === 'message' ? () => true : checkFunction(accepts, 'accepts');
    if (this.#ended !== undefined) throw this.#ended;
    if (this.#waiting !== undefined) throw new Error('A session waits for one message at a time.');
    return new Promise((resolve, reject) => {
      this.#waiting = { accept, resolve, reject };
      // What came before it was asked for.
      const kept = this.#unread;
      this.#unread = [];
      for (const message of kept) this.onMessage(...message);
    });
  }

  onMessage(flags, weight, value) {
    const data = isText(flags) ? textOf(flags, value) : bufferOf(flags, value);
    if (!this.#accepts(data, !isText(flags))) {
      this.#unread.push([flags, weight, value]);
      return;
    }
    const { resolve } = this.#waiting;
    this.#waiting = undefined;
    this.#greet.taken(weight);
    resolve(data);
  }

  /** It is over. @returns {[number, number, unknown][]} what nobody has read */
  finish() {
    this.#end(Object.assign(new Error('The session is over: onConnect has returned.'), { code: 'ERR_SOCKET_SESSION_OVER' }));
    return this.#unread;
  }

  /** The connection is lost. */
  lose(error) {
    this.#end(error);
    this.#controller.abort(error);
    for (const [, weight] of this.#unread) this.#greet.taken(weight);
  }

  #accepts(data, isBinary) {
    if (this.#waiting === undefined) return false;
    const { accept, reject } = this.#waiting;
    try {
      return accept(data, isBinary);
    } catch (error) {
      this.#waiting = undefined;
      reject(error);
      return false;
    }
  }

  #end(error) {
    this.#ended ??= error;
    this.#waiting?.reject(this.#ended);
    this.#waiting = undefined;
  }
}

function goneError() {
  return Object.assign(new Error('The connection of this session is gone.'), { code: 'ERR_SOCKET_SESSION_OVER' });
}

function dataOf(data) {
  if (typeof data === 'string') return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (Object.prototype.toString.call(data) === '[object ArrayBuffer]') return new Uint8Array(data);
  throw invalidType('data', 'a string, an ArrayBuffer, a Buffer or another view', data);
}

module.exports = { Session };
