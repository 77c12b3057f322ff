'use strict';

/** A name with several addresses: Node tries them in turn and reports all failures in one AggregateError. */

const net = require('node:net');
const { once } = require('node:events');

const { classify } = require('../../../lib/fault');
const { refusedPort } = require('../../../testing');

test('all addresses refuse', async () => {
  const port = await refusedPort();
  const lookup = (_, __, callback) => callback(null, [
    { address: '127.0.0.1', family: 4 },
    { address: '127.0.0.2', family: 4 },
  ]);
  const socket = net.connect({ host: 'two.invalid', port, lookup, autoSelectFamily: true });
  const [error] = await once(socket, 'error');
  expect(error.name).toBe('AggregateError');
  expect(classify(error)).toMatchObject({
    code: 'ECONNREFUSED', kind: 'refused', phase: 'connect', delivery: 'not-sent', address: '127.0.0.1', port,
  });
});
