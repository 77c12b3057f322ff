'use strict';

/**
 * What an attempt proves when it fails: whether the server can have seen any of the request. That decides whether
 * it may be sent again, so nothing here is concluded from hope; `unknown` is the answer where there is no proof.
 */

const { ClientRequest } = require('node:http');

const { classify } = require('../../fault');

class Evidence {
  #socket;
  /** Of the socket when it was given to the request. */
  #written;
  #read;

  /** @param {import('node:net').Socket} socket that the request has been given, and has not written to yet */
  onSocket(socket) {
    this.#socket = socket;
    this.#written = socket.bytesWritten;
    this.#read = socket.bytesRead;
  }

  /**
   * @param {unknown} error that the request ended with
   * @param {import('node:http').ClientRequest} request
   * @returns {import('../../..').Fault}
   */
  faultOf(error, request) {
    if (this.#endedHere(error)) return abortedBy(error);
    const proof = this.#proofOfNothingSent(request);
    return proof === undefined ? classify(error) : classify(error, { ...proof, delivery: 'not-sent' });
  }

  /** Whether the connection had served an earlier request, and has not brought a byte of this answer. */
  isStale(request) {
    return request.reusedSocket === true && this.#socket !== undefined && this.#socket.bytesRead === this.#read;
  }

  #proofOfNothingSent(request) {
    // Other modules than Node's may do as they like before they say so.
    if (!(request instanceof ClientRequest)) return undefined;
    // A request writes to no socket before it has told that it has one.
    if (this.#socket === undefined) return {};
    // Node's own mark of a handshake that goes on: what is written before its end waits for it.
    if (this.#socket.secureConnecting === true) return { phase: 'handshake' };
    if (!request.headersSent) return {};
    // Counted when it is handed over, which is before the system has sent it. Some streams in place of sockets do
    // not count.
    const nothingWritten = typeof this.#written === 'number' && this.#socket.bytesWritten === this.#written;
    return nothingWritten ? {} : undefined;
  }

  /**
   * "socket hang up" is also what Node makes of a connection that this program has destroyed: an agent that is
   * shut down, a listener of 'timeout' that destroys the socket. Only the peer ends a stream.
   */
  #endedHere(error) {
    const socket = this.#socket;
    const hungUp = error?.code === 'ECONNRESET' && error.syscall === undefined;
    if (!hungUp || socket === undefined) return false;
    return socket.destroyed && socket.readableEnded === false && socket.errored === null;
  }
}

/** The fault of a call that the caller ended with this. */
function abortedBy(error) {
  return classify(error, { signal: AbortSignal.abort(error) });
}

module.exports = { Evidence, abortedBy };
