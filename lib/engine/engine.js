'use strict';

/**
 * This environment's side of the native engine: which calls are open, whose turn it is when a batch of
 * completions arrives, and whether the process has to stay alive for them.
 *
 * The module is loaded once per main thread, worker or Jest realm, and so is the engine it makes: native code
 * keeps nothing of an environment in a place that another one could reach.
 */

const { AsyncResource } = require('node:async_hooks');
const native = require('../native');
const { beginTls } = require('./node-trust');
const {
  SLOTS,
  BATCH,
  KIND_MASK,
  HEAD,
  FAILED,
  CHUNK,
  BROKEN,
  PULL,
  DROPPED,
  SHOULD_RETRY,
  LOOKUP,
  CLOSED,
  ROOTS,
  BREAKER,
  RECEIVED,
  SENT,
  ROOM,
  SOCKET,
  MESSAGE,
  WRITTEN,
  PING,
  PONG,
  OVERSIZED,
  BUFFER,
  STRING,
  RECOVERY,
} = require('./completion');

/**
 * All that native code speaks to by number: calls, and a few things besides that answer to some of the same methods.
 *
 * @type {Map<number, import('../fetch/call').Call>}
 */
const calls = new Map();
const numbers = new Float64Array(SLOTS * BATCH);

/** What runs in a drain is nobody's: it must not run in the async context of whoever happened to call first. */
const root = new AsyncResource('UNRESET_ENGINE');
/** Made by the first call: `require` starts nothing. */
let engine;
let lastId = 0;
/** Calls that wait for something. While there is one, the process stays alive. */
let waiting = 0;

/** How long completions may follow one another, in ms, before timers and the like have a turn. */
const TURN = 5;
/** Node's own: a test may put others in their place later. */
const { setImmediate, performance } = globalThis;
/** Runs when the event loop goes on to other things. It keeps nothing alive. */
let nextTurn;
let turnBegan = 0;
let heldBack = false;

/** The native engine of this environment. */
function nativeEngine() {
  engine ??= root.runInAsyncScope(() => new native.Engine(drain, numbers));
  return engine;
}

/** Enters a call and gives it its number. */
function open(call) {
  do {
    lastId = (lastId + 1) >>> 0;
  } while (calls.has(lastId));
  call.id = lastId;
  calls.set(lastId, call);
}

/** The calls of one client that are open. */
function callsOf(client) {
  return Array.from(calls.values()).filter((call) => call.client === client);
}

/** Forgets a call that native code has finished with. */
function forget(call) {
  stopWaiting(call);
  calls.delete(call.id);
}

/** Ends a call at once, wherever native code is with it. */
function cancel(call) {
  if (calls.get(call.id) !== call) return;
  forget(call);
  engine.cancel(call.id);
}

function startWaiting(call) {
  if (call.waiting) return;
  call.waiting = true;
  if (waiting++ === 0) engine.hold(true);
}

function stopWaiting(call) {
  if (!call.waiting) return;
  call.waiting = false;
  if (--waiting === 0) engine.hold(false);
}

function drain(count, values) {
  giveTurns();
  let next = 0;
  for (let slot = 0; slot < count * SLOTS; slot += SLOTS) {
    const flags = numbers[slot];
    // A call that was cancelled is not known any more; its values are passed over all the same.
    const call = calls.get(numbers[slot + 1]);
    const first = next;
    next += valuesOf(flags);
    if (call === undefined) continue;
    try {
      dispatch(call, flags, slot, values, first);
    } catch (error) {
      // One call's trouble must not swallow the answers of the others in the batch.
      call.abort(error);
    }
  }
  if (count === BATCH) engine.resume();
}

/**
 * Node hands completions over as long as there are any, which under load is for seconds: see `hold_back` in
 * `src/node/dispatcher.rs`. The program's own work with them is done between two drains.
 */
function giveTurns() {
  if (nextTurn === undefined) {
    turnBegan = performance.now();
    nextTurn = setImmediate(takeTurn).unref();
  } else if (!heldBack && performance.now() - turnBegan > TURN) {
    heldBack = true;
    engine.holdBack();
  }
}

function takeTurn() {
  nextTurn = undefined;
  if (!heldBack) return;
  heldBack = false;
  engine.goOn();
}

function valuesOf(flags) {
  switch (flags & KIND_MASK) {
    case HEAD:
      return 1 + (flags & RECOVERY ? 1 : 0) + (flags & (STRING | BUFFER) ? 1 : 0);
    case CHUNK:
      return (flags & BUFFER ? 1 : 0) + (flags & RECOVERY ? 1 : 0);
    case PULL:
    case DROPPED:
    case CLOSED:
    case ROOTS:
    case BREAKER:
    case SENT:
    case ROOM:
    case WRITTEN:
      return 0;
    case OVERSIZED:
      return 2;
    default:
      return 1;
  }
}

function dispatch(call, flags, slot, values, first) {
  switch (flags & KIND_MASK) {
    case HEAD: {
      const recovery = flags & RECOVERY ? values[first + 1] : undefined;
      const body = flags & (STRING | BUFFER) ? values[first + (flags & RECOVERY ? 2 : 1)] : undefined;
      call.onHead(flags, numbers[slot + 2], values[first], recovery, body);
      return;
    }
    case FAILED:
      call.onFailed(JSON.parse(values[first]));
      return;
    case CHUNK: {
      const bytes = flags & BUFFER ? values[first] : undefined;
      const recovery = flags & RECOVERY ? values[first + (flags & BUFFER ? 1 : 0)] : undefined;
      call.onChunk(flags, bytes, recovery);
      return;
    }
    case BROKEN:
      call.onBroken(JSON.parse(values[first]));
      return;
    case PULL:
      call.upload?.onPull(numbers[slot + 2]);
      return;
    case DROPPED:
      call.upload?.onDropped(numbers[slot + 2]);
      return;
    case LOOKUP:
      call.onLookup(numbers[slot + 2], values[first]);
      return;
    case CLOSED:
      call.onClosed();
      return;
    case BREAKER:
      call.onBreaker();
      return;
    case ROOTS:
      engine.answerRoots(call.id, beginTls(numbers[slot + 2] === 1));
      return;
    case RECEIVED:
      call.onReceived(values[first]);
      return;
    case SENT:
      call.onSent(numbers[slot + 2]);
      return;
    case ROOM:
      call.onRoom();
      return;
    case SOCKET:
      call.onEvent(JSON.parse(values[first]));
      return;
    case MESSAGE:
      call.onMessage(flags, numbers[slot + 2], values[first]);
      return;
    case WRITTEN:
      call.onWritten(numbers[slot + 2]);
      return;
    case PING:
      call.onPing(numbers[slot + 2], values[first]);
      return;
    case PONG:
      call.onPong(numbers[slot + 2], values[first]);
      return;
    case OVERSIZED:
      call.onOversized(flags, JSON.parse(values[first]), values[first + 1]);
      return;
    default:
      call.onHook((flags & KIND_MASK) === SHOULD_RETRY, JSON.parse(values[first]));
  }
}

module.exports = { nativeEngine, open, callsOf, forget, cancel, startWaiting, stopWaiting };
