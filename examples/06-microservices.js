'use strict';

/**
 * Scenario 6: an "orders" service asks an unstable "inventory" service, once or more for every order.
 * The shape of this file is described in examples/README.md.
 */

const http = require('node:http');
const { once } = require('node:events');
const { setTimeout: pause } = require('node:timers/promises');
const { ledger } = require('./support/ledger');
const { startUnstableService } = require('./support/unstable-service');

// --- The code people have, and the code they write instead ---------------------------------------

const plain = {
  label: 'the built-in fetch',
  client() {
    return (url, init) => fetch(url, init).then((res) => res.json());
  },
};

const usual = {
  label: 'node-fetch and a recursive retry, as it is usually written',
  async client() {
    const { default: fetch } = await import('node-fetch');

    return function getJson(url, init, retries = 3) {
      return fetch(url, init)
        .then((res) => res.json())
        .catch((err) => {
          if (err.code !== 'ECONNRESET' || retries === 0) throw err;
          console.log(`connection reset, ${retries} retries left`);
          getJson(url, init, retries - 1); // nobody waits for this: the caller gets undefined
        });
    };
  },
};

const repaired = {
  label: 'the same with its promise returned',
  async client() {
    const { default: fetch } = await import('node-fetch');

    return function getJson(url, init, retries = 3) {
      return fetch(url, init)
        .then((res) => res.json())
        .catch((err) => {
          if (err.code !== 'ECONNRESET' || retries === 0) throw err;
          console.log(`connection reset, ${retries} retries left`);
          return getJson(url, init, retries - 1);
        });
    };
  },
};

const wrapped = {
  label: 'one line more: node-fetch, wrapped',
  async client({ note }) {
    const { default: nodeFetch } = await import('node-fetch');
    const { wrapFetch } = require('unreset');
    const fetch = wrapFetch(nodeFetch); // the line

    return async (url, init) => {
      const res = await fetch(url, init);
      note(res.recovery);
      return res.json(); // a body that breaks is named; to go on with it is what the fetch of unreset does
    };
  },
};

const ours = {
  label: 'in place of it: the fetch of unreset',
  client({ note }) {
    const { fetch } = require('unreset'); // the line

    return async (url, init) => {
      const res = await fetch(url, init);
      note(res.recovery); // for this report; a program may log it, or leave it
      return res.json();
    };
  },
};

// --- The inventory service -----------------------------------------------------------------------

const STOCK = { anvil: 3, bolt: 120, crank: 8, dowel: 40, elbow: 15, flange: 6, gear: 22, hinge: 9 };

const SCRIPT = {
  'GET /stock/bolt': ['RST'],
  'GET /stock/crank': ['FIN'],
  'GET /stock/dowel': ['RST', 'RST'],
  'GET /stock/elbow': ['503'],
  'GET /stock/flange': ['RST', 'FIN', 'RST'],
  'GET /stock/gear': ['RST in the body'],
  'POST /reservations/bolt': ['RST after the work'],
  'POST /reservations/gear': ['RST after the work'],
};

async function start() {
  const reservations = ledger();
  const inventory = await startUnstableService({
    script: SCRIPT,
    answer(req) {
      const [, resource, sku] = req.url.split('/');
      if (resource === 'reservations') reservations.enter(sku, req.headers['idempotency-key']);
      return { sku, stock: STOCK[sku], note: 'counted this morning, by hand' };
    },
  });
  return { address: inventory.url, requests: inventory.requests, duplicates: reservations.duplicates, close: inventory.close };
}

// --- The orders service, and its customer --------------------------------------------------------

const READS = Object.keys(STOCK).map((sku) => ({ method: 'GET', sku }));
const ORDERS = [
  { method: 'POST', sku: 'anvil' },
  { method: 'POST', sku: 'bolt' },
  { method: 'POST', sku: 'gear', key: 'order-4711' },
];
const REQUESTS = [...READS, ...ORDERS];

const calls = REQUESTS.map((request) => ({
  name: nameOf(request),
  meets: SCRIPT[`${request.method} ${pathOf(request)}`] ?? [],
}));

/** Plays the customer: places every order with the orders service, one after the other. */
async function run(variant, inventory, report) {
  const last = {};
  const getJson = await variant.client({ note: (recovery) => { last.recovery = recovery; } });
  const server = http.createServer((req, res) => serveOrder(req, res, { getJson, inventory, last }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  for (const request of REQUESTS) {
    last.recovery = last.error = undefined;
    const { status, body } = await order(server.address().port, request);
    const right = body.stock === STOCK[request.sku];
    report({
      call: nameOf(request),
      outcome: status !== 200 ? 'failed' : right ? 'succeeded' : 'wrong',
      saw: status === 200 ? `stock: ${body.stock}` : body.error,
      error: last.error,
      recovery: last.recovery,
    });
    await pause(20); // customers take a moment; it also keeps the printed lines in the order of the calls
  }
  server.close();
}

async function serveOrder(req, res, { getJson, inventory, last }) {
  const [, , sku] = req.url.split('/');
  const url = inventory + pathOf({ method: req.method, sku });
  const key = req.headers['idempotency-key'];
  const headers = key ? { 'Idempotency-Key': key } : {};
  try {
    const { stock } = await getJson(url, { method: req.method, headers });
    res.end(JSON.stringify({ stock }));
  } catch (err) {
    console.log(`${req.method} ${sku}: ${err} (err.code: ${err.code})`);
    last.recovery = err.recovery ?? last.recovery;
    const { code = err.code, kind, delivery } = last.recovery?.attempts.at(-1).fault ?? {};
    last.error = { message: String(err), code, kind, delivery };
    res.statusCode = 502;
    res.end(JSON.stringify({ error: String(err) }));
  }
}

async function order(port, { method, sku, key }) {
  const req = http.request({ port, host: '127.0.0.1', method, path: `/orders/${sku}`, agent: false });
  if (key) req.setHeader('Idempotency-Key', key);
  const [res] = await once(req.end(), 'response');
  return { status: res.statusCode, body: JSON.parse((await res.setEncoding('utf8').toArray()).join('')) };
}

function pathOf({ method, sku }) {
  return `/${method === 'GET' ? 'stock' : 'reservations'}/${sku}`;
}

function nameOf({ method, sku, key }) {
  return `${method} ${sku}${key ? ' (with a key)' : ''}`;
}

// --- What ours must have done --------------------------------------------------------------------

/** Claims about the run of `ours`, each decided by what happened. */
function promises({ outcomes, requests, duplicates }) {
  const of = (name) => outcomes.find((outcome) => outcome.call === name) ?? {};
  const sent = (line) => requests.filter((request) => request.line === line).length;
  const reads = calls.slice(0, READS.length);
  const torn = reads.filter(({ meets }) => meets.includes('RST in the body'));
  const whole = reads.filter((read) => !torn.includes(read));
  const lost = of('POST bolt');
  const keyed = of('POST gear (with a key)');

  return [
    {
      claim: 'every read that met an RST, a FIN or a 503 before its body was answered rightly',
      kept: whole.every(({ name }) => of(name).outcome === 'succeeded'),
    },
    {
      claim: 'a read torn inside its body was answered rightly, or failed as ECONNRESET, delivery "answered"',
      kept: torn.map(({ name }) => of(name)).every(({ outcome, error }) => outcome === 'succeeded'
        || (outcome === 'failed' && error?.code === 'ECONNRESET' && error.delivery === 'answered')),
    },
    {
      claim: 'a POST whose answer was lost was not repeated, and its caller was told delivery "unknown"',
      kept: lost.outcome === 'failed' && lost.error?.delivery === 'unknown'
        && sent('POST /reservations/bolt') === 1,
    },
    {
      claim: 'the same POST with an Idempotency-Key was repeated, and answered rightly',
      kept: keyed.outcome === 'succeeded' && sent('POST /reservations/gear') === 2,
    },
    { claim: 'nothing was done twice', kept: duplicates === 0 },
  ];
}

module.exports = {
  number: 6,
  title: 'two microservices',
  story: 'An "orders" service asks an "inventory" service for every order, and inventory resets connections.',
  calls,
  start,
  run,
  promises,
  plain,
  usual,
  repaired,
  wrapped,
  ours,
};
