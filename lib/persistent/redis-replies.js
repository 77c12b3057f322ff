'use strict';

/** What Redis answers with, whichever client reads it, and what is said where no answer came. */

const { FaultError } = require('../errors');
const { faultOfCode } = require('../fault/of-code');
const { answer } = require('./shapes');

/** Of a command whose answer was lost. */
function endedError() {
  return new FaultError(faultOfCode('ECONNRESET', {
    reason: 'The connection was lost while the command waited for its answer. It may have been done, and is not sent again.',
  }));
}

/** The server is a replica, or has become one: another connection may lead to its master. */
function isReadOnly(error) {
  return typeof error?.message === 'string' && error.message.startsWith('READONLY ');
}

const NOT_NOW = { transient: true, reconnect: false, delivery: 'answered' };
/** By the word that the server's answer begins with. It did not execute what it answers so. */
const REPLIES = Object.freeze({
  READONLY: { ...NOT_NOW, reconnect: true, reason: 'The server refuses to write: it is a replica, or has become one.' },
  LOADING: { ...NOT_NOW, reason: 'The server is starting, and loads its data.' },
  MASTERDOWN: { ...NOT_NOW, reason: 'The replica has lost its master.' },
  BUSY: { ...NOT_NOW, reason: 'The server is busy with a script.' },
  TRYAGAIN: { ...NOT_NOW, reason: 'The keys are being moved to another server.' },
  CLUSTERDOWN: { ...NOT_NOW, reason: 'The cluster is down.' },
});
const REFUSED = Object.freeze({
  kind: 'client', delivery: 'answered', transient: false, reconnect: false,
  reason: 'The server refused it; detail has its words.',
});

/** @param {string} message of an answer that is an error */
function replyShape(message) {
  const word = /^[A-Z]+/.exec(message)?.[0] ?? 'ERR';
  return answer(`REDIS_${word}`, REPLIES[word] ?? REFUSED);
}

module.exports = { endedError, isReadOnly, replyShape };
