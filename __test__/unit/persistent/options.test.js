'use strict';

const { persistent } = require('../../..');

const SOURCE = { connect() {}, close() {} };

const thrownBy = (fn) => {
  try {
    fn();
  } catch (error) {
    return error;
  }
  throw new Error('It threw nothing.');
};

test.each([
  [{ nmae: 'a' }, 'options.nmae is not an option'],
  [{ name: 1 }, 'options.name must be a string'],
  [{ timeout: { conect: 1 } }, 'options.timeout.conect is not an option'],
  [{ timeout: { wait: -1 } }, 'options.timeout.wait must be'],
  [{ timeout: { ping: '1' } }, 'options.timeout.ping must be'],
  [{ pingAfter: true }, 'options.pingAfter must be'],
  [{ maxWaiting: -1 }, 'options.maxWaiting must be'],
  [{ retry: { retires: 1 } }, 'options.retry.retires is not an option'],
  [{ reconnect: { budget: false } }, 'options.reconnect.budget must be left out'],
  [{ reconnect: 'often' }, 'options.reconnect must be'],
])('%j is refused by name', (options, message) => {
  const error = thrownBy(() => persistent(SOURCE, options));
  expect(error.message).toContain(message);
  expect(error.code).toMatch(/^ERR_(INVALID_ARG|OUT_OF_RANGE)/);
});

test.each([
  [{ close() {} }, 'source.connect must be a function'],
  [{ connect() {} }, 'source.close must be a function'],
  [{ ...SOURCE, ping: 1 }, 'source.ping must be a function'],
  [{ ...SOURCE, isBroken: true }, 'source.isBroken must be a function'],
  [{ ...SOURCE, test() {} }, 'source.test is not an option'],
  [null, 'source must be'],
])('a source %p is refused by name', (source, message) => {
  expect(thrownBy(() => persistent(source)).message).toContain(message);
});

test('what is wrong with a call rejects it', async () => {
  const db = persistent(SOURCE);
  await expect(db.run('fn')).rejects.toThrow('fn must be a function');
  await expect(db.run(() => {}, { idempotent: 1 })).rejects.toThrow('options.idempotent must be');
  await expect(db.run(() => {}, { timeout: 0 })).rejects.toThrow('options.timeout must be');
  await expect(db.run(() => {}, { signal: {} })).rejects.toThrow('options.signal must be');
  await expect(db.get({ idempotent: true })).rejects.toThrow('options.idempotent is not an option');
  expect(() => db.on('error', () => {})).toThrow('event must be one of up, down, degraded, reconnecting');
  expect(() => db.on('up')).toThrow('listener must be a function');
});

test('a source may be an instance, whose methods know it', async () => {
  class Source {
    #made = [];

    get made() {
      return this.#made;
    }

    connect() {
      this.#made.push('connected');
      return {};
    }

    close() {
      this.#made.push('closed');
    }
  }
  const source = new Source();
  const db = persistent(source);
  await db.get();
  await db.close();
  expect(source.made).toEqual(['connected', 'closed']);
});
