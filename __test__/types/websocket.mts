/** The WebSocket that stays connected, as a TypeScript program uses it. */

import {
  WebSocket, createPolicy, createWebSocketStream, type Fault, type WebSocketCloseEvent, type WebSocketFlow, type WebSocketOptions,
} from 'unreset';
import WsWebSocket, { WebSocket as Named, createWebSocketStream as createStream } from 'unreset/websocket';

const ws = new WebSocket('wss://example.com/feed');
const same: Named = ws;
const other: WebSocket = new WsWebSocket('ws://127.0.0.1', ['a', 'b'], { headers: { a: 'b' } });
void [same, other, WsWebSocket.createWebSocketStream, createStream(ws), createWebSocketStream(ws, { readableObjectMode: true })];

// As a browser's.
ws.onopen = () => ws.send('hello');
ws.onmessage = ({ data }) => void data;
ws.onclose = ({ code, reason, wasClean, fault }) => void [code, reason, wasClean, fault?.reason];
ws.onerror = ({ message }) => void message;
ws.binaryType = 'arraybuffer';
ws.addEventListener('close', ({ code }: WebSocketCloseEvent) => void code, { once: true, signal: new AbortController().signal });
ws.addEventListener('disconnect', { handleEvent: ({ detail }) => void detail.fault.reason });
if (ws.readyState === WebSocket.OPEN || ws.readyState === ws.CLOSING) ws.close(1000, 'done');

// As that of ws.
ws.on('message', (data, isBinary) => void [data, isBinary satisfies boolean]);
ws.on('close', (code, reason, fault) => void [code.toFixed(), reason.toString('utf8'), fault?.code]);
ws.once('upgrade', ({ headers }) => void headers['set-cookie']);
ws.on('unexpected-response', async (request, response) => {
  for await (const chunk of response) void chunk.length;
  void [request.path, response.statusCode];
});
ws.send(new Uint8Array(1), { compress: false, binary: true }, (error) => void error?.delivery);
ws.send(new Blob(['a']), () => {});
ws.ping('x', true, () => {});
ws.pause();
ws.terminate();

// Ours.
ws.on('disconnect', ({ fault, unacknowledged, uptime, code, lastSend }) => void [fault.ending, unacknowledged, uptime, code, lastSend?.bytes]);
ws.on('reconnecting', ({ attempt, delay, fault }) => void [attempt, delay, fault.code]);
ws.on('reconnect', ({ attempts, downtime }) => void [attempts, downtime]);
ws.on('oversized', ({ data, bytes, largest }) => void [data.length, bytes, largest]);
ws.on('adapt', ({ frame, pace }) => void [frame, pace]);
ws.on('unsent', ({ messages, delivery }) => void [messages, delivery]);
const word: 'written' | 'unsent' | 'unknown' = await ws.deliver('x');
await ws.drained();
const flow: WebSocketFlow = ws.flow();
void [word, flow.frame, ws.stats().rtt, ws.ref().unref()];

const options: WebSocketOptions = {
  protocols: () => ['a'],
  headers: async ({ attempt, fault }) => ({ 'x-attempt': attempt, 'x-last': fault?.code ?? '' }),
  reconnect: { retries: 3, backoff: { base: 1 }, codes: [4000], minUptime: 10, onRetry: ({ attempt }) => void attempt },
  shouldReconnect: (event: WebSocketCloseEvent, fault: Fault) => (event.code === 4001 ? fault.transient : undefined),
  async onConnect(session) {
    session.send('login');
    const answer = await session.once((data, isBinary) => !isBinary && data !== 'noise');
    this.send(answer);
    void [session.generation, session.signal.aborted, session.protocol];
  },
  queue: { bytes: 10, age: 5 },
  resend: 'unknown-too',
  heartbeat: { interval: 1000 },
  maxFrame: 4096,
  perMessageDeflate: { threshold: 10, zlibDeflateOptions: { level: 3, chunkSize: 1024 } },
  tls: { servername: 'a.test' },
  ca: 'pem',
  proxy: 'http://127.0.0.1:1',
};
new WebSocket(async () => new URL('wss://a.test'), options);
new WebSocket('ws://a.test', undefined, { reconnect: createPolicy({ retries: 1 }), heartbeat: false });

// @ts-expect-error: there is no such rule.
new WebSocket('ws://a.test', { resend: 'always' });
// @ts-expect-error: budgets are for calls.
new WebSocket('ws://a.test', { reconnect: { budget: false } });
// @ts-expect-error: there is no such form.
ws.binaryType = 'text';
