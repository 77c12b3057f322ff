'use strict';

/** The two classes that one object replaces, by their surfaces. */

const { once } = require('node:events');
const { AsyncLocalStorage } = require('node:async_hooks');
const unreset = require('../../..');
const WebSocket = require('../../../websocket');
const { closeWebSockets, connectTo, echoing, ended, messages, record, serve } = require('../../support/websockets');

afterEach(closeWebSockets);

function event(ws, type) {
  return new Promise((resolve) => {
    ws.addEventListener(type, resolve, { once: true });
  });
}

test('the entries lead to the same', () => {
  expect(unreset.WebSocket).toBe(WebSocket);
  expect(require('unreset/websocket')).toBe(WebSocket);
  expect(WebSocket.WebSocket).toBe(WebSocket);
  expect(WebSocket.createWebSocketStream).toBe(require('../../../lib/websocket/stream').createWebSocketStream);
});

test('names that can be imported', async () => {
  const { execFileSync } = require('node:child_process');
  const program = `
    import WebSocket, { WebSocket as Named, createWebSocketStream } from 'unreset/websocket';
    import { WebSocket as FromIndex } from 'unreset';
    console.log(WebSocket === Named, WebSocket === FromIndex, typeof createWebSocketStream);
  `;
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8', cwd: __dirname });
  expect(printed.trim()).toBe('true true function');
});

describe('the WHATWG class', () => {
  test('its constants', async () => {
    const server = await echoing();
    const ws = connectTo(server.url);
    const states = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };
    for (const [name, value] of Object.entries(states)) {
      for (const holder of [WebSocket, WebSocket.prototype]) {
        expect(Object.getOwnPropertyDescriptor(holder, name)).toEqual({ value, enumerable: true, writable: false, configurable: false });
      }
      expect(ws[name]).toBe(value);
    }
    expect(Object.prototype.toString.call(ws)).toBe('[object WebSocket]');
    expect(ws).toBeInstanceOf(EventTarget);
  });

  test.each([
    ['no URL', [], 'TypeError'],
    ['a URL that is none', ['not a url'], 'SyntaxError'],
    ['another scheme', ['ftp://a.test'], 'SyntaxError'],
    ['a fragment', ['ws://a.test/#x'], 'SyntaxError'],
    ['a subprotocol twice', ['ws://a.test', ['a', 'a']], 'SyntaxError'],
    ['a subprotocol that is none', ['ws://a.test', 'a b'], 'SyntaxError'],
    ['an option that is none', ['ws://a.test', { nothing: true }], 'TypeError'],
  ])('its constructor throws for %s', (name, args, expected) => {
    expect(() => new WebSocket(...args)).toThrow(expect.objectContaining({ name: expected }));
  });

  test('the class cannot be called', () => {
    expect(() => WebSocket('ws://a.test')).toThrow(TypeError);
  });

  test('a session by attributes, from the first state to the last', async () => {
    const server = await echoing({ handleProtocols: () => 'b' });
    const ws = new WebSocket(`${server.url}/path?query`, ['a', 'b']);
    const told = [];
    expect([ws.readyState, ws.url, ws.protocol, ws.extensions, ws.bufferedAmount, ws.binaryType]).toEqual([
      0, `${server.url}/path?query`, '', '', 0, 'blob',
    ]);
    expect([ws.onopen, ws.onmessage, ws.onerror, ws.onclose]).toEqual([null, null, null, null]);
    await new Promise((resolve) => {
      ws.onopen = ({ type, target }) => {
        told.push([type, target === ws, ws.readyState]);
        ws.send('hello');
      };
      ws.onmessage = (message) => {
        told.push([message.type, message.data, message.origin, message instanceof MessageEvent]);
        ws.close(3000, 'done');
        told.push(ws.readyState);
      };
      ws.onclose = (closing) => {
        told.push([closing.type, closing.code, closing.reason, closing.wasClean, closing.fault, ws.readyState]);
        resolve();
      };
    });
    expect(told).toEqual([
      ['open', true, 1], ['message', 'hello', server.url, true], 2, ['close', 3000, 'done', true, undefined, 3],
    ]);
    expect([ws.protocol, ws.extensions]).toEqual(['b', '']);
  });

  test('extensions tells what was agreed on', async () => {
    const server = await echoing({ perMessageDeflate: true });
    const ws = connectTo(server.url);
    await once(ws, 'open');
    expect(ws.extensions).toMatch(/^permessage-deflate/);
  });

  test.each([
    ['the standard as it begins', undefined, (data) => data instanceof Blob, (data) => data.arrayBuffer()],
    ['a blob', 'blob', (data) => data instanceof Blob, (data) => data.arrayBuffer()],
    ['an ArrayBuffer', 'arraybuffer', (data) => Object.prototype.toString.call(data) === '[object ArrayBuffer]', (data) => data],
    ['a Buffer', 'nodebuffer', (data) => Buffer.isBuffer(data), (data) => data],
    ['fragments', 'fragments', (data) => Array.isArray(data) && Buffer.isBuffer(data[0]), (data) => Buffer.concat(data)],
  ])('binary messages as %s', async (name, type, isRight, bytesOf) => {
    const server = await echoing();
    const ws = connectTo(server.url);
    if (type !== undefined) ws.binaryType = type;
    ws.binaryType = 'nonsense';
    expect(ws.binaryType).toBe(type ?? 'blob');
    await once(ws, 'open');
    for (const length of [0, 5, 20_000]) {
      const sent = Buffer.alloc(length, 7);
      ws.send(sent);
      const { data } = await event(ws, 'message');
      expect(isRight(data)).toBe(true);
      expect(Buffer.from(await bytesOf(data)).equals(sent)).toBe(true);
    }
  });

  test('every form of data can be sent', async () => {
    const server = await echoing();
    const ws = connectTo(server.url);
    await once(ws, 'open');
    const words = new Uint16Array([1, 2, 3]);
    const forms = [
      ['text', 'text'], ['', ''], ['é\u{1f600}\ud800', 'é\u{1f600}\ufffd'], [7, '7'], [{ toString: () => 'object' }, 'object'], [null, 'null'],
      [Buffer.from('ab'), Buffer.from('ab')], [new Uint8Array([1, 2]).buffer, Buffer.from([1, 2])],
      [words.subarray(1), Buffer.from([2, 0, 3, 0])], [new DataView(words.buffer, 2, 2), Buffer.from([2, 0])],
      [new Uint8Array(new SharedArrayBuffer(2)), Buffer.alloc(2)], [new Blob(['blob']), Buffer.from('blob')],
      ['x'.repeat(100_000), 'x'.repeat(100_000)], ['é'.repeat(40_000), 'é'.repeat(40_000)], [Buffer.alloc(100_000, 1), Buffer.alloc(100_000, 1)],
    ];
    const back = messages(ws, forms.length);
    for (const [data] of forms) ws.send(data);
    expect(await back).toEqual(forms.map(([, expected]) => expected));
    expect(() => ws.send()).toThrow(TypeError);
    expect(() => ws.send(Symbol('x'))).toThrow(TypeError);
  });

  test('what is given may be changed once it is sent, and keeps its place behind a Blob', async () => {
    const server = await echoing();
    const ws = connectTo(server.url);
    await once(ws, 'open');
    const back = messages(ws, 4);
    const [small, large] = [Buffer.from('small'), Buffer.alloc(50_000, 'l')];
    ws.send(new Blob(['blob']));
    ws.send(small);
    ws.send('text');
    ws.send(large);
    expect(ws.bufferedAmount).toBe(4 + 5 + 4 + 50_000);
    for (const bytes of [small, large]) bytes.fill(0);
    expect((await back).map(String)).toEqual(['blob', 'small', 'text', 'l'.repeat(50_000)]);
    expect(ws.bufferedAmount).toBe(0);
  });

  test('no message event once it is closing, and listeners of on hear it', async () => {
    const server = await serve((socket) => socket.once('message', () => {
      socket.send('too late');
      socket.close(1000);
    }));
    const ws = connectTo(server.url);
    await once(ws, 'open');
    const heard = [];
    ws.addEventListener('message', ({ data }) => heard.push(['event', data]));
    ws.on('message', (data) => heard.push(['on', data.toString()]));
    ws.send('last');
    ws.close();
    await ended(ws);
    expect(heard).toEqual([['on', 'too late']]);
  });

  test('a failure is an error event and a close event, which tell why', async () => {
    const server = await serve();
    await server.close();
    const ws = connectTo(server.url, { reconnect: false });
    const told = [];
    ws.onerror = (error) => told.push(['error', error.error.code, error.message === error.error.message]);
    ws.onclose = ({ code, wasClean, fault }) => told.push(['close', code, wasClean, fault.code, fault.phase]);
    await event(ws, 'close');
    expect(told).toEqual([['error', 'ECONNREFUSED', true], ['close', 1006, false, 'ECONNREFUSED', 'connect']]);
  });

  test('what is sent after the end counts for ever', async () => {
    const server = await echoing();
    const ws = connectTo(server.url);
    await once(ws, 'open');
    ws.close();
    ws.send('é');
    await ended(ws);
    ws.send(new Uint8Array(5));
    expect(ws.bufferedAmount).toBe(7);
  });
});

describe('the client of ws', () => {
  test('a session by listeners', async () => {
    const server = await echoing();
    const ws = new WebSocket(server.url);
    const told = [];
    ws.on('open', () => ws.send('hello', { compress: false }, (...args) => told.push(['sent', ...args])));
    ws.on('message', (data, isBinary) => {
      told.push(['message', data, isBinary]);
      if (isBinary) ws.close(1001, Buffer.from('going'));
      else ws.send(Buffer.from('bytes'));
    });
    const [code, reason] = await once(ws, 'close');
    expect([code, reason]).toEqual([1001, Buffer.from('going')]);
    expect(told.filter(([name]) => name === 'message')).toEqual([
      ['message', Buffer.from('hello'), false], ['message', Buffer.from('bytes'), true],
    ]);
    expect(told.filter(([name]) => name === 'sent')).toEqual([['sent']]);
  });

  test('both surfaces hear everything', async () => {
    const server = await echoing();
    const ws = connectTo(server.url);
    await once(ws, 'open');
    const heard = [];
    ws.on('message', (data) => heard.push(data));
    ws.addEventListener('message', ({ data }) => heard.push(data));
    for (const text of ['ascii', 'é', 'é'.repeat(10_000)]) {
      ws.send(text);
      await event(ws, 'message');
      expect(heard.splice(0)).toEqual([Buffer.from(text), text]);
    }
  });

  test('listeners that come and go get the text in their form', async () => {
    const server = await echoing();
    const ws = connectTo(server.url);
    await once(ws, 'open');
    for (const text of ['é', 'é'.repeat(10_000)]) {
      const first = messages(ws, 1);
      ws.send(text);
      expect(await first).toEqual([text]);
      const second = event(ws, 'message');
      ws.send(text);
      expect((await second).data).toBe(text);
    }
  });

  test('send says what a message is', async () => {
    const server = await echoing();
    const ws = connectTo(server.url);
    await once(ws, 'open');
    const back = messages(ws, 3);
    ws.send('text', { binary: true });
    ws.send(Buffer.from('bytes'), { binary: false });
    ws.send('last', null);
    expect(await back).toEqual([Buffer.from('text'), 'bytes', 'last']);
    expect(() => ws.send('x', { mask: false })).toThrow(/options\.mask/);
    expect(() => ws.send('x', { masked: true })).toThrow(/options\.masked is not an option/);
    expect(() => ws.send('x', {}, 'no function')).toThrow(/callback/);
  });

  test('a message in parts is one message', async () => {
    const server = await echoing();
    const ws = connectTo(server.url);
    await once(ws, 'open');
    const back = messages(ws, 2);
    const told = [];
    ws.send('a', { fin: false }, () => told.push('first'));
    ws.send(Buffer.from('b'), { fin: false });
    expect(ws.bufferedAmount).toBe(2);
    ws.send('c', () => told.push('last'));
    ws.send(new Blob(['d']), { fin: false });
    ws.send('e');
    expect(await back).toEqual(['abc', Buffer.from('de')]);
    expect(told).toEqual(['first', 'last']);
  });

  test('ping and pong', async () => {
    const pings = [];
    const server = await serve((socket) => {
      socket.on('ping', (data) => pings.push(data.toString()));
      socket.on('pong', (data) => pings.push(`pong ${data}`));
      socket.ping('from the server');
    });
    const ws = connectTo(server.url, { heartbeat: false });
    const pinged = once(ws, 'ping');
    await once(ws, 'open');
    expect(String((await pinged)[0])).toBe('from the server');
    const told = [];
    const pongs = [];
    ws.on('pong', (data) => pongs.push(String(data)));
    ws.ping('1', undefined, (...args) => told.push(args));
    ws.ping(2);
    ws.ping(() => told.push('empty'));
    while (pongs.length < 3) await once(ws, 'pong');
    expect(pongs).toEqual(['1', '2', '']);
    ws.pong('unasked');
    ws.send('x');
    await once(server.accepted[0], 'message');
    expect(pings).toEqual(['pong from the server', '1', '2', '', 'pong unasked']);
    expect(told).toEqual([[], 'empty']);
    expect(() => ws.ping('x'.repeat(126))).toThrow(RangeError);
    ws.close();
    await ended(ws);
    const error = await new Promise((resolve) => {
      ws.ping('x', resolve);
    });
    expect(error.code).toBe('ERR_WEBSOCKET_NOT_OPEN');
  });

  test('upgrade shows the answer', async () => {
    const server = await serve();
    server.wss.on('headers', (headers) => headers.push('Set-Cookie: a=1', 'Set-Cookie: b=2', 'X-Answer: yes', 'X-Answer: no'));
    const ws = connectTo(server.url);
    const opened = once(ws, 'open');
    const [response] = await once(ws, 'upgrade');
    await opened;
    expect(response.statusCode).toBe(101);
    expect(response.headers).toMatchObject({ upgrade: 'websocket', 'set-cookie': ['a=1', 'b=2'], 'x-answer': 'yes, no' });
  });

  test('terminate ends it at once', async () => {
    const server = await serve();
    const ws = connectTo(server.url);
    await once(ws, 'open');
    const peer = once(await server.connection(0), 'close');
    ws.terminate();
    expect(ws.readyState).toBe(2);
    expect(await ended(ws)).toMatchObject({ code: 1006, error: undefined });
    expect((await peer)[0]).toBe(1006);
    ws.terminate();
    ws.close();
  });

  test.each(['close', 'terminate'])('%s before it was ever open is an error, in the words of ws', async (method) => {
    const server = await serve();
    const ws = connectTo(server.url);
    ws[method]();
    expect(ws.readyState).toBe(2);
    const { code, error } = await ended(ws);
    expect([code, error.message]).toEqual([1006, 'WebSocket was closed before the connection was established']);
  });

  test('a listener that throws keeps nothing from the others', async () => {
    const { runProgram } = require('../../support/program');
    const program = await runProgram('websockets.js', ['throws']);
    expect(program).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(program.stdout)).toEqual({ heard: ['1', '2', '3', '4'], events: ['1', '2', '3', '4'], uncaught: ['of 1', 'of the event 1', 'of 2', 'of the event 2', 'of 3', 'of the event 3', 'of 4', 'of the event 4'] });
  });
});

describe('pause and resume', () => {
  test('nothing is told in between, and nothing is lost', async () => {
    const server = await serve((socket) => {
      for (const text of ['a', 'b', 'c']) socket.send(text);
      socket.ping('p');
      socket.send('d');
      socket.close(1000, 'bye');
    });
    const ws = connectTo(server.url, { reconnect: false });
    const told = [];
    ws.on('ping', (data) => told.push(`ping ${data}`));
    ws.on('close', () => told.push('close'));
    const paused = new Promise((resolve) => {
      ws.on('message', (data) => {
        told.push(data.toString());
        // In the middle of what came together.
        if (String(data) !== 'b') return;
        ws.pause();
        resolve();
      });
    });
    await paused;
    expect(ws.isPaused).toBe(true);
    // Long enough for what the server has sent: another connection has come and gone.
    const other = connectTo(server.url, { reconnect: false });
    await ended(other);
    expect(told).toEqual(['a', 'b']);
    ws.resume();
    expect([ws.isPaused, told]).toEqual([false, ['a', 'b']]);
    await once(ws, 'close');
    expect(told).toEqual(['a', 'b', 'c', 'ping p', 'd', 'close']);
  });

  test('the peer is not read meanwhile', async () => {
    const server = await serve();
    const ws = connectTo(server.url, { perMessageDeflate: false });
    await once(ws, 'open');
    ws.pause();
    const peer = await server.connection(0);
    const total = 64;
    for (let index = 0; index < total; index++) peer.send(Buffer.alloc(1024 * 1024, index));
    // What nobody reads stays with the one who sent it.
    const before = ws.stats().bytesRead;
    ws.ping();
    await new Promise((resolve) => {
      peer.once('ping', resolve);
    });
    expect(ws.stats().bytesRead).toBeLessThan(before + 32 * 1024 * 1024);
    expect(peer.bufferedAmount).toBeGreaterThan(0);
    const back = messages(ws, total);
    ws.resume();
    expect((await back).map((data) => [data.length, data[0]])).toEqual(Array.from({ length: total }, (_, index) => [1024 * 1024, index]));
  });

  test('terminate ends a paused one, and what waited is not told any more', async () => {
    const server = await serve((socket) => socket.send('a'));
    const ws = connectTo(server.url);
    const heard = [];
    ws.on('message', (data) => heard.push(data));
    ws.pause();
    await once(ws, 'open');
    ws.terminate();
    await ended(ws);
    expect([heard, ws.isPaused]).toEqual([[], false]);
  });
});

test('events run in the context of whoever made it, and callbacks in that of whoever sent', async () => {
  const server = await echoing();
  const storage = new AsyncLocalStorage();
  const contexts = [];
  const note = (what) => contexts.push([what, storage.getStore()]);
  const ws = storage.run('made', () => connectTo(server.url, { onConnect: () => note('onConnect'), headers: () => note('headers') && {} }));
  ws.on('open', () => note('open'));
  ws.on('message', () => note('message'));
  ws.addEventListener('message', () => note('event'));
  await once(ws, 'open');
  const back = messages(ws, 1);
  await new Promise((resolve) => {
    storage.run('sent', () => ws.send('x', () => {
      note('callback');
      resolve();
    }));
  });
  await back;
  ws.on('close', () => note('close'));
  ws.close();
  await ended(ws);
  const expected = ['headers', 'onConnect', 'open', 'message', 'event', 'close'];
  expect(contexts.filter(([what]) => what !== 'callback')).toEqual(expected.map((what) => [what, 'made']));
  expect(contexts.filter(([what]) => what === 'callback')).toEqual([['callback', 'sent']]);
});

test('an event listener of ours gets a CustomEvent', async () => {
  const server = await serve();
  const ws = connectTo(server.url);
  await once(ws, 'open');
  const told = record(ws, ['disconnect', 'reconnecting', 'reconnect']);
  const events = [];
  for (const name of ['disconnect', 'reconnecting', 'reconnect']) ws.addEventListener(name, ({ type, detail }) => events.push([type, detail]));
  const again = once(ws, 'reconnect');
  server.resetAll();
  await again;
  await new Promise(setImmediate);
  expect(events).toEqual(told);
  expect(events.map(([type]) => type)).toEqual(['disconnect', 'reconnecting', 'reconnect']);
});
