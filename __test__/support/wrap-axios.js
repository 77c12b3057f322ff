'use strict';

/** What the tests of `wrapAxios` share. */

const axios = require('axios');
const { wrapAxios } = require('../..');
const { caught, codesOf } = require('./fetch-outcomes');

/** Waits too short to notice. */
const QUICK = Object.freeze({ backoff: Object.freeze({ base: 1, cap: 2 }) });

/** axios's own in Node. */
const ADAPTERS = Object.freeze(['http', 'fetch']);

/**
 * @param {object} [retry]
 * @param {object} [config] of the instance
 * @param {object} [options] of the wrapper, beside `retry`
 */
function wrapped(retry = {}, config = {}, options = {}) {
  return wrapAxios(axios.create(config), { retry: { ...QUICK, ...retry }, ...options });
}

/** An adapter without a network: the nth attempt gets what the nth answer returns or throws. */
function scripted(...answers) {
  const seen = [];
  const adapter = async (config) => {
    const answer = answers[Math.min(seen.length, answers.length - 1)];
    seen.push({ ...config, headers: { ...config.headers } });
    return { status: 200, statusText: '', headers: {}, data: '', config, request: {}, ...(await answer(config)) };
  };
  return Object.assign(adapter, { seen });
}

module.exports = { ADAPTERS, QUICK, caught, codesOf, scripted, wrapped };
