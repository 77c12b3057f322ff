'use strict';

/**
 * What WebSocket clients report, and what `classify` makes of it. Every report is provoked: from ws, and from the WebSocket
 * of undici, which is the built-in one of newer releases of Node.
 */

const net = require('node:net');
const { once } = require('node:events');
const { WebSocket, WebSocketServer } = require('ws');
const { classify } = require('../../../lib/fault');
const { refusedPort, closeAll, startOrigin, reply, fin, rst, silence, raw } = require('../../../testing');
const { closeWebSockets, closing, frame, serveRaw } = require('../../support/websockets');

const [NODE] = process.versions.node.split('.').map(Number);
const undici = require(NODE >= 22 ? 'undici' : 'undici-7');

afterEach(async () => {
  await closeWebSockets();
  await closeAll();
});

/** All that a client of ws reports: `{ error, errorEvent, closeEvent }`. */
function reportsOf(url, options) {
  return new Promise((resolve) => {
    const client = new WebSocket(url, options);
    const reports = {};
    client.on('error', (error) => (reports.error = error));
    client.addEventListener('error', (event) => (reports.errorEvent = event));
    client.addEventListener('close', (event) => resolve({ ...reports, closeEvent: event }));
  });
}

/** The same of a WebSocket of the standard. */
function standardReportsOf(url) {
  return new Promise((resolve) => {
    const client = new undici.WebSocket(url);
    const reports = {};
    client.addEventListener('error', (event) => (reports.errorEvent = event));
    client.addEventListener('close', (event) => resolve({ ...reports, closeEvent: event }));
  });
}

/** Sends something, and ends when it has been answered with a Close frame: the client waits for that. */
function sendOnce(socket, bytes) {
  socket.once('data', () => socket.end()).write(bytes);
}

const LOST = {
  code: 'WS_1006', kind: 'reset', phase: 'wait', delivery: 'unknown', transient: true, reconnect: true,
  reason: 'The connection was lost without a Close frame, or never came about.',
};
const HANDSHAKE = { code: 'ERR_WS_HANDSHAKE', kind: 'protocol', phase: 'handshake', delivery: 'not-sent', transient: false };
const MALFORMED = { kind: 'protocol', phase: 'receive', delivery: 'unknown', transient: false, reconnect: true };

describe('a handshake that fails', () => {
  const status = (number, headers) => () => startOrigin(reply(number, headers));
  const upgraded = (...lines) => async () => {
    const server = await serveRaw(() => {}, (request, accept) => [
      'HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade',
      ...lines.map((line) => line.replace('ACCEPT', accept)),
    ]);
    return server;
  };
  const UPGRADE = 'Upgrade: websocket';
  const ACCEPT = 'Sec-WebSocket-Accept: ACCEPT';

  test.each([
    ['is refused', async () => ({ url: `ws://127.0.0.1:${await refusedPort()}` }),
      { code: 'ECONNREFUSED', kind: 'refused', phase: 'connect', delivery: 'not-sent', transient: true }],
    ['meets an RST', () => startOrigin(rst), { code: 'ECONNRESET', kind: 'reset', delivery: 'unknown', transient: true, ending: 'rst' }],
    ['meets a FIN', () => startOrigin(fin), { code: 'ECONNRESET', kind: 'reset', delivery: 'unknown', transient: true, ending: 'fin' }],
    ['is not answered', () => startOrigin(silence), { code: 'ETIMEDOUT', kind: 'timeout', phase: 'handshake', delivery: 'not-sent', transient: true }],
    ['is answered in another language', () => startOrigin(raw('SSH-2.0-x\r\n')), { code: 'HPE_INVALID_CONSTANT', kind: 'protocol', transient: false }],
    ['is answered with 200', status(200), HANDSHAKE],
    ['is answered with a redirect that is not followed', status(302, { location: 'ws://127.0.0.1:1/' }), HANDSHAKE],
    ['is answered with 401', status(401), { code: 'HTTP_401', kind: 'client', delivery: 'answered', transient: false, status: 401 }],
    ['is answered with 429', status(429), { code: 'HTTP_429', kind: 'throttled', delivery: 'answered', transient: true }],
    ['is answered with 503', status(503), { code: 'HTTP_503', kind: 'server', delivery: 'answered', transient: true, status: 503 }],
    ['is answered with a 101 to something else', upgraded('Upgrade: other', ACCEPT), HANDSHAKE],
    ['is answered with a wrong key', upgraded(UPGRADE, 'Sec-WebSocket-Accept: x'), HANDSHAKE],
    ['is answered with a subprotocol that nobody asked for', upgraded(UPGRADE, ACCEPT, 'Sec-WebSocket-Protocol: x'), HANDSHAKE],
    ['is answered with an extension that nobody asked for', upgraded(UPGRADE, ACCEPT, 'Sec-WebSocket-Extensions: x'), HANDSHAKE],
    ['is answered with extensions that cannot be read', upgraded(UPGRADE, ACCEPT, 'Sec-WebSocket-Extensions: ;;'), HANDSHAKE],
    ['is answered with parameters that nobody knows',
      upgraded(UPGRADE, ACCEPT, 'Sec-WebSocket-Extensions: permessage-deflate; x=1'), HANDSHAKE],
  ])('%s', async (name, start, expected) => {
    const { url } = await start();
    const address = url.replace('http:', 'ws:');
    const { error, errorEvent, closeEvent } = await reportsOf(address, { handshakeTimeout: 1_000 });
    expect(classify(error)).toMatchObject(expected);
    expect(classify(errorEvent)).toEqual(classify(error));
    expect(classify(closeEvent)).toEqual(LOST);
  });

  test.each([
    ['subprotocol that was not offered', 'Sec-WebSocket-Protocol: x'],
    ['no subprotocol', 'X: x'],
    ['extension where none was asked for', 'Sec-WebSocket-Extensions: permessage-deflate'],
  ])('with a server that answers with %s', async (name, line) => {
    const { url } = await upgraded(UPGRADE, ACCEPT, line)();
    const client = new WebSocket(url, ['a'], { perMessageDeflate: false });
    const [error] = await once(client, 'error');
    expect(classify(error)).toMatchObject(HANDSHAKE);
  });

  test('that is redirected for ever', async () => {
    const origin = await startOrigin((request, response) => reply(302, { location: '/' })(request, response));
    const { error } = await reportsOf(origin.url.replace('http', 'ws'), { followRedirects: true });
    expect(classify(error)).toMatchObject({ code: 'ERR_TOO_MANY_REDIRECTS', transient: false });
  });

  test('that the caller gives up', async () => {
    const origin = await startOrigin(silence);
    const client = new WebSocket(origin.url.replace('http', 'ws'));
    const failed = once(client, 'error');
    client.close();
    const [error] = await failed;
    expect(classify(error)).toMatchObject({ code: 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION', delivery: 'not-sent' });
  });

  test('says next to nothing through the standard: it is a lost connection', async () => {
    const origin = await startOrigin(reply(503));
    const { errorEvent, closeEvent } = await standardReportsOf(origin.url.replace('http', 'ws'));
    expect(classify(errorEvent)).toMatchObject({ code: 'WS_1006', kind: 'reset', transient: true });
    expect(classify(closeEvent)).toEqual(LOST);
  });
});

describe('a frame that breaks the protocol', () => {
  const bytes = (...values) => Buffer.from(values);
  test.each([
    ['WS_ERR_UNEXPECTED_RSV_1', frame('ping', '', { rsv: 4 }), MALFORMED],
    ['WS_ERR_UNEXPECTED_RSV_2_3', frame('text', '', { rsv: 3 }), MALFORMED],
    ['WS_ERR_INVALID_OPCODE', frame('continuation', ''), MALFORMED],
    ['WS_ERR_INVALID_OPCODE', bytes(0x83, 0), MALFORMED],
    ['WS_ERR_EXPECTED_FIN', frame('ping', '', { fin: false }), MALFORMED],
    ['WS_ERR_UNEXPECTED_MASK', frame('text', 'x', { masked: true }), MALFORMED],
    ['WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', frame('ping', 'x'.repeat(126)), MALFORMED],
    ['WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', frame('close', 'x'), MALFORMED],
    ['WS_ERR_INVALID_CLOSE_CODE', frame('close', closing(1006)), MALFORMED],
    ['WS_ERR_INVALID_UTF8', frame('text', bytes(0xc3, 0x28)), MALFORMED],
    ['WS_ERR_INVALID_UTF8', frame('close', bytes(0x03, 0xe8, 0xc3, 0x28)), MALFORMED],
    ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', frame('binary', Buffer.alloc(1_001)), { ...MALFORMED, kind: 'too-large' }],
    ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', bytes(0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255), { ...MALFORMED, kind: 'too-large' }],
    ['WS_ERR_TOO_MANY_BUFFERED_PARTS', Buffer.concat([frame('binary', 'a', { fin: false }), ...Array(9).fill(frame('continuation', 'a', { fin: false }))]),
      { ...MALFORMED, kind: 'too-large' }],
  ])('%s', async (code, sent, expected) => {
    const { url } = await serveRaw((socket) => sendOnce(socket, sent));
    const { error, errorEvent, closeEvent } = await reportsOf(url, { maxPayload: 1_000, maxFragments: 5, perMessageDeflate: false });
    expect(error.code).toBe(code);
    expect(classify(error)).toMatchObject({ ...expected, code });
    expect(classify(errorEvent)).toEqual(classify(error));
    expect(classify(closeEvent)).toEqual(LOST);
  });

  test('says next to nothing through the standard', async () => {
    const { url } = await serveRaw((socket) => sendOnce(socket, frame('text', 'x', { masked: true })));
    const { errorEvent, closeEvent } = await standardReportsOf(url);
    expect(classify(errorEvent)).toMatchObject({ code: 'WS_1006', kind: 'reset' });
    expect(classify(closeEvent)).toEqual(LOST);
  });

  test('that only a server can meet', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const socket = net.connect(server.address().port, '127.0.0.1');
    const upgrade = ['GET / HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', '', ''];
    socket.write(upgrade.join('\r\n'));
    const [peer] = await once(server, 'connection');
    const failed = once(peer, 'error');
    socket.write(frame('text', 'x'));
    expect(classify((await failed)[0])).toMatchObject({ ...MALFORMED, code: 'WS_ERR_EXPECTED_MASK' });
    socket.destroy();
    server.close();
  });
});

describe('a connection that is lost', () => {
  test.each([
    ['by RST', (socket) => socket.resetAndDestroy()],
    ['by FIN', (socket) => socket.end()],
    ['by RST inside a frame', (socket) => socket.write(Buffer.from([0x82, 5, 1]), () => socket.resetAndDestroy())],
  ])('%s: neither client tells how', async (name, lose) => {
    const { url } = await serveRaw((socket) => lose(socket));
    const { error, closeEvent } = await reportsOf(url);
    expect(error).toBeUndefined();
    expect(classify(closeEvent)).toEqual(LOST);
    const standard = await standardReportsOf(url);
    expect(classify(standard.closeEvent)).toEqual(LOST);
    expect(classify(standard.errorEvent)).toMatchObject({ code: 'WS_1006', transient: true });
  });
});

/** Every code that can be sent, and what its fault is: kind, transient. */
const CODES = {
  1000: ['closed', false],
  1001: ['closed', true],
  1002: ['protocol', false],
  1003: ['client', false],
  1007: ['protocol', false],
  1008: ['client', false],
  1009: ['too-large', false],
  1010: ['protocol', false],
  1011: ['server', true],
  1012: ['server', true],
  1013: ['throttled', true],
  1014: ['server', true],
  3000: ['closed', false],
  3999: ['closed', false],
  4000: ['closed', false],
  4999: ['closed', false],
};

describe.each(Object.entries(CODES))('a WebSocket that is closed with %s', (code, [kind, transient]) => {
  const expected = {
    code: `WS_${code}`, kind, transient, delivery: 'unknown', reconnect: code !== '1000', detail: 'as the server says',
  };

  test('is that, for ws and for the standard', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    server.on('connection', (peer) => peer.close(Number(code), 'as the server says'));
    const url = `ws://127.0.0.1:${server.address().port}`;
    const client = new WebSocket(url);
    const event = new Promise((resolve) => {
      client.addEventListener('close', resolve);
    });
    const [given, reason] = await once(client, 'close');
    expect(classify(await event)).toMatchObject(expected);
    // What its listeners are given, put together.
    expect(classify({ code: given, reason })).toMatchObject(expected);
    const { errorEvent, closeEvent } = await standardReportsOf(url);
    expect(errorEvent).toBeUndefined();
    expect(classify(closeEvent)).toMatchObject(expected);
    server.close();
  });
});

describe('a code that is never sent', () => {
  test.each([
    [1004, 'protocol', false],
    [1005, 'closed', true],
    [1006, 'reset', true],
    [1015, 'tls', false],
    [1016, 'protocol', false],
    [2999, 'protocol', false],
  ])('%d', (code, kind, transient) => {
    const fault = classify({ type: 'close', code, reason: '', wasClean: false });
    expect(fault).toMatchObject({ code: `WS_${code}`, kind, transient });
    expect(fault.detail).toBeUndefined();
    expect(fault.reason).toMatch(/\.$/);
  });

  test('1005 is what there is where a Close frame has no code', async () => {
    const { url } = await serveRaw((socket) => socket.end(frame('close')));
    const { closeEvent } = await reportsOf(url);
    expect(classify(closeEvent)).toMatchObject({ code: 'WS_1005', kind: 'closed', transient: true, reconnect: true });
  });

  test('what looks like a close event in part is none', () => {
    for (const value of [{ code: 1006 }, { code: 7, reason: 'x' }, { code: 5000, wasClean: true }, { code: '1006', reason: '' }]) {
      expect(classify(value).kind).toBe('unknown');
    }
  });

  test('an event with a fault is that fault', () => {
    const fault = classify(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, syscall: 'read' }));
    expect(classify({ type: 'close', code: 1006, reason: '', wasClean: false, fault })).toEqual(fault);
  });
});

test('messages that were sent too early or too late are not sent', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
  let early;
  try {
    client.send('x');
  } catch (error) {
    early = error;
  }
  const expected = { code: 'ERR_WEBSOCKET_NOT_OPEN', delivery: 'not-sent', transient: true };
  expect(classify(early)).toMatchObject(expected);
  await once(client, 'open');
  const late = () =>
    new Promise((resolve) => {
      client.send('x', resolve);
    });
  client.close();
  expect(classify(await late())).toMatchObject(expected);
  await once(client, 'close');
  expect(classify(await late())).toMatchObject(expected);
  server.close();
});
