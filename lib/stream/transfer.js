'use strict';

/**
 * One GET, as a source of pieces. Native fetch does the work: it repeats the call, and goes on with the body where that
 * breaks (`docs/resume.md`). This asks it for pieces without a web stream in between, and says what its failures mean here.
 */

const { FaultError, toThrow } = require('../errors');
const { classify } = require('../fault');
const { clientOf, fetch } = require('../fetch');
const { Client } = require('../fetch/client');
const { parseClientOptions } = require('../fetch/options');
const { UnresetResponse } = require('../fetch/response');
const { TRANSFER } = require('../fetch/transfer');
const { isPolicy } = require('../policy/retry-policy');
const faults = require('./faults');

class Transfer {
  #client;
  #url;
  #init;
  #asked;
  /** @type {import('../fetch/incoming').Incoming | undefined} */
  #incoming;
  /** A body that came with its head. */
  #arrived;
  #isOver = false;

  /**
   * @param {string} url
   * @param {import('./options').CallOptions} options
   * @param {{ readAhead: number, decompress: boolean, start?: import('../fetch/transfer').Start,
   *   onResume(event: import('../..').ResumeEvent): void }} asked
   */
  constructor(url, { fetch: own, headers, signal, retry, timeout, resume }, { decompress, readAhead, start, onResume }) {
    this.#client = clientFor(own, retry);
    this.#url = url;
    this.#asked = { readAhead, start, onResume };
    this.#init = { headers, signal, timeout, resume, decompress, [TRANSFER]: this.#asked };
    if (!isPolicy(retry)) this.#init.retry = retry;
    /** @type {Response | undefined} */
    this.response = undefined;
    /** Whether the body goes on behind what is there: see `start`. */
    this.continues = false;
  }

  /** What it took so far. */
  get recovery() {
    return this.response?.recovery;
  }

  /**
   * Makes the call.
   *
   * @returns {Promise<Response>} whose body is read here
   */
  async open() {
    let response;
    try {
      response = await this.#client.fetch(this.#url, this.#init);
    } catch (failure) {
      const error = toThrow(failure, this.open);
      throw changed(error) ?? error;
    }
    const { body, continues } = UnresetResponse.take(response);
    this.response = response;
    this.continues = continues;
    if (typeof body?.read === 'function') this.#incoming = body;
    else this.#arrived = body;
    if (response.ok) return response;
    this.end();
    const error = response.status < 400 ? faults.noFile(response) : new FaultError(classify(response));
    throw Object.assign(error, { recovery: response.recovery });
  }

  /** @returns {Promise<{ bytes: Uint8Array | undefined, done: boolean }>} at least one byte, or the end */
  async read() {
    if (this.#incoming === undefined) return { bytes: bytesOf(this.#arrived), done: true };
    try {
      const piece = await this.#incoming.read();
      this.#isOver = piece.done;
      return piece;
    } catch (error) {
      this.#isOver = true;
      throw changed(error) ?? error;
    }
  }

  /** Nobody wants the rest. */
  end(reason = new DOMException('This operation was aborted', 'AbortError')) {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#asked.abort?.(reason);
  }
}

/** The clients of policies that calls share. @type {WeakMap<object, Client>} */
const ofPolicies = new WeakMap();

/** Whose connections are used: those of the fetch that is given, of all that are under the policy, or the shared ones. */
function clientFor(own, retry) {
  if (own !== undefined || !isPolicy(retry)) return clientOf(own ?? fetch);
  let client = ofPolicies.get(retry);
  if (client === undefined) {
    client = new Client(parseClientOptions({ retry }));
    ofPolicies.set(retry, client);
  }
  return client;
}

/** It could not go on because the file has changed: that is what there is to know, and not the break before. */
function changed(error) {
  const last = error?.recovery?.attempts?.at(-1)?.fault;
  if (last?.code !== 'ERR_RESUME_CHANGED') return undefined;
  return Object.assign(new FaultError(last, error), { recovery: error.recovery });
}

function bytesOf(arrived) {
  if (arrived === null || arrived.length === 0) return undefined;
  if (typeof arrived !== 'string') return arrived;
  // Not of Node's shared pool: a web stream gives its memory away.
  const bytes = Buffer.allocUnsafeSlow(arrived.length);
  bytes.latin1Write(arrived, 0);
  return bytes;
}

module.exports = { Transfer };
