'use strict';

/**
 * Reads what was thrown into plain data. It collects and never judges: every judgement is made in Rust
 * (`src/fault/evidence.rs` is the other side of the form).
 *
 * What is read here may be anything: an error of another realm, a frozen one, a chain that leads back to itself,
 * a Proxy whose traps throw. So every property is read under guard, nothing is written, and there is a bound on
 * everything.
 */

const { quotedWithoutCredentials } = require('../credentials');

/** As in `src/fault/evidence.rs`. */
const MAX_LINKS = 32;
/** Of one AggregateError: as many addresses as a host usually has. */
const MAX_ERRORS = 8;
/** UTF-16 units of one string. */
const MAX_TEXT = 1024;

/**
 * @param {unknown} thrown
 * @param {AbortSignal} [signal] whose reason is to be recognised
 * @returns {object[]} links, `thrown` first, each after the one that names it as its cause
 */
function collectEvidence(thrown, signal) {
  const isReason = reasonOf(signal);
  const seen = new Set([thrown]);
  const queue = [{ value: thrown, parent: undefined }];
  const links = [];
  while (queue.length > 0 && links.length < MAX_LINKS) {
    const { value, parent } = queue.shift();
    const at = links.push({ parent, signalReason: isReason(value), ...observe(value) }) - 1;
    for (const cause of causesOf(value)) {
      if (seen.has(cause)) continue;
      seen.add(cause);
      queue.push({ value: cause, parent: at });
    }
  }
  return links;
}

/** By identity: the reason may be any value, even null. */
function reasonOf(signal) {
  if (signal === undefined || read(signal, 'aborted') !== true) return () => false;
  const reason = read(signal, 'reason');
  return (value) => Object.is(value, reason);
}

/** What a value names as its causes: values that can tell something, so no `undefined`, numbers and the like. */
function causesOf(value) {
  if (!isObject(value)) return [];
  const several = read(value, 'errors');
  const errors = isArray(several) ? Array.from({ length: MAX_ERRORS }, (_, at) => read(several, at)) : [];
  // `error`: an ErrorEvent. `originalError`: what retry packages wrap.
  // `errorResponse`: MongoDB's bulk writes. `socketError`: node-redis. `fault`: our own events.
  const causes = [
    read(value, 'cause'), ...errors, ...errorsOfServers(value),
    ...['error', 'originalError', 'errorResponse', 'socketError', 'fault'].map((key) => read(value, key)),
  ];
  return causes.filter((cause) => isObject(cause) || typeof cause === 'string');
}

/** MongoDB's driver and mongoose keep, below their cause or reason, what each server of a topology failed with. */
function errorsOfServers(value) {
  const name = text(read(value, 'name')) ?? '';
  if (!name.endsWith('ServerSelectionError')) return [];
  const described = [read(value, 'cause'), read(value, 'reason')].find((topology) => isMap(read(Object(topology), 'servers')));
  if (described === undefined) return [];
  return Array.from(Map.prototype.values.call(read(described, 'servers'))).slice(0, MAX_ERRORS).map((server) => read(Object(server), 'error'));
}

function observe(value) {
  if (typeof value === 'string') return { text: true, message: message(value) };
  if (!isObject(value)) return {};
  const field = (key) => read(value, key);
  return {
    name: text(field('name')),
    message: message(field('message')),
    code: text(field('code')),
    errno: integer(field('errno')),
    // node-fetch copies the system call under a name of its own.
    syscall: text(field('syscall')) ?? text(field('erroredSysCall')),
    address: text(field('address')),
    port: port(field('port')),
    hostname: text(field('hostname')) ?? text(field('host')),
    ...shapesOf(value, field),
    ...statusOf(value, field),
    ...faultOf(field),
  };
}

/** What single clients add. */
function shapesOf(value, field) {
  return {
    type: text(field('type')),
    event: text(field('event')),
    timings: timingsOf(field('timings')),
    isAxiosError: field('isAxiosError') === true,
    requestAnswered: isObject(responseOf(field('request'))),
    timeout: number(field('timeout')),
    tlsConnect: ['path', 'host', 'port', 'localAddress'].every((key) => has(value, key)),
    socket: socketOf(field('socket')),
    closeCode: closeCode(field),
    ofWebSocket: isWebSocket(field('target')),
    ...databaseOf(field),
    ...serviceOf(field),
  };
}

/** What the drivers of databases add. */
function databaseOf(field) {
  const made = field('constructor');
  return {
    class: typeof made === 'function' ? text(read(made, 'name')) : undefined,
    number: integer(field('code')),
    severity: text(field('severity')),
    sqlState: text(field('sqlState')),
    labels: labelsOf(field('errorLabels')),
  };
}

function labelsOf(labels) {
  if (!isArray(labels)) return undefined;
  return Array.from({ length: MAX_ERRORS }, (_, at) => text(read(labels, at))).filter((label) => label !== undefined);
}

/** What clients of remote procedures add. */
function serviceOf(field) {
  const [metadata, retryable] = [field('$metadata'), field('$retryable')];
  return {
    isGrpc: Number.isInteger(field('code')) && typeof field('details') === 'string' && isObject(field('metadata')),
    aws: isObject(metadata)
      ? {
        status: statusCode(read(metadata, 'httpStatusCode')),
        retryable: isObject(retryable),
        throttling: isObject(retryable) && read(retryable, 'throttling') === true,
      }
      : undefined,
  };
}

/** Of a close event, and of what `ws` gives its 'close' listeners when somebody has put it together: `{ code, reason }`. */
function closeCode(field) {
  const code = field('code');
  const isClose = field('wasClean') !== undefined || (field('reason') !== undefined && field('message') === undefined);
  return isClose && Number.isInteger(code) && code >= 1000 && code <= 4999 ? code : undefined;
}

/** Of any client: the built-in one, undici's, ws's, ours. */
function isWebSocket(target) {
  if (!isObject(target)) return false;
  return /^wss?:/.test(text(read(target, 'url')) ?? '') && Number.isInteger(read(target, 'readyState'));
}

/** A `ClientRequest` keeps its response; follow-redirects keeps the `ClientRequest` of the last hop. */
function responseOf(request) {
  if (!isObject(request)) return undefined;
  const lastHop = read(request, '_currentRequest');
  return read(isObject(lastHop) ? lastHop : request, 'res');
}

/** Steps that got noted with the time at which they were reached. */
function timingsOf(timings) {
  if (!isObject(timings)) return undefined;
  const reached = (step) => number(read(timings, step)) !== undefined;
  return {
    lookup: reached('lookup'),
    connect: reached('connect'),
    upload: reached('upload'),
    response: reached('response'),
  };
}

/** undici's summary of a socket; a real socket has the same properties. */
function socketOf(socket) {
  if (!isObject(socket)) return undefined;
  return {
    localAddress: text(read(socket, 'localAddress')),
    remoteAddress: text(read(socket, 'remoteAddress')),
    remotePort: port(read(socket, 'remotePort')),
    bytesWritten: number(read(socket, 'bytesWritten')),
    bytesRead: number(read(socket, 'bytesRead')),
  };
}

function statusOf(value, field) {
  const response = field('response');
  return {
    isResponse: isResponse(value, field),
    ...responseHead(value),
    response: isObject(response)
      ? { ...responseHead(response), hasData: read(response, 'data') !== undefined }
      : undefined,
  };
}

/** Responses of every client have a status and headers, and are no errors. */
function isResponse(value, field) {
  return status(value) !== undefined && isObject(field('headers')) && field('message') === undefined;
}

function responseHead(response) {
  return { status: status(response), retryAfterHeader: retryAfter(read(response, 'headers')) };
}

function status(response) {
  return statusCode(read(response, 'status') ?? read(response, 'statusCode'));
}

function statusCode(value) {
  return Number.isInteger(value) && value >= 100 && value <= 999 ? value : undefined;
}

/** From `Headers` and their like, and from plain objects with lower-case names. */
function retryAfter(headers) {
  if (!isObject(headers)) return undefined;
  const plain = read(headers, 'retry-after');
  const value = plain === undefined ? call(headers, 'get', 'retry-after') : plain;
  return typeof value === 'number' ? String(value) : text(value);
}

/** The fields of a fault, for one that is classified already. */
function faultOf(field) {
  return {
    kind: text(field('kind')),
    phase: text(field('phase')),
    delivery: text(field('delivery')),
    transient: flag(field('transient')),
    reconnect: flag(field('reconnect')),
    reason: text(field('reason')) ?? bytesAsText(field('reason')),
    ending: text(field('ending')),
    retryAfter: number(field('retryAfter')),
    detail: text(field('detail')),
  };
}

function isObject(value) {
  return typeof value === 'object' && value !== null;
}

/** By its size, which only a Map has. */
function isMap(value) {
  try {
    return Number.isInteger(Object.getOwnPropertyDescriptor(Map.prototype, 'size').get.call(value));
  } catch {
    return false;
  }
}

/** `Array.isArray` throws for a revoked Proxy. */
function isArray(value) {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

function read(object, key) {
  try {
    return object[key];
  } catch {
    return undefined;
  }
}

function has(object, key) {
  try {
    return Object.hasOwn(object, key);
  } catch {
    return false;
  }
}

function call(object, method, argument) {
  try {
    return object[method](argument);
  } catch {
    return undefined;
  }
}

/** Well formed, since JSON with half a surrogate pair cannot be read in Rust. */
function text(value) {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT).toWellFormed() : undefined;
}

/** The reason that `ws` gives to 'close' listeners. */
function bytesAsText(value) {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]'
    ? text(Buffer.from(value.buffer, value.byteOffset, Math.min(value.byteLength, MAX_TEXT)).toString())
    : undefined;
}

/** It becomes the `detail` of a fault, and clients quote the URL that they were asked for. */
function message(value) {
  const quoted = text(value);
  return quoted === undefined ? undefined : quotedWithoutCredentials(quoted);
}

function number(value) {
  return Number.isFinite(value) ? value : undefined;
}

/** 32 bits, signed. */
function integer(value) {
  return Number.isInteger(value) && (value | 0) === value ? value : undefined;
}

/** A number, or the digits that URL gives. */
function port(value) {
  const parsed = typeof value === 'string' && value !== '' ? Number(value) : value;
  return Number.isInteger(parsed) && parsed >= 0 && parsed <= 65_535 ? parsed : undefined;
}

function flag(value) {
  return typeof value === 'boolean' ? value : undefined;
}

module.exports = { collectEvidence };
