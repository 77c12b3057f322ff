'use strict';

/**
 * Scenario 1: a display asks the meters of a building for their readings, over `http.get`, and the gateway between
 * them resets connections. The shape of this file is described in examples/README.md.
 */

const { setTimeout: pause } = require('node:timers/promises');
const { startUnstableService } = require('./support/unstable-service');

// --- The code people have, and the code they write instead ---------------------------------------

const plain = {
  label: 'http.get, and a line in the log',
  client() {
    const http = require('node:http');

    return (url, show) => {
      http.get(url, (res) => {
        let text = '';
        res.on('data', (chunk) => { text += chunk; });
        res.on('end', () => show(JSON.parse(text)));
      }).on('error', (err) => {
        console.log(`request failed: ${err.message}`);
      });
    };
  },
};

const usual = {
  label: 'the error told apart, as it is usually shown',
  client() {
    const http = require('node:http');

    return (url, show) => {
      http.get(url, (res) => {
        let text = '';
        res.on('data', (chunk) => { text += chunk; });
        res.on('end', () => show(JSON.parse(text)));
      }).on('error', (err) => {
        if (err.code === 'ECONNRESET') console.log('connection reset by the server');
        else console.log(`request failed: ${err.message}`);
      });
    };
  },
};

const repaired = {
  label: 'the same, asking again',
  client() {
    const http = require('node:http');

    return function read(url, show) {
      http.get(url, (res) => {
        let text = '';
        res.on('data', (chunk) => { text += chunk; });
        res.on('end', () => show(JSON.parse(text)));
      }).on('error', (err) => {
        if (err.code === 'ECONNRESET') read(url, show); // at once, and for ever
        else console.log(`request failed: ${err.message}`);
      });
    };
  },
};

const ours = {
  label: 'the first one, on http as unreset wraps it',
  client({ note, failed }) {
    const { wrapHttp } = require('unreset');
    const http = wrapHttp(require('node:http')); // the line

    return (url, show) => {
      http.get(url, (res) => {
        note(url, res.recovery); // for this report; a program may log it, or leave it
        let text = '';
        res.on('data', (chunk) => { text += chunk; });
        res.on('end', () => show(JSON.parse(text)));
        res.on('error', (err) => failed(url, err)); // a body that breaks is told here, with any http
      }).on('error', (err) => {
        console.log(`request failed: ${err.message}`);
      });
    };
  },
};

// --- The meters ----------------------------------------------------------------------------------

const METERS = { attic: 21, boiler: 64, cellar: 14, door: 3, engine: 88, floor: 19, garage: 11, hall: 20 };

const SCRIPT = {
  'GET /boiler': ['RST'],
  'GET /cellar': ['FIN'],
  'GET /door': ['RST', 'RST'],
  'GET /engine': ['503'],
  'GET /floor': ['RST', 'FIN', 'RST'],
  'GET /garage': ['RST in the body'],
  'GET /hall': ['FIN in the body'],
};

/** How long the display waits for a reading (ms): longer than a `Retry-After` of a second takes. */
const PATIENCE = 3_000;

async function start() {
  const gateway = await startUnstableService({
    script: SCRIPT,
    answer({ url }) {
      const meter = url.slice(1);
      return { meter, reading: METERS[meter], unit: 'as it is written on the meter' };
    },
  });
  return { address: gateway.url, requests: gateway.requests, duplicates: () => 0, close: gateway.close };
}

const calls = Object.keys(METERS).map((meter) => ({ name: meter, meets: SCRIPT[`GET /${meter}`] ?? [] }));

// --- The display ---------------------------------------------------------------------------------

/** Asks for all readings, and shows what has come when its patience ends. */
async function run(variant, gateway, report) {
  const seen = {};
  const of = (url) => (seen[url.slice(url.lastIndexOf('/') + 1)] ??= {});
  const read = await variant.client({
    note: (url, recovery) => { of(url).recovery = recovery; },
    failed: (url, err) => Object.assign(of(url), { err, recovery: err.recovery }),
  });

  const patience = new AbortController();
  const shown = calls.map(async ({ name }, index) => {
    await pause(20 * index); // it keeps the printed lines in the order of the calls
    const url = `${gateway}/${name}`;
    await Promise.race([
      new Promise((resolve) => { read(url, (value) => resolve(Object.assign(of(url), { value }))); }),
      pause(PATIENCE, undefined, { signal: patience.signal }).catch(() => {}),
    ]);
  });
  await Promise.all(shown);
  patience.abort();

  for (const { name } of calls) {
    const { value, err, recovery } = seen[name] ?? {};
    const right = value?.reading === METERS[name];
    report({
      call: name,
      outcome: value === undefined ? 'failed' : right ? 'succeeded' : 'wrong',
      saw: value === undefined ? 'nothing' : `reading: ${value.reading}`,
      error: err && { message: String(err), code: err.code, delivery: err.recovery.attempts.at(-1).fault.delivery },
      recovery,
    });
  }
}

// --- What ours must have done --------------------------------------------------------------------

/** Claims about the run of `ours`, each decided by what happened. */
function promises({ outcomes, requests, printed }) {
  const of = (name) => outcomes.find((outcome) => outcome.call === name) ?? {};
  const isTorn = ({ meets }) => meets.some((fault) => fault.endsWith('in the body'));
  const torn = calls.filter(isTorn).map(({ name }) => of(name));
  const whole = calls.filter((call) => !isTorn(call)).map(({ name }) => of(name));
  return [
    {
      claim: 'every reading that met an RST, a FIN or a 503 before its body was shown rightly',
      kept: whole.every(({ outcome }) => outcome === 'succeeded'),
    },
    {
      claim: 'the listener of errors, which is as before, was told nothing of them',
      kept: !printed.some((line) => line.includes('hang up')),
    },
    {
      claim: 'a body that broke was told, as ECONNRESET with delivery "answered", and not read as a reading',
      kept: torn.every(({ outcome, error }) => (
        outcome === 'failed' && error?.code === 'ECONNRESET' && error.delivery === 'answered'
      )),
    },
    {
      claim: 'no meter was asked more often than its faults made necessary',
      kept: calls.every((call) => (
        requests.filter(({ line }) => line === `GET /${call.name}`).length === (isTorn(call) ? 1 : call.meets.length + 1)
      )),
    },
  ];
}

module.exports = {
  number: 1,
  title: 'http.get against an unstable server',
  story: 'A display reads eight meters through a gateway that resets connections.',
  calls,
  start,
  run,
  promises,
  plain,
  usual,
  repaired,
  ours,
};
