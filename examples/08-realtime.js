'use strict';

/**
 * Scenario 8: a program follows a price, and places orders, over one WebSocket that is to last all day. The shape of this file
 * is described in examples/README.md.
 */

const http = require('node:http');
const net = require('node:net');
const { once } = require('node:events');
const { setTimeout: pause } = require('node:timers/promises');
const { WebSocketServer } = require('ws');

// --- The code people have, and the code they write instead ---------------------------------------

const plain = {
  label: 'ws, its close logged',
  client({ url, heard }) {
    const WebSocket = require('ws');

    const ws = new WebSocket(url);
    ws.on('open', () => ws.send('subscribe'));
    ws.on('message', (text) => heard(String(text)));
    ws.on('error', (err) => console.log(`error: ${err.code}`));
    ws.on('close', (code) => console.log(`closed: ${code}`));
    return { send: (text) => ws.send(text), close: () => ws.terminate() };
  },
};

const usual = {
  label: 'the same, connected again when the code is 1006',
  client({ url, heard }) {
    const WebSocket = require('ws');

    let ws;
    function connect() {
      ws = new WebSocket(url);
      ws.on('message', (text) => heard(String(text)));
      ws.on('error', (err) => console.log(`error: ${err.code}`));
      ws.on('close', (code) => {
        console.log(`closed: ${code}`);
        if (code === 1006) connect();
      });
    }
    connect();
    ws.on('open', () => ws.send('subscribe'));
    return { send: (text) => ws.send(text), close: () => ws.terminate() };
  },
};

const ours = {
  label: 'another import, what every connection begins with, and listeners that want to know',
  client({ url, heard, lost, waits }) {
    const { WebSocket } = require('unreset'); // the import

    const ws = new WebSocket(url, {
      onConnect: (session) => session.send('subscribe'), // on each connection, before anything else
      heartbeat: { interval: 200, timeout: 1500 }, // so brisk for this demo only
    });
    ws.on('message', (text) => heard(String(text)));
    ws.on('error', (err) => console.log(`error: ${err.code}`));
    ws.on('close', (code) => console.log(`closed: ${code}`));
    ws.on('disconnect', ({ code, fault }) => {
      console.log(`${code}: ${fault.reason}`);
      lost(fault); // for this report
    });
    ws.on('reconnecting', waits);
    return { send: (text) => ws.send(text), close: () => ws.close(1000) };
  },
};

// --- The exchange --------------------------------------------------------------------------------

/** What meets each order: before it is answered, or after it. */
const SCRIPT = {
  'order 2': { after: 'RST' },
  'order 4': { after: 'FIN without a Close frame' },
  'order 6': { before: 'RST' },
  'order 8': { before: 'restart' },
  'order 9': { before: 'silence' },
};
const STRIKES = {
  RST: (socket) => socket.resetAndDestroy(),
  'FIN without a Close frame': (socket) => socket.end(),
  /** It neither reads nor says anything any more: a machine that was switched off, a network that forgot the connection. */
  silence: (socket) => socket.pause(),
};
const ORDERS = Array.from({ length: 10 }, (_, index) => `order ${index + 1}`);

/** How long the exchange is away when it restarts, and how long it leaves a connection before it strikes, ms. */
const RESTART = 200;
const BEAT = 20;
/** How long a line is waited for, ms. Ours says when something is lost; the longer patience is for a busy machine. */
const PATIENCE = 800;
const LONG_PATIENCE = 10_000;

async function start() {
  const requests = [];
  const sockets = new Set();
  const server = http.createServer();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  const exchange = new WebSocketServer({ server });
  exchange.on('connection', (ws, { socket }) => {
    let subscribed = false;
    ws.send('welcome');
    ws.on('error', () => {});
    ws.on('message', (data) => {
      const text = String(data);
      if (text === 'subscribe') subscribed = true;
      else serve({ ws, socket, subscribed }, text);
    });
  });

  function serve({ ws, socket, subscribed }, order) {
    const isFirst = !requests.some(({ line }) => line === order);
    const { before, after } = (isFirst && SCRIPT[order]) || {};
    const strike = STRIKES[before];
    requests.push({ line: order, at: performance.now(), did: strike ? before : 'answered', subscribed });
    if (strike) {
      strike(socket);
      return;
    }
    // Every order moves the price, and those who have subscribed are told.
    ws.send(`filled ${order}`);
    if (subscribed) ws.send(`price after ${order}`);
    if (after) setTimeout(STRIKES[after], BEAT, socket);
  }

  async function restart() {
    const { port } = server.address();
    server.close();
    for (const ws of exchange.clients) ws.close(1001, 'back soon');
    await Promise.all(Array.from(exchange.clients, (ws) => once(ws, 'close')));
    for (const socket of sockets) socket.destroy();
    await pause(RESTART);
    await listen(port);
  }

  async function listen(port) {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  }

  await listen(0);
  const control = net.createServer((socket) => socket.on('error', () => {}).once('data', restart)).listen(0, '127.0.0.1');
  await once(control, 'listening');
  return {
    address: { url: `ws://127.0.0.1:${server.address().port}`, control: control.address().port },
    requests,
    /** Orders that the exchange was given more than once. */
    duplicates: () => requests.length - new Set(requests.map(({ line }) => line)).size,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      control.close();
      await once(control, 'close');
    },
  };
}

// --- The program ---------------------------------------------------------------------------------

const calls = ORDERS.map((order) => ({
  name: order,
  meets: Object.entries(SCRIPT[order] ?? {}).map(([when, what]) => (when === 'before' ? what : `${what} afterwards`)),
}));

/** Places one order after the other; each is to be filled, and the new price to be heard. */
async function run(variant, { url, control }, report) {
  const said = new Set();
  /** Set while an order waits for its answer. */
  let tell = () => {};
  /** Set while a strike is waited for. */
  let struck = () => {};
  let waits = [];
  const client = variant.client({
    url,
    heard(text) {
      said.add(text);
      tell();
    },
    lost(fault) {
      struck();
      tell(fault);
    },
    waits: (next) => waits.push(next),
  });
  // A handle of the program's own: a client that is gone must not end it.
  const alive = setInterval(() => {}, 1000);
  const patience = variant === ours ? LONG_PATIENCE : PATIENCE;

  await until('welcome', LONG_PATIENCE);
  for (const order of ORDERS) {
    if (SCRIPT[order]?.before === 'restart') await strikes(() => restart(control));
    const lost = await answered(order);
    if (SCRIPT[order]?.after) await strikes();
    report({ call: order, ...outcomeOf(order), error: lost && errorOf(lost), recovery: recoveryOf(waits, lost) });
    waits = [];
  }
  clearInterval(alive);
  client.close();

  /** Resolves when a connection was lost, or might have been: not everyone notices. */
  async function strikes(cause = () => {}) {
    const noticed = new Promise((resolve) => {
      struck = resolve;
    });
    cause();
    await Promise.race([noticed, pause(variant === ours ? LONG_PATIENCE : 5 * BEAT, undefined, { ref: false })]);
  }

  async function answered(order) {
    const answer = until(`price after ${order}`, patience);
    try {
      client.send(order);
    } catch (err) {
      console.log(`${order}: ${err.message}`);
    }
    return answer;
  }

  /** Resolves when the text is heard, when the connection is lost under it (with the fault), or in the end. */
  async function until(text, within) {
    const answer = new Promise((resolve) => {
      tell = (fault) => {
        // Sent over this connection, and not answered.
        if (fault?.delivery === 'unknown') resolve(fault);
        else if (said.has(text)) resolve();
      };
    });
    const result = await Promise.race([answer, pause(within, undefined, { ref: false })]);
    tell = () => {};
    return result;
  }

  function outcomeOf(order) {
    if (!said.has(`filled ${order}`)) return { outcome: 'failed', saw: 'nothing' };
    const knowsPrice = said.has(`price after ${order}`);
    return { outcome: knowsPrice ? 'succeeded' : 'wrong', saw: knowsPrice ? 'filled, and the price' : 'filled, and no price any more' };
  }
}

/** The exchange is stopped, and comes back in a moment. */
function restart(control) {
  net.connect(control, '127.0.0.1').on('error', () => {}).end('restart');
}

function errorOf({ reason, code, kind, delivery }) {
  return { message: reason, code, kind, delivery };
}

/** What each wait was for, and how long it was. */
function recoveryOf(waits, lost) {
  if (waits.length === 0) return undefined;
  const delays = [0, ...waits.map(({ delay }) => delay)];
  const faults = [...waits.map(({ fault }) => fault), ...(lost ? [] : [null])];
  return { attempts: faults.map((fault, index) => ({ fault, delay: delays[index] })) };
}

// --- What ours must have done --------------------------------------------------------------------

/** Claims about the run of `ours`, each decided by what happened. */
function promises({ outcomes, requests, duplicates }) {
  const of = (name) => outcomes.find((outcome) => outcome.call === name) ?? {};
  const lost = ORDERS.filter((order) => ['RST', 'silence'].includes(SCRIPT[order]?.before));
  const others = ORDERS.filter((order) => !lost.includes(order));
  return [
    {
      claim: 'every order was filled and every price heard, through RST, FIN and a restart, but of those whose connection died under them',
      kept: others.every((order) => of(order).outcome === 'succeeded'),
    },
    {
      claim: 'every connection had subscribed before an order came over it',
      kept: requests.every(({ subscribed }) => subscribed),
    },
    {
      claim: 'where the connection died under an order, the program was told that nobody knows what became of it',
      kept: lost.every((order) => of(order).outcome === 'failed' && of(order).error?.delivery === 'unknown'),
    },
    {
      claim: 'the exchange that fell silent was noticed by the heartbeat',
      kept: of('order 9').error?.code === 'ETIMEDOUT' && of('order 10').outcome === 'succeeded',
    },
    { claim: 'no order was placed twice', kept: duplicates === 0 && requests.length === ORDERS.length },
  ];
}

module.exports = {
  number: 8,
  title: 'real-time data',
  story: 'A program follows a price and places orders over one WebSocket for a day, in which the connection is lost in every way there is.',
  calls,
  start,
  run,
  promises,
  plain,
  usual,
  ours,
};
