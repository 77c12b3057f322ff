'use strict';

/**
 * What can be imported only, which Jest does not offer, on top of and below a wrapped `http`: in a process of its
 * own.
 */

const http = require('node:http');
const { once } = require('node:events');

const { classify, wrapHttp } = require('../../../..');

const [NODE] = process.versions.node.split('.').map(Number);
const wrapped = wrapHttp(http, { retry: { backoff: { base: 1, cap: 1 } } });

const PROGRAMS = {
  async got(url, method, body) {
    const { default: got } = await import(NODE >= 22 ? 'got' : 'got-14');
    try {
      const response = await got(url, { method, body, request: wrapped.request, retry: { limit: 0 } });
      return { status: response.statusCode, body: response.body };
    } catch (error) {
      const { kind, delivery } = classify(error);
      return { failed: error.name, code: error.code, kind, delivery };
    }
  },

  async nock() {
    // nock 15 takes it for granted; Node 20 has none.
    Promise.withResolvers ??= function withResolvers() {
      const made = {};
      made.promise = new Promise((resolve, reject) => {
        Object.assign(made, { resolve, reject });
      });
      return made;
    };
    const { default: nock } = await import('nock');
    const scope = nock('http://inventory.test')
      .get('/stock').replyWithError(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' }))
      .get('/stock').reply(503, 'busy')
      .get('/stock').reply(200, 'ok');
    const [response] = await once(wrapped.get('http://inventory.test/stock'), 'response');
    const body = (await response.setEncoding('utf8').toArray()).join('');
    const faults = response.recovery.attempts.map(({ fault }) => fault?.code);
    return { status: response.statusCode, body, faults, isDone: scope.isDone() };
  },
};

const [program, ...args] = process.argv.slice(2);
PROGRAMS[program](...args).then((result) => console.log(JSON.stringify(result)));
