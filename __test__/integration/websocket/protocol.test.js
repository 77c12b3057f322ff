'use strict';

/** Frames, byte by byte: those that a server may send, those that it may not, and those that leave here. */

const { once } = require('node:events');
const { acceptingHeaders, closeWebSockets, closing, connectTo, ended, frame, messages, readFrames, serve, serveRaw } = require('../../support/websockets');

afterEach(closeWebSockets);

/** A server that writes these bytes; what comes back is in `frames`. */
async function writing(...chunks) {
  const frames = [];
  const server = await serveRaw((socket) => {
    readFrames(socket, (seen) => frames.push(seen));
    for (const chunk of chunks) socket.write(chunk);
  });
  return Object.assign(server, { frames });
}

test('fragments with control frames between them are one message', async () => {
  const server = await writing(
    frame('text', 'H\xc3', { fin: false }), frame('ping', '1'), frame('continuation', 'é', { fin: false }), frame('pong', 'unasked'),
    frame('ping', '2'), frame('continuation', '', { fin: false }), frame('continuation', '!'),
  );
  const ws = connectTo(server.url);
  const told = [];
  for (const name of ['ping', 'pong']) ws.on(name, (data) => told.push(`${name} ${data}`));
  expect(await messages(ws, 1)).toEqual(['HÃé!']);
  expect(told).toEqual(['ping 1', 'pong unasked', 'ping 2']);
});

test('a character that is cut by a fragment is whole', async () => {
  const bytes = Buffer.from('a\u{1f600}b');
  const parts = Array.from(bytes, (byte, index) => frame(index === 0 ? 'text' : 'continuation', Buffer.from([byte]), { fin: index === bytes.length - 1 }));
  const server = await writing(...parts);
  expect(await messages(connectTo(server.url), 1)).toEqual(['a\u{1f600}b']);
});

test('pings are answered with their data, in order', async () => {
  const server = await writing(frame('ping', 'a'), frame('ping', ''), frame('ping', 'x'.repeat(125)));
  const ws = connectTo(server.url);
  const pings = [];
  ws.on('ping', (data) => pings.push(data));
  while (pings.length < 3) await once(ws, 'ping');
  ws.send('last');
  while (!server.frames.some(({ opcode }) => opcode === 1)) await new Promise(setImmediate);
  const pongs = server.frames.filter(({ opcode }) => opcode === 10).map(({ payload }) => String(payload));
  // RFC 6455, 5.5.3: of pings that came together the latest may be answered alone.
  expect(pongs.at(-1)).toBe('x'.repeat(125));
});

const VIOLATIONS = {
  'a masked frame': [1002, frame('text', 'masked', { masked: true })],
  'a reserved bit': [1002, frame('text', 'x', { rsv: 4 })],
  'a reserved opcode': [1002, Buffer.from([0x83, 0])],
  'a control frame in fragments': [1002, frame('ping', 'x', { fin: false })],
  'a control frame that is too long': [1002, Buffer.concat([Buffer.from([0x89, 126, 0, 126]), Buffer.alloc(126)])],
  'a continuation of nothing': [1002, frame('continuation', 'x')],
  'a message within a message': [1002, Buffer.concat([frame('text', 'a', { fin: false }), frame('text', 'b')])],
  'a Close frame of one byte': [1002, frame('close', Buffer.from([3]))],
  'a reason that is not UTF-8': [1007, frame('close', Buffer.concat([closing(1000), Buffer.from([0xff])]))],
  'text that is not UTF-8': [1007, frame('text', Buffer.from([0x61, 0xff]))],
  'text that ends within a character': [1007, frame('text', Buffer.from([0xc3]))],
  'a surrogate in UTF-8': [1007, frame('text', Buffer.from([0xed, 0xa0, 0x80]))],
  'text in fragments that is not UTF-8': [1007, Buffer.concat([frame('text', 'a', { fin: false }), frame('continuation', Buffer.from([0xff]))])],
};

test.each(Object.entries(VIOLATIONS))('%s ends it, and the peer is told why', async (name, [code, bytes]) => {
  const server = await writing(bytes);
  const ws = connectTo(server.url);
  const heard = [];
  ws.on('message', (data) => heard.push(data));
  const { code: closed, fault, error } = await ended(ws);
  while (!server.frames.some(({ opcode }) => opcode === 8)) await new Promise(setImmediate);
  const { payload } = server.frames.find(({ opcode }) => opcode === 8);
  expect([heard, payload.readUInt16BE(0), closed, fault.kind, error.code]).toEqual([[], code, 1006, 'protocol', fault.code]);
});

test('a compressed frame where nothing was agreed on', async () => {
  const server = await writing(frame('text', 'x', { rsv: 4 }));
  const { fault } = await ended(connectTo(server.url, { perMessageDeflate: false }));
  expect(fault.kind).toBe('protocol');
});

test('maxPayload: a longer message ends it with 1009, in one frame, in fragments, and inflated', async () => {
  const deflating = await serve((socket) => socket.send('x'.repeat(10_000)), { perMessageDeflate: { threshold: 0 } });
  const servers = [
    await writing(frame('text', 'x'.repeat(1001))),
    await writing(frame('text', 'x'.repeat(600), { fin: false }), frame('continuation', 'x'.repeat(600))),
  ];
  for (const server of servers) {
    const { fault } = await ended(connectTo(server.url, { maxPayload: 1000 }));
    while (!server.frames.some(({ opcode }) => opcode === 8)) await new Promise(setImmediate);
    const { payload } = server.frames.find(({ opcode }) => opcode === 8);
    expect([payload.readUInt16BE(0), fault.kind]).toEqual([1009, 'too-large']);
  }
  const closed = new Promise((resolve) => {
    deflating.wss.on('connection', (socket) => socket.on('close', resolve));
  });
  const { fault } = await ended(connectTo(deflating.url, { maxPayload: 1000 }));
  expect([await closed, fault.kind]).toEqual([1009, 'too-large']);
});

test('maxPayload is inclusive', async () => {
  const server = await writing(frame('text', 'x'.repeat(1000)));
  expect(await messages(connectTo(server.url, { maxPayload: 1000 }), 1)).toEqual(['x'.repeat(1000)]);
});

test('what leaves is masked, and in frames of maxFrame', async () => {
  const server = await writing();
  const ws = connectTo(server.url, { maxFrame: 4096, perMessageDeflate: false });
  await once(ws, 'open');
  ws.send('small');
  ws.send(Buffer.alloc(10_000, 7));
  expect(await ws.deliver('last')).toBe('written');
  while (server.frames.length < 5) await new Promise(setImmediate);
  expect(server.frames.map(({ opcode, fin, isMasked, payload }) => [opcode, fin, isMasked, payload.length])).toEqual([
    [1, true, true, 5], [2, false, true, 4096], [0, false, true, 4096], [0, true, true, 10_000 - 2 * 4096], [1, true, true, 4],
  ]);
});

test('a ping does not wait behind a large message', async () => {
  const server = await writing();
  const ws = connectTo(server.url, { maxFrame: 4096, perMessageDeflate: false });
  await once(ws, 'open');
  ws.send(Buffer.alloc(50_000_000));
  ws.ping('in between');
  expect(await ws.deliver('last')).toBe('written');
  while (server.frames.at(-1)?.opcode !== 1) await new Promise(setImmediate);
  const at = server.frames.findIndex(({ opcode }) => opcode === 9);
  // Before its first frame, or between two.
  expect([0, 2]).toContain(server.frames[at + 1].opcode);
});

test('closeTimeout bounds the wait for a peer that does not answer close', async () => {
  const server = await writing();
  const ws = connectTo(server.url, { closeTimeout: 50 });
  await once(ws, 'open');
  ws.close(1000, 'bye');
  expect((await ended(ws)).code).toBe(1006);
  expect(server.frames.find(({ opcode }) => opcode === 8).payload).toEqual(closing(1000, 'bye'));
});

test('close without a code sends none', async () => {
  const server = await writing(frame('ping'));
  const ws = connectTo(server.url, { closeTimeout: 50 });
  await once(ws, 'open');
  ws.close();
  await ended(ws);
  expect(server.frames.find(({ opcode }) => opcode === 8).payload).toHaveLength(0);
});

describe.each([['with deflate', true], ['without', false]])('a server of ws %s', (name, perMessageDeflate) => {
  const echo = () => serve((socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })), {
    perMessageDeflate: perMessageDeflate && { threshold: 0 }, maxPayload: 256 * 1024 * 1024,
  });

  test('sends back what it gets, of every size', async () => {
    const server = await echo();
    const ws = connectTo(server.url);
    await once(ws, 'open');
    const sizes = [0, 1, 125, 126, 1023, 1024, 8191, 8192, 8193, 16_384, 16_385, 65_535, 65_536, 65_537, 1_000_000];
    const sent = sizes.flatMap((size) => {
      const bytes = Buffer.alloc(size);
      for (let index = 0; index < size; index++) bytes[index] = (index * 7919) >> 5;
      return [bytes, bytes.toString('latin1')];
    });
    const back = messages(ws, sent.length);
    for (const data of sent) ws.send(data);
    const got = await back;
    expect(got.map((data, index) => (typeof data === 'string' ? data === sent[index] : data.equals(sent[index])))).toEqual(sent.map(() => true));
    expect(ws.extensions !== '').toBe(perMessageDeflate);
  });

  test('many small ones keep their order', async () => {
    const server = await echo();
    const ws = connectTo(server.url);
    await once(ws, 'open');
    const count = 10_000;
    const back = messages(ws, count);
    for (let index = 0; index < count; index++) ws.send(index % 2 ? `${index}` : `é${index}`);
    expect(await back).toEqual(Array.from({ length: count }, (_, index) => (index % 2 ? `${index}` : `é${index}`)));
  });

  test('100 MB', async () => {
    const server = await echo();
    const ws = connectTo(server.url, { maxPayload: 0 });
    await once(ws, 'open');
    const large = Buffer.alloc(100_000_000);
    for (let at = 0; at < large.length; at += 4099) large[at] = at >> 3;
    const back = messages(ws, 1);
    expect(await ws.deliver(large)).toBe('written');
    expect((await back)[0].equals(large)).toBe(true);
    expect(ws.stats().reconnects).toBe(0);
  }, 120_000);
});

test('compress: false, and a message below the threshold, leave as they are', async () => {
  const frames = [];
  const server = await serveRaw((socket) => readFrames(socket, (seen) => frames.push(seen)), (request, accept) => [
    ...acceptingHeaders(request, accept),
    'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover',
  ]);
  const ws = connectTo(server.url, { perMessageDeflate: { threshold: 100 } });
  await once(ws, 'open');
  ws.send('x'.repeat(1000), { compress: false });
  ws.send('x'.repeat(99));
  ws.send('x'.repeat(1000));
  ws.send('x'.repeat(1000));
  while (frames.length < 4) await new Promise(setImmediate);
  expect(frames.map(({ rsv1 }) => rsv1)).toEqual([false, false, true, true]);
  // Without context takeover each is compressed by itself.
  expect(frames[2].payload.equals(frames[3].payload)).toBe(true);
});

test('zlibDeflateOptions.level', async () => {
  const text = JSON.stringify(Array.from({ length: 3000 }, (_, index) => ({ id: index, name: `name ${index * 7919}`, at: index * 37 })));
  const lengths = [];
  for (const level of [1, 9]) {
    const frames = [];
    const server = await serveRaw((socket) => readFrames(socket, (seen) => frames.push(seen)), (request, accept) => [
      ...acceptingHeaders(request, accept), 'Sec-WebSocket-Extensions: permessage-deflate',
    ]);
    const ws = connectTo(server.url, { perMessageDeflate: { zlibDeflateOptions: { level } }, maxFrame: 16 * 1024 * 1024 });
    await once(ws, 'open');
    ws.send(text);
    while (frames.length < 1) await new Promise(setImmediate);
    lengths.push(frames[0].payload.length);
  }
  expect(lengths[0]).toBeGreaterThan(lengths[1]);
  expect(lengths[1]).toBeLessThan(text.length / 3);
});

test.each([
  ['serverNoContextTakeover', /server_no_context_takeover/],
  ['clientNoContextTakeover', /client_no_context_takeover/],
])('%s is offered', async (option, offered) => {
  const server = await serve(undefined, { perMessageDeflate: true });
  const plain = connectTo(server.url);
  const ws = connectTo(server.url, { perMessageDeflate: { [option]: true } });
  await Promise.all([once(plain, 'open'), once(ws, 'open')]);
  const offers = server.requests.map(({ headers }) => headers['sec-websocket-extensions']);
  expect(offers.filter((offer) => offered.test(offer))).toHaveLength(1);
});

test('window bits are offered', async () => {
  const server = await serve(undefined, { perMessageDeflate: true });
  const ws = connectTo(server.url, { perMessageDeflate: { serverMaxWindowBits: 10, clientMaxWindowBits: 9 } });
  await once(ws, 'open');
  expect(server.requests[0].headers['sec-websocket-extensions']).toMatch(/server_max_window_bits=10/);
  expect(server.requests[0].headers['sec-websocket-extensions']).toMatch(/client_max_window_bits=9/);
});
