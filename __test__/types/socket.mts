/** The socket that stays connected, as a TypeScript program uses it. */

import { pipeline } from 'node:stream/promises';
import { Socket, connect, type Disconnect, type SocketOptions, type SocketStats } from 'unreset';
import { Socket as NetSocket, createConnection } from 'unreset/net';

const client = new Socket();
client.connect(1337, 'device.local', () => client.write('Hello'));
client.setNoDelay().setKeepAlive(true, 1000).setTimeout(5, () => {}).ref().unref();
client.on('disconnect', ({ fault, unacknowledged }: Disconnect) => {
  const bytes: number | 'unknown' = unacknowledged;
  void [fault.phase, bytes];
});
for await (const chunk of client) void chunk;
await pipeline(client, process.stdout);

const same: NetSocket = client;
const other: Socket = createConnection({ port: 1, tls: { servername: 'a.test', ALPNProtocols: ['a'] }, reconnect: 3 });
void [same, other];

const options: SocketOptions = {
  reconnectOnEnd: false,
  frame: { delimiter: '\n' },
  resend: 'unacknowledged',
  queue: { bytes: 10, whenFull: 'error' },
  heartbeat: { interval: 1000, send: 'PING\n', expect: 'PONG\n' },
  reconnect: { retries: 3, backoff: { base: 1 }, onRetry: ({ attempt }) => void attempt },
  async onConnect(session) {
    session.write('login\n');
    const answer: string = (await session.readUntil('\n')).toString('utf8');
    this.acknowledge(answer.length);
  },
};
const stats: SocketStats = connect({ ...options, port: 1 }).stats();
void stats.rtt;

// @ts-expect-error: there is no such rule.
connect({ port: 1, queue: { whenFull: 'drop' } });
// @ts-expect-error: budgets are for calls.
connect({ port: 1, reconnect: { budget: false } });
