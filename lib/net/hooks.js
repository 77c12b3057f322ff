'use strict';

/** The methods of a `Socket` that `connection.js` calls: no names that a user could meet or override by accident. */
module.exports = {
  hooks: Object.freeze(Object.fromEntries(
    ['connected', 'up', 'data', 'sent', 'room', 'unsent', 'down', 'waiting', 'peerEnded', 'finished', 'over']
      .map((name) => [name, Symbol(name)]),
  )),
};
