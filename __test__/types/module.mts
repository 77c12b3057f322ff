/** `import`, as TypeScript checks it in an ES module: by name, as a namespace, and what Node makes the default. */

import dns from 'node:dns';
import { createReadStream } from 'node:fs';
import type { LookupFunction as NodeLookup } from 'node:net';
import unreset, { classify, createFetch, explain, fetch, isReset, isTransient } from 'unreset';
import * as all from 'unreset';
import manifest from 'unreset/package.json' with { type: 'json' };
import type {
  Attempt, CreateFetchOptions, Delivery, Explanation, Fault, FaultError, Fetch, FetchClient, FetchError, FetchInit,
  FetchResponse, GaveUp, LookupFunction, Recovery, Resume, RetryEvent, RetryOptions, Timeouts,
} from 'unreset';

/** Fails to compile unless the two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : never;
const same = <A, B>(_: Same<A, B>): void => {};

unreset.fetch satisfies Fetch;
all.fetch satisfies Fetch;
manifest.version satisfies string;
// @ts-expect-error the inside of the package cannot be imported
await import('unreset/lib/native');

// fetch: what it takes
const controller = new AbortController();
const response = await fetch(new URL('http://localhost/'), {
  method: 'PROPFIND',
  headers: { a: 'b' },
  redirect: 'manual',
  signal: controller.signal,
});
fetch(new Request('http://localhost/'));
fetch('http://localhost/', { method: 'POST', body: new URLSearchParams({ a: 'b' }) });
fetch('http://localhost/', { method: 'PUT', body: () => createReadStream('x') });
fetch('http://localhost/', { method: 'PUT', body: async () => new ReadableStream<Uint8Array>() });
fetch('http://localhost/', { method: 'PUT', body: (async function* () { yield 'text'; })(), duplex: 'half' });
fetch('http://localhost/', { method: 'PUT', body: () => ['one', Buffer.from('two')] });
// @ts-expect-error a URL is needed
fetch();
// @ts-expect-error a number is no body
fetch('http://localhost/', { method: 'PUT', body: 1 });
// @ts-expect-error a function must return something to read
fetch('http://localhost/', { method: 'PUT', body: () => 1 });

// fetch: what it gives
same<typeof response, FetchResponse>(true);
response satisfies Response;
response.recovery satisfies Recovery;
(await response.bytes()) satisfies Uint8Array;
same<ReturnType<typeof response.clone>, FetchResponse>(true);
// @ts-expect-error what it took cannot be changed
response.recovery = { attempts: [], resumed: 0, bytesRefetched: 0 };

const [attempt] = response.recovery.attempts;
same<typeof attempt, Attempt | undefined>(true);
attempt?.fault?.code satisfies string | undefined;
// @ts-expect-error the attempt that was answered has no fault
attempt!.fault.code;

// Times and retries
const timeout: Timeouts = { connect: 1, headers: 2, body: Infinity, attempt: false, total: 5 };
// @ts-expect-error a number has a meaning for each part of a call only
fetch('http://localhost/', { timeout: 1000 });
// @ts-expect-error unknown keys of our own option objects are refused
fetch('http://localhost/', { timeout: { conect: 1 } });

// Bodies
fetch('http://localhost/', { decompress: false, maxResponseSize: 1_000_000 });
createFetch({ decompress: true, maxResponseSize: false });
fetch('http://localhost/', { resume: 'trusting' });
createFetch({ resume: false });
createFetch({ proxy: new URL('http://proxy.example') });
createFetch({ proxy: true });
createFetch({ proxy: { url: 'http://proxy.example', headers: [['x-team', 'a']], noProxy: ['localhost'] } });
// @ts-expect-error it is called url
createFetch({ proxy: { uri: 'http://proxy.example' } });
// @ts-expect-error a proxy belongs to a client and its connections, not to a call
fetch('http://localhost/', { proxy: 'http://proxy.example' });
same<Resume, 'validated' | 'trusting' | false>(true);
// @ts-expect-error which of the two is meant has to be said
fetch('http://localhost/', { resume: true });
// @ts-expect-error true is no size
fetch('http://localhost/', { maxResponseSize: true });
// @ts-expect-error which codings are undone is not chosen
fetch('http://localhost/', { decompress: 'gzip' });

const retry: RetryOptions = {
  retries: 5,
  backoff: { base: 10, cap: 100 },
  within: 1000,
  methods: ['POST'],
  statuses: [503],
  respectRetryAfter: false,
  budget: { ratio: 0.1, perSecond: 1 },
  onRetry: async ({ attempt: number, delay, fault, url, method }) => {
    same<typeof number, number>(true);
    same<typeof delay, number>(true);
    same<typeof fault, Fault>(true);
    (url + method) satisfies string;
  },
  shouldRetry: (fault, context) => (fault.status === 503 ? context.attempt < 2 && context.elapsed < 1000 : undefined),
};
const events: RetryEvent[] = [];
fetch('http://localhost/', { retry: { budget: false, onRetry: (event) => void events.push(event) } });
fetch('http://localhost/', { retry: { shouldRetry: async () => true } });
fetch('http://localhost/', { retry: 5 });
fetch('http://localhost/', { retry: false });
// @ts-expect-error unknown keys of our own option objects are refused
fetch('http://localhost/', { retry: { retires: 5 } });
// @ts-expect-error a word is no number of retries
fetch('http://localhost/', { retry: 'often' });
// @ts-expect-error the budget is switched off by false and on by leaving it out
fetch('http://localhost/', { retry: { budget: true } });
// @ts-expect-error the answer is true, false or nothing
fetch('http://localhost/', { retry: { shouldRetry: () => 'yes' } });

// createFetch
const options: CreateFetchOptions = { retry, timeout, headers: { 'user-agent': 'mine' } };
const own: Fetch = createFetch(options);
const init: FetchInit = { retry, timeout };
own('http://localhost/', init);
createFetch();
// @ts-expect-error unknown keys of our own option objects are refused
createFetch({ retries: 5 });
const pem = new Uint8Array();
createFetch({ tls: { ca: [pem, 'PEM'], cert: pem, key: [{ pem, passphrase: 'secret' }, 'PEM'], minVersion: 'TLSv1.3' } });
createFetch({ tls: { ca: null, cert: 'PEM', key: 'PEM', passphrase: 'secret', rejectUnauthorized: false } });
// @ts-expect-error what is older is not spoken
createFetch({ tls: { minVersion: 'TLSv1.1' } });
// @ts-expect-error unknown keys of our own option objects are refused
createFetch({ tls: { pfx: pem } });
// @ts-expect-error it is given to createFetch
fetch('http://localhost/', { tls: { rejectUnauthorized: false } });

// Its connections
createFetch({ connections: 10, keepAlive: { timeout: 1, maxTimeout: Infinity, guardedTimeout: 0 }, socketPath: '/run/s' });
createFetch({ connections: false, keepAlive: false, http2: false });
// @ts-expect-error HTTP/1.1 alone is `false`
createFetch({ http2: 1 });
// @ts-expect-error true is no number of connections
createFetch({ connections: true });
// @ts-expect-error unknown keys of our own option objects are refused
createFetch({ keepAlive: { keepAliveTimeout: 1 } });
// @ts-expect-error a client's connections are the same for all its calls
fetch('http://localhost/', { connections: 1 } satisfies FetchInit);
declare const ofNode: NodeLookup;
createFetch({ lookup: dns.lookup });
createFetch({ lookup: dns.promises.lookup });
createFetch({ lookup: ofNode });
createFetch({ lookup: async () => '127.0.0.1' });
createFetch({ lookup: (_host, _options, callback) => callback(null, '127.0.0.1', 4) });
createFetch({ lookup: (_host, { all }, callback) => callback(null, all ? [{ address: '::1', family: 6 }] : '::1') });
// @ts-expect-error an address is a text
createFetch({ lookup: async () => 1 });
dns.lookup satisfies LookupFunction;

// Its end
await using ended: FetchClient = createFetch();
same<ReturnType<typeof ended.close>, Promise<void>>(true);
await ended.destroy(new Error('enough'));
// @ts-expect-error every part of a program shares it
fetch.close();

// Faults
const fault = classify('anything', { phase: 'connect', delivery: 'not-sent', signal: controller.signal });
same<typeof fault, Readonly<Fault>>(true);
same<typeof fault.delivery, Delivery>(true);
same<typeof fault.errno, number | undefined>(true);
same<typeof fault.ending, 'fin' | 'rst' | undefined>(true);
isTransient(undefined) satisfies boolean;
isReset({}) satisfies boolean;
same<ReturnType<typeof explain>, Explanation | undefined>(true);
// @ts-expect-error 'conect' is no phase
classify(new Error('x'), { phase: 'conect' });
// @ts-expect-error a fault is shared and frozen
fault.code = 'ECONNRESET';
// @ts-expect-error there is no such kind
fault.kind === 'rest';

declare const error: FetchError;
error satisfies TypeError;
same<typeof error.code, string | undefined>(true);
// @ts-expect-error a request body's stream may have thrown anything
error.cause.reason;
declare const cause: FaultError;
cause satisfies Fault & Error;
error.recovery.gaveUp satisfies GaveUp | undefined;
// @ts-expect-error there is no such reason
error.recovery.gaveUp === 'tired';
