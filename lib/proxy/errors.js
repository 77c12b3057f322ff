'use strict';

/** The errors of a fault proxy, made from what native code tells. */

const { getSystemErrorMap } = require('node:util');

/**
 * Why a proxy does not listen, as `net.Server` reports it.
 * @param {{ code: string, detail: string, syscall?: string, address?: string, port?: number }} problem without a system
 *   call it is a bug of ours
 */
function listenError({ code, detail, syscall, address, port }) {
  if (syscall === undefined) return Object.assign(new Error(detail), { code });
  const [errno, words = detail] = systemError(code);
  const place = syscall === 'listen' ? hostPort(address, port) : address;
  const error = new Error(`${syscall} ${code}: ${words} ${place}`);
  if (errno !== undefined) error.errno = errno;
  return Object.assign(error, { code, syscall, address, port });
}

/**
 * Why a fault is refused: the message names the option and says what is accepted.
 * @param {{ code: string, message: string, isRange: boolean }} problem
 */
function planError({ code, message, isRange }) {
  return Object.assign(isRange ? new RangeError(message) : new TypeError(message), { code });
}

/** A fault was given to a proxy that is closed. The code is that of a closed `net.Server`. */
function closedError() {
  return Object.assign(new Error('The FaultProxy is closed'), { code: 'ERR_SERVER_NOT_RUNNING' });
}

/** @returns {[errno: number, words: string] | []} what the system calls a code */
function systemError(code) {
  for (const [errno, [name, words]] of getSystemErrorMap()) {
    if (name === code) return [errno, words];
  }
  return [];
}

/** `127.0.0.1:80`, `[::1]:80`. */
function hostPort(host, port) {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

module.exports = { listenError, planError, closedError, hostPort };
