'use strict';

/** What one `createFetch` makes: its options, its connections, and where each call is put together and started. */

const native = require('../native');
const engine = require('../engine/engine');
const { UNVERIFIED } = require('../engine/call-flags');
const { acceptsAnyone } = require('../engine/node-trust');
const { isAnythingObserved } = require('../policy/events');
const { invalidType } = require('../validate');
const { watch, reasonOf } = require('../abort');
const { isStream } = require('./brands');
const { Call, Hooks } = require('./call');
const { Observer } = require('./observer');
const { parseCallOptions } = require('./options');
const { CLEAN_RECOVERY } = require('./recovery');
const { plan, takeBody, addBody, headOf } = require('./request');
const { TRANSFER } = require('./transfer');
const { Upload } = require('./upload');

/** Schemes that need no network: the built-in fetch answers them. */
const LOCAL_URL = /^\s*(?:data|blob):/i;
/** In the head of a request. Of a header that names such a URL nothing worse comes than a look at the environment. */
const TLS_URL = /https:/i;

class Client {
  #options;
  /** Made by the first call. */
  #native;
  #hasDefaults;
  /** What the environment said of certificates when it was last looked at. */
  #acceptsAnyone;
  /** Makes what calls are refused with, once the client has been closed. */
  #refusal;

  /** @param {ReturnType<typeof import('./options').parseClientOptions>} options */
  constructor(options) {
    this.#options = options;
    /** The caller's own `lookup`, if there is one. Loaded where it is used: it needs the net module of Node. */
    this.lookups = options.lookup === undefined ? undefined : new (require('./lookup').Lookups)(options.lookup);
    this.#hasDefaults = options.headers.length > 0 || hasHooks(options.policy.retry) || options.onRequest !== undefined;
  }

  /** One call. What it is rejected with may still have to become an error: see `toThrow` in `lib/errors.js`. */
  fetch(input, init) {
    return new Promise((resolve, reject) => {
      const observed = isAnythingObserved(this.#options.policy.hub);
      const usual = !observed && !this.#hasDefaults;
      const simple = typeof input === 'string' && init === undefined && usual && !LOCAL_URL.test(input);
      const call = new Call(this, 'GET', simple ? input : '', resolve, reject);
      try {
        if (simple) this.#start(call, 0, `GET\n\n${input}`);
        else this.#startPlanned(call, input, init ?? {}, observed);
      } catch (error) {
        call.fail(error);
      }
    });
  }

  /**
   * No call begins any more.
   *
   * @param {() => import('../errors').CallFailure} refusal
   * @returns the native half, to be closed; `undefined` where there is none or it was given before
   */
  shut(refusal) {
    const shut = this.#native;
    this.#native = undefined;
    this.#refusal = refusal;
    return shut;
  }

  #startPlanned(call, input, init, observed) {
    if (this.#refusal !== undefined) throw this.#refusal();
    if (typeof init !== 'object' && typeof init !== 'function') throw invalidType('init', 'an object', init);
    const { retry, json } = parseCallOptions(init, this.#options);
    if (retry.options.breaker) watchBreakers(this.#options.policy);
    const planned = plan(input, init, this.#options);
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
    if (observed) call.observer = new Observer(this.#options.policy.hub, planned);
    const transfer = init[TRANSFER];
    if (transfer !== undefined) transfer.abort = (reason) => call.abort(reason);
    if (observed || hasHooks(retry) || transfer !== undefined) {
      call.hooks = new Hooks(retry, call.observer, transfer?.onResume);
      planned.flags |= call.hooks.flags;
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
    this.#native ??= this.#connect();
    engine.open(call);
    engine.startWaiting(call);
    this.#native.start(call.id, this.#verifies(head) ? flags : flags | UNVERIFIED, head, text, bytes, options, length);
  }

  /**
   * Whether certificates are to be verified. Node asks the environment with every connection. Here it is asked with every
   * call over TLS, because it takes 0.2 to 0.45 us; for a redirect that first leads to TLS the last answer has to do.
   */
  #verifies(head) {
    const { rejectUnauthorized } = this.#options;
    if (rejectUnauthorized !== undefined) return rejectUnauthorized;
    if (this.#acceptsAnyone === undefined || TLS_URL.test(head)) this.#acceptsAnyone = acceptsAnyone();
    return !this.#acceptsAnyone;
  }

  #connect() {
    if (this.#refusal !== undefined) throw this.#refusal();
    const { policy } = this.#options;
    if (policy.hasBreaker) watchBreakers(policy);
    // As `dns.lookup`, which the built-in fetch asks. Not in Node 20.0.
    const order = require('node:dns').getDefaultResultOrder?.() ?? 'verbatim';
    return new native.NativeClient(engine.nativeEngine(), this.#options.json, order, this.lookups?.number, policy.native);
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

/** Loaded where it is used: few ask for breakers. */
function watchBreakers(policy) {
  require('../engine/breakers').watchBreakers(policy);
}

function hasHooks(retry) {
  return retry.shouldRetry !== undefined || retry.onRetry !== undefined;
}

module.exports = { Client };
