'use strict';

/**
 * The course of one request: its attempts, one after the other, until one is answered or there is none left.
 *
 * An attempt is a `ClientRequest` of the wrapped module. What it emits goes to the listeners of the facade as it
 * comes, so a request whose first attempt is answered is, to them, that attempt; only what would end it before its
 * 'response' is held back and put to the policy first.
 */

const { ClientRequest } = require('node:http');

const { classify } = require('../../fault');
const { PolicyCall } = require('../../policy/call');
const { withRecovery } = require('../../policy/recovery');
const { Refusal, givesFreshConnections, withFreshConnection } = require('./agents');
const { adopt } = require('./attempt');
const { CallerEnd } = require('./caller-end');
const { breakerOpen, hangUp, isMisuse } = require('./errors');
const { Evidence, abortedBy } = require('./evidence');
const { Journal } = require('./journal');
const { HeldResponse, present } = require('./response');
const { announce, release } = require('./socket');
const { Upload } = require('./upload');

/**
 * - `sending`: an attempt runs
 * - `weighing`: its response is held back while the policy is asked whether it is the answer
 * - `waiting`: it has failed, and the next one, or the error, is still to come
 * - `answered`: the caller has the response, and the attempt is the request
 * - `over`: there is no answer
 * @typedef {'sending' | 'weighing' | 'waiting' | 'answered' | 'over'} Phase
 */

class Course {
  #order;
  #call;
  #callRequest;
  #callerEnd = new CallerEnd();
  /** Made by the first change. @type {Journal | undefined} */
  #journal;
  #evidence;
  /** @type {Phase} */
  #phase = 'sending';
  /** Nobody is asked for a retry: the request was refused. */
  #refused = false;
  /** The response that is held back, and what becomes of its connection meanwhile. */
  #held;
  #continued = false;
  #bodyBroke = false;

  /** That of the latest attempt. @type {import('node:http').ClientRequest | undefined} */
  request;
  closed = false;
  aborted = false;

  /**
   * @param {import('./request').ResilientRequest} facade
   * @param {import('./order').Order} order
   */
  constructor(facade, order) {
    this.facade = facade;
    this.#order = order;
    this.upload = new Upload(facade, order.policy.retry.options.retries !== 0);
    const { origin, method, url } = order;
    this.#callRequest = { surface: 'wrapHttp', origin, method, url, idempotencyKey: false };
    this.#call = new PolicyCall(order.policy, this.#callRequest, { signal: this.#callerEnd });
  }

  /** Makes the first attempt. @throws what the module throws for these options */
  start() {
    if (this.#callerEnd.aborted) {
      this.#refuse(this.#callerEnd.reason);
      return;
    }
    const refused = this.#call.begin();
    if (refused !== undefined) {
      this.#refuse(breakerOpen(refused));
      return;
    }
    try {
      this.#send(this.#order.options);
    } catch (error) {
      // Nothing was sent, so it says nothing about the server.
      this.#abandon(error);
      throw error;
    }
  }

  get recovery() {
    return this.#call.recovery;
  }

  /** Whether there is an attempt that takes what the caller writes. */
  get runs() {
    return this.#phase !== 'waiting' || this.#callerEnd.aborted;
  }

  get destroyed() {
    if (this.#callerEnd.aborted || this.#phase === 'over') return true;
    return this.#phase === 'answered' && this.request.destroyed;
  }

  // ---------------------------------------------------------------------------- what the caller does

  /** Calls a method that changes the request, for this attempt and for every further one. */
  change(method, args) {
    const returned = this.request[method](...args);
    if (this.#mayGoOn) (this.#journal ??= new Journal()).called(method, args, this.request);
    return returned;
  }

  assign(field, value) {
    this.request[field] = value;
    if (this.#mayGoOn) (this.#journal ??= new Journal()).assigned(field, value);
  }

  abort() {
    if (this.aborted) return;
    this.aborted = true;
    if (this.#phase === 'sending' || this.#phase === 'answered') {
      // Node's own tells the listeners, and what follows is as after Node's own.
      this.#endByCaller(undefined);
      this.request.abort();
      return;
    }
    process.nextTick(() => this.facade.emit('abort'));
    this.destroy();
  }

  destroy(error) {
    if (this.destroyed || this.#isOfTheSocket(error)) return;
    if (this.#phase === 'answered') {
      this.request.destroy(error);
      // Newer releases of Node do nothing where the response has arrived whole.
      if (this.request.destroyed) this.#endByCaller(error);
      return;
    }
    this.#endByCaller(error);
    if (this.#phase === 'weighing') this.#held.dispose(this.request);
    // Before the first attempt there is nothing to destroy, and between two it is done.
    else if (this.request !== undefined && this.#phase === 'sending') this.request.destroy(error);
  }

  /**
   * Whether somebody who listens to the socket as well (axios does) passes on what it has said: the attempt fails
   * with it anyway.
   */
  #isOfTheSocket(error) {
    return error !== undefined && error !== null && this.#mayGoOn && error === this.request?.socket?.errored;
  }

  #endByCaller(error) {
    this.#callerEnd.end(error ?? hangUp());
    this.upload.settle();
  }

  get #mayGoOn() {
    return this.#phase !== 'answered' && this.#phase !== 'over' && !this.#callerEnd.aborted;
  }

  // ---------------------------------------------------------------------------- what the attempt does

  /**
   * @param {import('node:http').ClientRequest} request of an attempt, which emits something
   * @param {string | symbol} event
   * @param {unknown[]} emitted the event and its arguments
   * @returns {boolean} whether somebody has heard it
   */
  hear(request, event, emitted) {
    // An attempt that has failed has nothing more to say.
    if (request !== this.request || this.#phase === 'waiting') return true;
    switch (event) {
      case 'socket':
        return this.#onSocket(emitted[1]);
      case 'response':
        return this.#onResponse(emitted[1]);
      case 'upgrade':
      case 'connect':
        this.#answer(emitted[1]);
        break;
      case 'error':
        return this.#onError(emitted[1]);
      case 'close':
        return this.#onClose();
      case 'continue':
        // Who waits for it writes the body then, which must not happen twice.
        if (this.#continued) return true;
        this.#continued = true;
        break;
      case 'drain':
        this.upload.onDrain();
        break;
      case 'prefinish':
      case 'finish':
        if (this.upload.finished) return true;
        this.upload.finished = event === 'finish';
        break;
      default:
    }
    return this.facade.emit(...emitted);
  }

  /** How many listen to an event of the attempt. */
  listenerCount(request, event) {
    return request === this.request ? this.facade.listenerCount(event) : 0;
  }

  /** Whether an error of this socket may be followed by another attempt. */
  keepsErrorsOf(socket) {
    return this.request.socket === socket && this.#mayGoOn;
  }

  #onSocket(socket) {
    this.#evidence?.onSocket(socket);
    return announce(socket, this);
  }

  #onResponse(response) {
    if (this.#phase !== 'sending' || !this.#order.policy.judges(response.statusCode)) return this.#hand(response);
    this.#phase = 'weighing';
    this.#held = new HeldResponse(response);
    this.#weigh(this.#held);
    return true;
  }

  #onError(error) {
    if (isMisuse(error)) return this.facade.emit('error', error);
    switch (this.#phase) {
      case 'sending':
        return this.#onFailure(error);
      case 'weighing':
        this.#held.error ??= error;
        return true;
      case 'answered':
        this.onBrokenBody(error);
        return this.facade.emit('error', error);
      default:
        return true;
    }
  }

  #onFailure(error) {
    if (this.#refused || this.#callerEnd.aborted) {
      if (this.#callerEnd.aborted) this.#abandon(error);
      this.#phase = 'over';
      this.upload.break(error);
      return this.facade.emit('error', withRecovery(error, this.recovery));
    }
    const { request } = this;
    const fault = this.#evidence.faultOf(error, request);
    const stale = this.#evidence.isStale(request);
    this.#phase = 'waiting';
    // Some agents say that they failed and leave the rest as it is.
    request.destroy();
    this.#recover(error, fault, stale);
    return true;
  }

  #onClose() {
    if (this.#phase === 'weighing') {
      this.#held.closed = true;
      return true;
    }
    if (this.#phase === 'sending') {
      // Without an error: the caller has ended it before it had a connection, or nobody wanted the upgrade.
      if (this.#callerEnd.aborted) this.#abandon(this.#callerEnd.reason);
      else this.#call.answered(this.request.res?.statusCode);
      this.#phase = 'over';
    }
    return this.#emitClose();
  }

  /** The response, which the caller has, ended with this error. */
  onBrokenBody(error) {
    if (!this.#bodyBroke && !this.#callerEnd.aborted) {
      this.#bodyBroke = true;
      this.#call.broke(classify(error, { phase: 'receive', delivery: 'answered' }));
    }
    withRecovery(error, this.recovery);
  }

  // ---------------------------------------------------------------------------- from attempt to attempt

  async #recover(error, fault, stale) {
    let again;
    try {
      again = await this.#asksAgain(fault, stale);
    } catch (thrown) {
      this.#giveUp(thrown);
      return;
    }
    if (again) this.#sendAgain();
    else this.#giveUp(this.#callerEnd.aborted ? this.#callerEnd.reason : error);
  }

  async #weigh(held) {
    let again;
    try {
      again = await this.#asksAgain(classify(held.response), false);
    } catch (thrown) {
      held.dispose(this.request);
      this.#giveUp(thrown);
      return;
    }
    if (!again) {
      this.#decideAgainstRetry(held);
      return;
    }
    held.dispose(this.request);
    this.#sendAgain();
  }

  #decideAgainstRetry(held) {
    if (this.#callerEnd.aborted) this.#giveUp(this.#callerEnd.reason);
    else if (held.isBroken) this.#giveUp(held.error ?? hangUp());
    else process.nextTick(() => this.#handLate(held));
  }

  /** Rejects with what a hook throws. */
  #asksAgain(fault, stale) {
    this.#callRequest.idempotencyKey = this.#order.hasIdempotencyKey(this.request);
    return this.#call.failed(fault, { bodyReplays: this.upload.replays, stale });
  }

  #sendAgain() {
    if (this.#callerEnd.aborted) {
      // When the wait was over, and before this was told.
      this.#abandon(this.#callerEnd.reason);
      this.#giveUp(this.#callerEnd.reason);
      return;
    }
    const options = this.#order.optionsAgain();
    const { agent } = this.request;
    if (this.#call.freshConnection && options.agent !== false && givesFreshConnections(agent)) {
      options.agent = withFreshConnection(agent);
    }
    try {
      this.#send(options);
      this.#journal?.replay(this.request);
      this.upload.replay(this.request);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #send(options) {
    const request = this.#order.module.request(options);
    this.#evidence = new Evidence();
    this.#phase = 'sending';
    this.request = adopt(request, this);
  }

  /**
   * A request that fails with this error, and for which nothing is done. Not of the module: a mock might answer it.
   */
  #refuse(error) {
    this.#refused = true;
    const { options } = this.#order;
    this.request = adopt(new ClientRequest({ ...options, agent: new Refusal(error, options.protocol) }), this);
  }

  // ---------------------------------------------------------------------------- the end

  #hand(response) {
    this.#answer(response);
    return this.#show(response);
  }

  /** As Node would have done some time ago. The policy, which has seen it, has counted it as the answer. */
  #handLate({ response, closed }) {
    this.#phase = 'answered';
    this.upload.forget();
    if (!this.#show(response)) response.resume();
    if (closed) this.#emitClose();
  }

  #show(response) {
    present(response, this);
    this.facade.res = response;
    return this.facade.emit('response', response);
  }

  #answer({ statusCode }) {
    this.#phase = 'answered';
    this.#call.answered(statusCode);
    this.upload.forget();
  }

  /**
   * Not in the promise that has led here, but in ticks of their own: what a listener throws, and an 'error'
   * without listeners, is to be an uncaught exception.
   */
  #giveUp(error) {
    this.#phase = 'waiting';
    // There may be one whose preparation has failed.
    this.request.destroy();
    withRecovery(error, this.recovery);
    process.nextTick(() => {
      this.#phase = 'over';
      this.upload.break(error);
      this.facade.emit('error', error);
    });
    process.nextTick(() => this.#emitClose());
  }

  #emitClose() {
    if (this.closed) return true;
    this.closed = true;
    release(this.request.socket, this);
    return this.facade.emit('close');
  }

  /**
   * It ends in a way that says nothing about the server. The call, told first that it is ended, waits for nothing.
   */
  #abandon(error) {
    this.#callerEnd.end(error);
    this.#call.failed(abortedBy(error));
  }
}

module.exports = { Course };
