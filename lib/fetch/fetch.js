'use strict';

/** `fetch` and `createFetch`: where a call is put together and started. */

const native = require('../native');
const engine = require('../engine/engine');
const { SHOULD_RETRY, ON_RETRY } = require('../engine/call-flags');
const { acceptsAnyone } = require('../engine/node-trust');
const { toThrow } = require('../errors');
const { invalidType } = require('../validate');
const { watch, reasonOf } = require('./abort');
const { isStream } = require('./brands');
const { Call, Hooks } = require('./call');
const { parseClientOptions, parseCallOptions } = require('./options');
const { CLEAN_RECOVERY } = require('./recovery');
const { plan, takeBody, addBody, headOf } = require('./request');
const { Upload } = require('./upload');

/** Schemes that need no network: the built-in fetch answers them. */
const LOCAL_URL = /^\s*(?:data|blob):/i;
/** In the head of a request. Of a header that names such a URL nothing worse comes than a look at the environment. */
const TLS_URL = /https:/i;

/**
 * Makes a fetch with its own connections, retry policy and defaults.
 *
 * @param {import('../..').CreateFetchOptions} [options]
 * @returns {typeof import('../..').fetch}
 */
function createFetch(options) {
  const client = new Client(parseClientOptions(options));
  return async function fetch(input, init) {
    try {
      return await client.fetch(input, init);
    } catch (failure) {
      throw toThrow(failure, fetch);
    }
  };
}

class Client {
  #options;
  /** Made by the first call. */
  #native;
  /** Whether that verifies certificates. */
  #nativeVerifies;
  #hasDefaults;

  constructor(options) {
    this.#options = options;
    this.#hasDefaults = options.headers.length > 0 || hasHooks(options.retry);
  }

  fetch(input, init) {
    return new Promise((resolve, reject) => {
      const simple = typeof input === 'string' && init === undefined && !this.#hasDefaults && !LOCAL_URL.test(input);
      const call = new Call('GET', simple ? input : '', resolve, reject);
      try {
        if (simple) this.#start(call, 0, `GET\n\n${input}`);
        else this.#startPlanned(call, input, init ?? {});
      } catch (error) {
        call.fail(error);
      }
    });
  }

  #startPlanned(call, input, init) {
    if (typeof init !== 'object' && typeof init !== 'function') throw invalidType('init', 'an object', init);
    const { retry, json } = parseCallOptions(init, this.#options);
    const planned = plan(input, init, this.#options.headers);
    if (LOCAL_URL.test(planned.url)) {
      call.resolve(fetchLocally(input, init));
      return;
    }
    call.method = planned.method;
    call.url = planned.url;
    call.integrity = planned.integrity;
    const { signal } = planned;
    if (signal?.aborted) {
      cancelBody(init.body ?? input?.body, reasonOf(signal));
      throw reasonOf(signal);
    }
    const body = takeBody(input, init, planned);
    if (hasHooks(retry)) {
      call.hooks = new Hooks(retry.shouldRetry, retry.onRetry);
      planned.flags |= (retry.shouldRetry ? SHOULD_RETRY : 0) | (retry.onRetry ? ON_RETRY : 0);
    }
    if (signal !== undefined) {
      watch(signal, call);
      call.signal = signal;
    }
    if (typeof body?.then === 'function') {
      body.then((extracted) => this.#startWithBody(call, planned, extracted, json)).catch((error) => call.fail(error));
    } else {
      this.#startWithBody(call, planned, body, json);
    }
  }

  #startWithBody(call, planned, body, json) {
    // The signal may have ended the call while its body was made ready.
    if (call.ended !== undefined) {
      cancelSource(body, call.ended.error);
      return;
    }
    if (body !== undefined) addBody(planned, body);
    if (body?.open !== undefined) call.upload = new Upload(call, body.open);
    this.#start(call, planned.flags, headOf(planned, body), body?.text, body?.bytes, json, body?.length);
  }

  #start(call, flags, head, text, bytes, options, length) {
    const nativeEngine = engine.nativeEngine();
    const verifies = this.#options.rejectUnauthorized ?? this.#verifies(head);
    if (this.#native === undefined || verifies !== this.#nativeVerifies) {
      this.#native = new native.NativeClient(nativeEngine, this.#options.json, verifies);
      this.#nativeVerifies = verifies;
    }
    engine.open(call);
    engine.startWaiting(call);
    this.#native.start(call.id, flags, head, text, bytes, options, length);
  }

  /**
   * Whether the environment leaves certificates to be verified. Node reads that with every connection, and here it is
   * read with every call over TLS: it takes 0.2 to 0.45 us, which other calls need not spend.
   */
  #verifies(head) {
    return this.#native === undefined || TLS_URL.test(head) ? !acceptsAnyone() : this.#nativeVerifies;
  }
}

/** The built-in fetch needs no network for these; what it took is told all the same. */
async function fetchLocally(input, init) {
  const response = await globalThis.fetch(input, init);
  return Object.defineProperty(response, 'recovery', { value: JSON.parse(CLEAN_RECOVERY), configurable: true });
}

/** A stream that will not be read learns of it, and can close its files. */
function cancelBody(body, reason) {
  if (isStream(body) && !body.locked) body.cancel(reason).catch(() => {});
}

function cancelSource(body, reason) {
  // One that a function makes has not been made yet.
  if (body?.open === undefined || body.reopens) return;
  cancelBody(body.open(), reason);
}

function hasHooks(retry) {
  return retry.shouldRetry !== undefined || retry.onRetry !== undefined;
}

/** Made by the first call, for the same reason as its native half. */
let shared;

/**
 * The fetch that survives resets: as the built-in one, with options of our own in `init` besides.
 *
 * @type {typeof import('../..').fetch}
 */
async function fetch(input, init) {
  try {
    shared ??= new Client(parseClientOptions());
    return await shared.fetch(input, init);
  } catch (failure) {
    throw toThrow(failure, fetch);
  }
}

module.exports = { fetch, createFetch };
