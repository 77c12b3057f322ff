'use strict';

/**
 * Scenario 4: a shop looks up prices and takes orders, with mongoose and one connection that is to persist.
 * The shape of this file is described in examples/README.md.
 */

const net = require('node:net');
const { once } = require('node:events');
const { setTimeout: pause } = require('node:timers/promises');
const { Mongo } = require('./support/mongo');

// --- The code people have, and the code they write instead ---------------------------------------

const plain = {
  label: 'mongoose.connect, and the errors of its connection logged',
  client({ uri, mongoose, Price, Order }) {
    mongoose.connect(uri);
    mongoose.connection.on('error', (err) => console.log(`error: ${err.message}`));
    return {
      price: (sku) => Price.findOne({ sku }),
      order: (sku) => Order.create({ sku }),
    };
  },
};

const usual = {
  label: 'the same, connected again when it was reset',
  client({ uri, mongoose, Price, Order }) {
    mongoose.connect(uri);
    mongoose.connection.on('error', (err) => {
      console.log(`error: ${err.message}`);
      if (err.code === 'ECONNRESET') mongoose.connect(uri);
    });
    return {
      price: (sku) => Price.findOne({ sku }),
      order: (sku) => Order.create({ sku }),
    };
  },
};

const repaired = {
  label: 'connected again whatever it failed with, the code looked for in the cause, and a loop around what was reset',
  client({ uri, mongoose, Price, Order }) {
    const connect = () => mongoose.connect(uri).catch((err) => {
      console.log(`connect: ${err.message}`);
      setTimeout(connect, 500);
    });
    const again = async (operation) => {
      for (let retries = 3; ; retries -= 1) {
        try {
          return await operation();
        } catch (err) {
          if ((err.code ?? err.cause?.code) !== 'ECONNRESET' || retries === 0) throw err;
          console.log(`connection reset, ${retries} retries left`);
        }
      }
    };
    connect();
    mongoose.connection.on('error', (err) => console.log(`error: ${err.message}`));
    return {
      price: (sku) => again(() => Price.findOne({ sku })),
      order: (sku) => again(() => Order.create({ sku })),
    };
  },
};

const ours = {
  label: 'wrapMongoose, and run around each operation',
  client({ uri, mongoose, Price, Order, told }) {
    const { wrapMongoose } = require('unreset');

    const db = wrapMongoose(mongoose, {
      uri,
      pingAfter: 50, // a demo cannot be idle for the 15 s of the default,
      timeout: { ping: 1_500, wait: 20_000 }, // nor wait for 5 s; a restart may last on a busy machine
      retry: { onRetry: told }, // for this report; a program may log it, or leave it
      reconnect: { onRetry: told, backoff: { cap: 1_000 } }, // a demo that is short of time asks more often than every 10 s
    });
    return {
      price: (sku) => db.run(() => Price.findOne({ sku }), { idempotent: true }),
      order: (sku) => db.run(() => Order.create({ sku })),
      close: () => db.close(),
    };
  },
};

// --- The database --------------------------------------------------------------------------------

const PRICES = { anvil: 90, bolt: 1, crank: 20, gear: 12 };

/** What each call meets; an array: what its requests meet, in their order. */
const SCRIPT = {
  'price anvil': 'a server that is not up yet',
  'price bolt': ['RST'],
  'price crank': ['RST', 'RST'],
  'order crank': ['RST after the work'],
  'order gear': 'silence',
  'order flange': 'a restart',
};
const CALLS = [
  'price anvil', 'order anvil', 'price bolt', 'price crank', 'order crank', 'price gear', 'order gear', 'order flange',
];
/** What has to be done before such a call is made. */
const BEFOREHAND = { silence: 'silence', 'a restart': 'restart' };

/** How long the server is away when it restarts (ms). */
const RESTART = 500;
/** The driver would try for 30 s before it says that there is no server, and a demo is to say so earlier. */
const URI_OPTIONS = 'serverSelectionTimeoutMS=1500';

async function start() {
  const { FaultProxy } = require('unreset');
  const requests = [];
  let isPlaying = false;
  let held = [];

  /** Notes what the server has done. All connections are reset before its answer, where the script says so. */
  function onWork({ command, collection, what }) {
    if (!isPlaying || !['prices', 'orders'].includes(collection)) return true;
    const line = `${command === 'find' ? 'price' : 'order'} ${what.sku}`;
    const earlier = requests.filter((request) => request.line === line).length;
    const isReset = Array.isArray(SCRIPT[line]) && earlier < SCRIPT[line].length;
    requests.push({ line, at: performance.now(), did: isReset ? SCRIPT[line][earlier] : 'answered' });
    if (isReset) proxy.resetAll();
    return !isReset;
  }

  const server = await new Mongo(onWork).start();
  await directly(server, (db) => db.collection('prices').insertMany(
    Object.entries(PRICES).map(([sku, price]) => ({ sku, price })),
  ));
  const proxy = await FaultProxy.listen({ upstream: server.port });
  let outage = proxy.add({ type: 'refuse', on: 'accept' });
  isPlaying = true;
  let restarting;

  /** What the control port may be told. */
  const acts = {
    /** Its port refuses, as long as it has not been started. */
    start: () => outage.remove(),
    async restart() {
      outage = proxy.add({ type: 'refuse', on: 'accept' });
      await server.kill();
      restarting = pause(RESTART).then(() => server.start()).then(() => outage.remove());
    },
    /** What stands between has forgotten all connections: nothing is said over them any more, and nobody is told. */
    async silence() {
      const { accepted } = proxy.stats().connections;
      const connections = Array.from({ length: accepted }, (_, index) => index + 1);
      proxy.add({ type: 'blackhole', on: 'idle', afterMs: 1, connections });
      while (!connections.every((each) => isOver(each))) await pause(5);
    },
  };

  /** Whether a connection has ended or will say nothing more. */
  function isOver(number) {
    return proxy.timeline().some(({ connection, event }) => connection === number && ['strike', 'end'].includes(event));
  }

  const control = net.createServer((socket) => {
    socket.on('error', () => {}).on('data', async (act) => {
      await acts[String(act)]();
      socket.end();
    });
  }).listen(0, '127.0.0.1');
  await once(control, 'listening');

  return {
    address: { port: proxy.port, control: control.address().port },
    requests,
    /** Orders that the database holds more often than once. */
    duplicates: () => held.length - new Set(held.map(({ sku }) => sku)).size,
    async close() {
      control.close();
      await restarting;
      isPlaying = false;
      held = await directly(server, (db) => db.collection('orders').find().toArray());
      await proxy.close();
      await server.remove();
    },
  };
}

/** Asks the database itself, past all faults. */
async function directly({ port }, fn) {
  const mongoose = require('mongoose');
  const connection = await mongoose.createConnection(`mongodb://127.0.0.1:${port}/shop`).asPromise();
  try {
    return await fn(connection);
  } finally {
    await connection.close();
  }
}

// --- The program ---------------------------------------------------------------------------------

/** How long a call is waited for (ms): in silence four times what ours needs, otherwise until it settles by itself. */
const patienceOf = (name) => (SCRIPT[name] === 'silence' ? 6_000 : 30_000);

const calls = CALLS.map((name) => ({ name, meets: [SCRIPT[name] ?? []].flat() }));

/** Makes one call after the other; whoever plays this scenario starts, restarts and cuts off the server meanwhile. */
async function run(variant, { port, control }, report) {
  const mongoose = require('mongoose');
  const Price = mongoose.model('Price', new mongoose.Schema({ sku: String, price: Number }));
  const Order = mongoose.model('Order', new mongoose.Schema({ sku: String }));
  let news = [];
  const told = (event) => { news.push(event); };

  const uri = `mongodb://127.0.0.1:${port}/shop?${URI_OPTIONS}`;
  const client = variant.client({ uri, mongoose, Price, Order, told });
  // A handle of the program's own, as that of a server is.
  const alive = setInterval(() => {}, 1_000);

  for (const name of CALLS) {
    news = [];
    const [what, sku] = name.split(' ');
    if (SCRIPT[name] in BEFOREHAND) await tell(control, BEFOREHAND[SCRIPT[name]]);
    await pause(100); // the program has other things to do
    const answer = outcomeOf(name, () => client[what](sku));
    if (name === CALLS[0]) {
      // The server is started when mongoose has found it missing.
      await once(mongoose.connection, 'error');
      await tell(control, 'start');
    }
    const result = await answer;
    report({ call: name, ...result, recovery: result.recovery ?? recoveryOf(news) });
  }
  clearInterval(alive);
  await (client.close ? client.close() : mongoose.disconnect());
}

async function outcomeOf(name, call) {
  const [what, sku] = name.split(' ');
  try {
    const document = await Promise.race([call(), pause(patienceOf(name), undefined, { ref: false })]);
    if (document === undefined) return { outcome: 'failed', saw: 'nothing' };
    const isRight = document?.sku === sku && (what === 'order' || document.price === PRICES[sku]);
    return { outcome: isRight ? 'succeeded' : 'wrong', saw: JSON.stringify(document) };
  } catch (err) {
    console.log(`${name}: ${err.name}: ${err.message} (err.code: ${err.code})`);
    const { code = err.code, kind, delivery } = err.recovery?.attempts.at(-1).fault ?? {};
    return { outcome: 'failed', saw: err.message, error: { message: err.message, code, kind, delivery }, recovery: err.recovery };
  }
}

/** Resolves when it has been done, or has begun. */
async function tell(control, act) {
  const socket = net.connect(control, '127.0.0.1');
  socket.write(act);
  socket.resume();
  await once(socket, 'close');
}

/** What each wait was for: of a call that was answered, and of the connection meanwhile. */
function recoveryOf(news) {
  if (news.length === 0) return undefined;
  const delays = [0, ...news.map(({ delay }) => delay)];
  return { attempts: [...news.map(({ fault }) => fault), null].map((fault, index) => ({ fault, delay: delays[index] })) };
}

// --- What ours must have done --------------------------------------------------------------------

/** Claims about the run of `ours`, each decided by what happened. */
function promises({ outcomes, requests, duplicates }) {
  const of = (name) => outcomes.find((outcome) => outcome.call === name) ?? {};
  const done = (line) => requests.filter((request) => request.line === line).length;
  const lost = of('order crank');
  return [
    {
      claim: 'the program was up before its database, and was connected when that was there',
      kept: of('price anvil').outcome === 'succeeded' && of('order anvil').outcome === 'succeeded',
    },
    {
      claim: 'every price was answered rightly, also when the driver\'s own second try was reset',
      kept: CALLS.filter((name) => name.startsWith('price')).every((name) => of(name).outcome === 'succeeded')
        && done('price crank') === 3,
    },
    {
      claim: 'the order whose answer was lost was placed once, and the program was told delivery "unknown"',
      kept: done('order crank') === 1 && lost.outcome === 'failed' && lost.error?.code === 'ECONNRESET'
        && lost.error.delivery === 'unknown' && lost.recovery?.gaveUp === 'not-idempotent',
    },
    {
      claim: 'the connections that had gone silent were found before the order was sent, and it was placed once',
      kept: of('order gear').outcome === 'succeeded' && done('order gear') === 1,
    },
    {
      claim: 'the order that met a restart waited for the server, and was placed once',
      kept: of('order flange').outcome === 'succeeded' && done('order flange') === 1,
    },
    { claim: 'the database holds no order twice', kept: duplicates === 0 },
  ];
}

module.exports = {
  number: 4,
  title: 'a database',
  story: 'A shop looks up prices and takes orders in MongoDB with mongoose; the server is late, resets, restarts and falls silent.',
  calls,
  patience: 60_000,
  start,
  run,
  promises,
  plain,
  usual,
  repaired,
  ours,
};
