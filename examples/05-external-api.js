'use strict';

/**
 * Scenario 5: a program asks an external API for exchange rates, and orders transfers there, with axios.
 * The shape of this file is described in examples/README.md.
 */

const { ledger } = require('./support/ledger');
const { startUnstableService } = require('./support/unstable-service');

// --- The code people have, and the code they write instead ---------------------------------------

const plain = {
  label: 'axios',
  client() {
    const axios = require('axios');

    return (request) => axios(request);
  },
};

const usual = {
  label: 'axios and a loop around it, as it is usually written',
  client() {
    const axios = require('axios');

    return async (request) => {
      for (let retries = 3; ; retries -= 1) {
        try {
          return await axios(request);
        } catch (err) {
          if (err.code !== 'ECONNRESET' || retries === 0) throw err;
          console.log(`connection reset, ${retries} retries left`);
        }
      }
    };
  },
};

const ours = {
  label: 'one line more: wrapAxios',
  client() {
    const { wrapAxios } = require('unreset');
    const axios = wrapAxios(require('axios')); // the line

    return (request) => axios(request);
  },
};

// --- The external API ----------------------------------------------------------------------------

const RATES = { CHF: 0.94, CZK: 24.3, DKK: 7.46, GBP: 0.86, JPY: 171.2, NOK: 11.7, PLN: 4.27, SEK: 11.3 };

const SCRIPT = {
  'GET /rates/CZK': ['RST'],
  'GET /rates/DKK': ['FIN'],
  'GET /rates/GBP': ['503'],
  'GET /rates/JPY': ['RST', 'FIN', 'RST'],
  'GET /rates/NOK': ['RST in the body'],
  'GET /rates/PLN': ['FIN in the body'],
  'POST /transfers/CZK': ['RST after the work'],
  'POST /transfers/JPY': ['RST after the work'],
  'POST /transfers/SEK': ['503'],
};

async function start() {
  const transfers = ledger();
  const api = await startUnstableService({
    script: SCRIPT,
    answer(req) {
      const [, resource, currency] = req.url.split('/');
      if (resource === 'transfers') transfers.enter(currency, req.headers['idempotency-key']);
      return { currency, rate: RATES[currency], note: 'of this morning, by the central bank' };
    },
  });
  return { address: api.url, requests: api.requests, duplicates: transfers.duplicates, close: api.close };
}

// --- The program ---------------------------------------------------------------------------------

const READS = Object.keys(RATES).map((currency) => ({ method: 'GET', currency }));
const ORDERS = [
  { method: 'POST', currency: 'CHF' },
  { method: 'POST', currency: 'CZK' },
  { method: 'POST', currency: 'JPY', key: 'transfer-4711' },
  { method: 'POST', currency: 'SEK' },
];
const REQUESTS = [...READS, ...ORDERS];

const calls = REQUESTS.map((request) => ({
  name: nameOf(request),
  meets: SCRIPT[`${request.method} ${pathOf(request)}`] ?? [],
}));

/** Makes every call, one after the other. */
async function run(variant, api, report) {
  const call = await variant.client({});
  for (const request of REQUESTS) {
    report({ call: nameOf(request), ...(await outcomeOf(call, api, request)) });
  }
}

async function outcomeOf(call, api, { method, currency, key }) {
  const url = api + pathOf({ method, currency });
  try {
    const { data, recovery } = await call({ method, url, headers: key ? { 'Idempotency-Key': key } : {} });
    const outcome = data.rate === RATES[currency] ? 'succeeded' : 'wrong';
    return { outcome, saw: `rate: ${data.rate}`, recovery };
  } catch (err) {
    console.log(`${method} ${currency}: ${err.message} (err.code: ${err.code})`);
    const { delivery, kind } = err.recovery?.attempts.at(-1).fault ?? {};
    return {
      outcome: 'failed',
      saw: err.message,
      error: { message: err.message, code: err.code, status: err.status, kind, delivery },
      recovery: err.recovery,
    };
  }
}

function pathOf({ method, currency }) {
  return `/${method === 'GET' ? 'rates' : 'transfers'}/${currency}`;
}

function nameOf({ method, currency, key }) {
  return `${method} ${currency}${key ? ' (with a key)' : ''}`;
}

// --- What ours must have done --------------------------------------------------------------------

/** Claims about the run of `ours`, each decided by what happened. */
function promises({ outcomes, requests, duplicates }) {
  const of = (name) => outcomes.find((outcome) => outcome.call === name) ?? {};
  const sent = (line) => requests.filter((request) => request.line === line);
  const lost = of('POST CZK');
  const keyed = of('POST JPY (with a key)');
  const busy = of('POST SEK');
  const [asked, askedAgain] = sent('GET /rates/GBP');

  return [
    {
      claim: 'every read was answered rightly, whatever it had met: RST, FIN, 503, or the end of the connection in its body',
      kept: calls.slice(0, READS.length).every(({ name }) => of(name).outcome === 'succeeded'),
    },
    {
      claim: 'the server that asked for a second\'s patience got it',
      kept: askedAgain?.at - asked?.at >= 990,
    },
    {
      claim: 'a transfer whose answer was lost was not ordered again, and its caller was told delivery "unknown"',
      kept: lost.outcome === 'failed' && lost.error?.code === 'ECONNRESET' && lost.error.delivery === 'unknown'
        && sent('POST /transfers/CZK').length === 1,
    },
    {
      claim: 'the same transfer with an Idempotency-Key was ordered again, and answered rightly',
      kept: keyed.outcome === 'succeeded' && sent('POST /transfers/JPY').length === 2,
    },
    {
      claim: 'a transfer that met a 503 failed as with plain axios: ERR_BAD_RESPONSE, status 503',
      kept: busy.outcome === 'failed' && busy.error?.code === 'ERR_BAD_RESPONSE' && busy.error.status === 503,
    },
    { claim: 'nothing was done twice', kept: duplicates === 0 },
  ];
}

module.exports = {
  number: 5,
  title: 'an external API',
  story: 'A program asks an API on the internet for exchange rates, and orders transfers there; connections to it break.',
  calls,
  start,
  run,
  promises,
  plain,
  usual,
  ours,
};
