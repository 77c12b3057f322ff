/** The policy that clients share, `retry(fn)`, and the hook for tracing, as TypeScript checks them. */

import { createFetch, createPolicy, fetch, retry } from 'unreset';
import type {
  BreakerOptions, BreakerState, Fault, GaveUp, ObservedCall, OnRequest, OriginStats, PolicyEvents, Recovery, RetryFunctionContext,
  RetryFunctionOptions, RetryOptions, RetryPolicy,
} from 'unreset';

const policy = createPolicy({ retries: 5, breaker: { minCalls: 50, failureRate: 0.5, window: 1, openFor: 1, probes: 1 } });
policy satisfies RetryPolicy;
createPolicy();
createPolicy(5);
createPolicy(false);
createPolicy({ breaker: true }) satisfies RetryPolicy;
// @ts-expect-error unknown keys are refused
createPolicy({ retires: 5 });
// @ts-expect-error so are those of the breaker
createPolicy({ breaker: { rate: 1 } satisfies BreakerOptions });
policy.with({ retries: 1 }).with(2) satisfies RetryPolicy;

// Events
policy
  .on('attempt', ({ surface, origin, method, url, attempt, fault }) => {
    [surface, origin] satisfies string[];
    [method, url] satisfies (string | undefined)[];
    attempt satisfies number;
    fault satisfies Fault | null;
  })
  .once('retry', ({ attempt, delay, fault, why }) => {
    [attempt, delay] satisfies number[];
    fault satisfies Fault;
    why satisfies string;
  })
  .on('recovered', ({ recovery }) => recovery satisfies Recovery)
  .on('gave-up', ({ gaveUp }) => gaveUp satisfies GaveUp)
  .off('breaker', ({ from, to, retryIn }: PolicyEvents['breaker']) => {
    [from, to] satisfies BreakerState[];
    retryIn satisfies number | undefined;
  });
// @ts-expect-error there is no such event
policy.on('retries', () => {});
({ surface: 'fetch', origin: '' }) satisfies ObservedCall;

const [stats] = Object.values(policy.stats());
stats satisfies OriginStats | undefined;
stats!.breaker satisfies BreakerState | null;

// Where it goes
createFetch({ retry: policy });
createFetch({ retry: policy.with(1), onRequest: (headers, { method, url }) => headers.set(method, url) });
const onRequest: OnRequest = (headers) => headers.get('a') satisfies string | null | undefined;
createFetch({ onRequest });
// @ts-expect-error the policy of a call is its client's
fetch('http://localhost/', { retry: policy });

// retry(fn)
const seven: number = await retry(async () => 7);
const plain: number = await retry(() => seven);
const context = await retry((given) => given, { signal: AbortSignal.timeout(1), idempotent: false, origin: 'a', policy, retries: 2 });
context satisfies RetryFunctionContext;
context.lastFault?.code satisfies string | undefined;
await retry(() => plain, policy);
await retry(() => plain, 3);
await retry(() => plain, false);
({ retries: 1, signal: null }) satisfies RetryFunctionOptions;
({ retries: 1 } satisfies RetryOptions) satisfies RetryFunctionOptions;
// @ts-expect-error a function is needed
await retry(fetch('http://localhost/'));

// retry.wrap(fn)
const wrapped = retry.wrap(async (text: string, count: number) => text.repeat(count), { retries: 5 });
(await wrapped('a', 2)) satisfies string;
// @ts-expect-error the arguments are those of the function
await wrapped(2, 'a');
