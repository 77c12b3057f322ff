'use strict';

/** `unreset/testing`: real faults for tests, and matchers that say what became of them. `docs/testing.md`. */

const { FaultProxy } = require('../proxy');
const { ok, reply, echo, rst, fin, silence, raw, partial, inTurn } = require('./answers');
const { openBlackHole } = require('./black-hole');
const { finServer, resetServer, silentServer } = require('./failing-servers');
const { matchers } = require('./matchers');
const { closeAll } = require('./open');
const { startOrigin } = require('./origin');
const { refusedPort } = require('./refused-port');

module.exports = {
  FaultProxy,
  closeAll,
  echo,
  fin,
  finServer,
  inTurn,
  matchers,
  ok,
  openBlackHole,
  partial,
  raw,
  refusedPort,
  reply,
  resetServer,
  rst,
  silence,
  silentServer,
  startOrigin,
};
