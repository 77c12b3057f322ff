/** Faults as TypeScript checks them: what a fault may say depends on its type and its point. */

import { FaultProxy } from 'unreset';
import type { FaultHandle, FaultProxyStats, ListenError, ProxyFault, Timeline, TimelineEntry } from 'unreset';

/** Fails to compile unless the two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : never;
const same = <A, B>(_: Same<A, B>): void => {};

await using proxy = await FaultProxy.listen({ upstream: 'localhost:5432', port: 0, host: '127.0.0.1', seed: 7 });
await FaultProxy.listen({ upstream: 5432 });
await FaultProxy.listen({ upstream: { port: 5432 } });
await FaultProxy.listen({ upstream: { host: '::1', port: 5432 } });
// @ts-expect-error a proxy leads somewhere
await FaultProxy.listen({});
// @ts-expect-error unknown keys of our own option objects are refused
await FaultProxy.listen({ upstream: 1, ports: 1 });
// @ts-expect-error a proxy is made by listen()
new FaultProxy();

same<typeof proxy.port, number>(true);
(proxy.address + proxy.url() + proxy.url('/x')) satisfies string;
proxy.seed satisfies number;
proxy.unref().ref() satisfies FaultProxy;
same<ReturnType<typeof proxy.resetAll>, number>(true);
proxy.pause();
proxy.resume();
await proxy.close();
// @ts-expect-error the port is where it is
proxy.port = 1;

// Every type, at points it can strike
const faults: ProxyFault[] = [
  { type: 'reset', on: 'response', afterBytes: 1000, afterMs: 5, times: 1 },
  { type: 'reset', on: 'idle', afterMs: 500 },
  { type: 'reset', on: 'accept', afterMs: 500, connections: [1, 3] },
  { type: 'close', on: 'response-body', afterBytes: 1, match: { method: 'GET', path: '/a*' }, everyNth: 2 },
  { type: 'halfClose', on: 'request', probability: 0.5 },
  { type: 'refuse', on: 'accept' },
  { type: 'blackhole', on: 'before-request-forwarded', match: { path: '/x' } },
  { type: 'stall', on: 'after-request-forwarded' },
  { type: 'latency', on: 'accept', ms: 10 },
  { type: 'latency', on: 'response-head', ms: 10, jitter: 5 },
  { type: 'bandwidth', on: 'response-body', rate: 1024 },
  { type: 'slice', on: 'request', size: 1, ms: 1 },
  { type: 'reset', on: 'request-frame', frame: 2, afterBytes: 5, afterMs: 1 },
  { type: 'latency', on: 'response-frame', ms: 10 },
  { type: 'close', on: 'after-response-frame', frame: 3, times: 1 },
];

const handle = proxy.add({ type: 'reset', on: 'response', afterBytes: 1000 });
same<typeof handle.hits, number>(true);
handle.fault satisfies ProxyFault;
handle.remove();
const handles: FaultHandle[] = faults.map((fault) => proxy.add(fault));
handles[0]?.id satisfies number | undefined;
// @ts-expect-error it is a copy, and frozen
handle.fault.on = 'idle';
// @ts-expect-error strikes are counted by the proxy
handle.hits = 1;

// @ts-expect-error there is no such fault
proxy.add({ type: 'rest', on: 'accept' });
// @ts-expect-error there is no such point
proxy.add({ type: 'reset', on: 'respnse' });
// @ts-expect-error a fault strikes somewhere
proxy.add({ type: 'reset' });
// @ts-expect-error no byte flows in silence
proxy.add({ type: 'reset', on: 'idle', afterBytes: 1 });
// @ts-expect-error there is no request in silence
proxy.add({ type: 'reset', on: 'idle', match: { path: '/' } });
// @ts-expect-error no byte has flowed yet
proxy.add({ type: 'reset', on: 'accept', afterBytes: 1 });
// @ts-expect-error these are one exact place
proxy.add({ type: 'reset', on: 'after-request-forwarded', afterBytes: 1 });
// @ts-expect-error all of the frame
proxy.add({ type: 'reset', on: 'after-request-frame', afterBytes: 1 });
// @ts-expect-error the request that frames follow is through
proxy.add({ type: 'reset', on: 'request-frame', match: { path: '/' } });
// @ts-expect-error frames are counted where there are frames
proxy.add({ type: 'reset', on: 'request', frame: 1 });
// @ts-expect-error a frame is no flow of bytes
proxy.add({ type: 'bandwidth', on: 'request-frame', rate: 1 });
// @ts-expect-error a port listens or not, for everybody
proxy.add({ type: 'refuse', on: 'accept', times: 1 });
// @ts-expect-error what was never accepted cannot be refused
proxy.add({ type: 'refuse', on: 'request' });
// @ts-expect-error silence cannot be delayed
proxy.add({ type: 'latency', on: 'idle', ms: 1 });
// @ts-expect-error how much later?
proxy.add({ type: 'latency', on: 'request' });
// @ts-expect-error nothing flows yet
proxy.add({ type: 'bandwidth', on: 'accept', rate: 1 });
// @ts-expect-error a rate is of bandwidth
proxy.add({ type: 'slice', on: 'request', size: 1, rate: 1 });
// @ts-expect-error unknown keys of a match are refused
proxy.add({ type: 'reset', on: 'request', match: { url: '/' } });

// What it tells
same<ReturnType<typeof proxy.stats>, FaultProxyStats>(true);
proxy.stats().strikes.reset satisfies number | undefined;
const timeline: Timeline = proxy.timeline();
timeline.dropped satisfies number;
const [entry] = timeline;
same<typeof entry, TimelineEntry | undefined>(true);
if (entry?.event === 'strike') entry.fault satisfies number;
if (entry?.event === 'frames') (entry.frame + entry.frames) satisfies number;
if (entry?.event === 'exchange') (entry.method + entry.path) satisfies string;
// @ts-expect-error only some entries have a status
entry?.status;
declare const error: ListenError;
error satisfies NodeJS.ErrnoException;
