/** `wrapFetch`: what is taken, and that the types of the client stay. */

import { createFetch, createPolicy, wrapFetch } from 'unreset';
import type { Fetch, FetchLike, Recovery, WrapFetchOptions, WrapTimeouts, WrappedFetch } from 'unreset';

/** Fails to compile unless the two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : never;
const same = <A, B>(_: Same<A, B>): void => {};

const timeout: WrapTimeouts = { attempt: 1, headers: 2, body: Infinity, total: false };
const options: WrapFetchOptions = { retry: createPolicy(), timeout, onRequest: (headers) => headers.set('a', 'b') };
wrapFetch(fetch, options);
wrapFetch(fetch, { retry: 5 });
wrapFetch(fetch, { retry: false });
// @ts-expect-error unknown options are refused
wrapFetch(fetch, { retries: 5 });
// @ts-expect-error a wrapped client connects by itself
wrapFetch(fetch, { timeout: { connect: 1 } });
// @ts-expect-error a module is no function
wrapFetch({ default: fetch });

// The built-in fetch
const wrapped = wrapFetch(fetch);
const response = await wrapped(new URL('http://localhost/'), { method: 'PUT', body: () => 'x', retry: { retries: 1 }, timeout });
response satisfies Response;
same<typeof response.recovery, Recovery>(true);
wrapped('http://localhost/', { body: async () => new ReadableStream<Uint8Array>() });
wrapped(new Request('http://localhost/'), { signal: AbortSignal.timeout(1) });
// @ts-expect-error what it took cannot be changed
response.recovery = { attempts: [], resumed: 0, bytesRefetched: 0 };
// @ts-expect-error a URL is needed
wrapped();
// @ts-expect-error the built-in fetch has no timeout of this name
wrapped('http://localhost/', { timeout: 5 });
// @ts-expect-error a policy belongs to the client
wrapped('http://localhost/', { retry: createPolicy() });
// @ts-expect-error a number is no body
wrapped('http://localhost/', { body: 1 });

// A client with types of its own, as node-fetch 2 has them
interface OwnInit { method?: string; body?: string | Buffer; timeout?: number; agent?: object }
interface OwnResponse { status: number; buffer(): Promise<Buffer> }
interface Own {
  (url: string, init?: OwnInit): Promise<OwnResponse>;
  isRedirect(status: number): boolean;
}
declare const own: Own;
const wrappedOwn: WrappedFetch<Own> = wrapFetch(own);
const answer = await wrappedOwn('http://localhost/', { agent: {}, timeout: 5, retry: 1 });
same<Awaited<ReturnType<typeof answer.buffer>>, Buffer>(true);
wrappedOwn.isRedirect(301) satisfies boolean;
wrappedOwn('http://localhost/', { timeout: { body: 1 } });
// @ts-expect-error it takes strings
wrappedOwn(new URL('http://localhost/'));
// @ts-expect-error its own option has to be one of its own
wrappedOwn('http://localhost/', { agent: 5 });

// A mock
const mock = async () => ({ ok: true, json: async () => ({ stock: 1 }) });
mock satisfies FetchLike;
(await wrapFetch(mock)('/relative')).ok satisfies boolean;
createFetch({ fetch: mock }) satisfies Fetch;
// @ts-expect-error it is called
createFetch({ fetch: 'mock' });
