/// <reference lib="esnext.disposable" />

/**
 * `unreset`: network calls that survive ECONNRESET and its relatives.
 *
 * ```js
 * import { fetch } from 'unreset';
 *
 * const response = await fetch('https://example.com/stock/42');
 * console.log(await response.json(), response.recovery.attempts.length);
 * ```
 *
 * All times are in milliseconds. `require('unreset')` throws an error with `code: 'ERR_UNRESET_NATIVE'` when the
 * package has no native addon for the platform; its message says what is missing and how to build it.
 */

// ---------------------------------------------------------------------------------------------------- fetch

/**
 * The `fetch` of the WHATWG standard, as Node users know it, with retries: a GET that meets a reset is repeated,
 * a POST only when not one byte of it had left. It resolves on any status; when the retries run out on a status,
 * the last response is returned as it is.
 *
 * @param input a URL, or a `Request`
 * @param init as for the built-in fetch, and `retry`, `timeout`, `resume`, `decompress` and `maxResponseSize`. Members that it
 *   does not know are ignored, as the standard says; unknown keys inside `retry` and `timeout` are errors.
 * @returns rejects with a {@link FetchError} when there is no answer; with the signal's reason when the call was
 *   aborted; with what a hook threw; with a `TypeError` or `RangeError` that names the option, before anything
 *   is sent, on bad input
 *
 * @example
 * try {
 *   const response = await fetch(url, { timeout: { total: 5_000 }, retry: { retries: 5 } });
 *   return await response.json();
 * } catch (error) {
 *   if (error.code === 'ECONNRESET') console.error(error.cause.reason, error.recovery.attempts);
 *   throw error;
 * }
 */
export function fetch(input: string | URL | Request, init?: FetchInit): Promise<FetchResponse>;

/**
 * Makes a `fetch` with its own connections, retry budget and defaults.
 *
 * @throws {TypeError | RangeError} on an option that is unknown or out of range; the message names it
 *
 * @example
 * const billing = createFetch({ retry: { retries: 5, within: 20_000 }, timeout: { attempt: 2_000 } });
 * await billing('https://billing.internal/invoices');
 */
export function createFetch(options?: CreateFetchOptions): FetchClient;

/** What {@link createFetch} makes; {@link fetch} is one with the defaults. */
export type Fetch = (input: string | URL | Request, init?: FetchInit) => Promise<FetchResponse>;

/**
 * A {@link Fetch} with connections of its own, and an end. The exported `fetch` has none: every part of a program shares
 * it, and its idle connections do not keep the process alive.
 */
export interface FetchClient extends Fetch, AsyncDisposable {
  /**
   * Lets the calls in flight end, bodies that are still being read included, and closes each connection as soon as it
   * is idle. Calls that begin later, retries not among them, reject with `UND_ERR_CLOSED`, as in undici.
   *
   * @returns resolves when nothing is in flight and no connection is open. A body that nobody reads is waited for as long
   *   as it has not arrived whole: cancel it (`response.body.cancel()`), or {@link FetchClient.destroy}.
   *
   * @example
   * process.once('SIGTERM', () => billing.close());
   */
  close(): Promise<void>;

  /**
   * Ends the calls in flight at once, and closes all connections. Calls that begin later reject with
   * `UND_ERR_DESTROYED`.
   *
   * @param reason what the calls in flight, and the reading of their bodies, reject with. Default: a {@link FetchError}
   *   with the code `UND_ERR_DESTROYED`
   * @returns resolves when nothing of them is left
   *
   * @example
   * await billing.destroy(new Error('the tenant was deleted'));
   */
  destroy(reason?: unknown): Promise<void>;

  /**
   * {@link FetchClient.close}.
   *
   * @example
   * await using billing = createFetch({ connections: 10 });
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The defaults of a `fetch` made by {@link createFetch}. */
export interface CreateFetchOptions {
  /** See {@link FetchInit.retry}; or a policy that other clients share: see {@link createPolicy}. */
  retry?: RetryOptions | RetryPolicy | number | false;
  /** See {@link FetchInit.timeout}. */
  timeout?: Timeouts;
  /** See {@link FetchInit.resume}. */
  resume?: Resume;
  /** See {@link FetchInit.decompress}. */
  decompress?: boolean;
  /** See {@link FetchInit.maxResponseSize}. */
  maxResponseSize?: number | false;
  /** Sent with every call, except where the call sets a header of the same name. */
  headers?: RequestInit['headers'];
  /**
   * The HTTP or SOCKS proxy through which calls go: its URL, which may carry credentials, or an object. `true`: the
   * proxies of the environment (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`). `false`: none. Default: those of the environment where Node's
   * own fetch would use them, which is under `NODE_USE_ENV_PROXY=1` or `--use-env-proxy`, and otherwise none. It is read
   * here, once; by the shared {@link fetch} when it is first called. `docs/proxies.md` has the rules.
   *
   * @example
   * const fetch = createFetch({ proxy: 'http://user:password@proxy.example:3128' });
   * @example
   * const throughTor = createFetch({ proxy: 'socks5h://127.0.0.1:9050' });
   * @example
   * const fetch = createFetch({ proxy: { url: 'http://proxy.example:3128', noProxy: ['localhost', '.internal.example'] } });
   */
  proxy?: string | URL | ProxyOptions | boolean;

  /**
   * The most connections to one origin at a time, at least 1; further calls wait for one, which counts for
   * {@link Timeouts.attempt} and {@link Timeouts.total} alone. `false` is no limit, and so is `Infinity`. Default `false`, as for the built-in fetch: a
   * call that waits for another one's answer costs more than a connection. Set it where the server counts them. Not
   * together with a SOCKS proxy.
   *
   * @example
   * const legacy = createFetch({ connections: 4 });
   */
  connections?: number | false;

  /**
   * Whether a connection serves more than one call, and how long it may idle between two: `true`, an object, or `false`
   * for a connection of its own for each call. Default `true`: a new connection costs one round trip, three with TLS.
   *
   * @example
   * const behindGunicorn = createFetch({ keepAlive: { timeout: 1_500 } }); // it closes after 2 s, and does not say so
   */
  keepAlive?: boolean | KeepAlive;

  /**
   * Offer HTTP/2 to servers that are reached over TLS; where the server agrees, one connection carries all calls to it.
   * Default `true`: it saves a handshake for each connection, and the server says which calls it did not act on (GOAWAY,
   * REFUSED_STREAM), so these are repeated, a POST too. `false`: HTTP/1.1, a connection for each call in flight. Choose
   * it where packets get lost, because on the one connection a lost packet delays all calls; where large bodies are to
   * be transferred side by side at the full rate; and where the server allows fewer streams than there are calls at a
   * time: the others wait for one, which counts for {@link Timeouts.headers}. Over plain `http:` it is HTTP/1.1 always.
   *
   * @example
   * const overRadio = createFetch({ http2: false });
   */
  http2?: boolean;

  /**
   * The path of a Unix socket through which every call goes, whatever host its URL names; that host is still what the
   * server reads in `Host`, and what its certificate must be for. Default: TCP. Not on Windows: named pipes are not
   * supported.
   *
   * @example
   * const docker = createFetch({ socketPath: '/var/run/docker.sock' });
   * await docker('http://localhost/containers/json');
   */
  socketPath?: string;

  /**
   * Finds the addresses of a host, in place of the system: as the option of `net.connect`, so `dns.lookup` and what is
   * made to replace it fit. It is asked for each new connection to a name, never for an IP address, and not in the async
   * context of a call: a connection belongs to all of them. See {@link LookupFunction}. Not together with `socketPath`.
   *
   * By default the system is asked, once for all that ask for a name at the same time, and its addresses are tried in
   * the order that `dns.setDefaultResultOrder` and `--dns-result-order` say when the first call begins, as by the
   * built-in fetch.
   *
   * @example
   * import CacheableLookup from 'cacheable-lookup';
   * const cache = new CacheableLookup();
   * const cached = createFetch({ lookup: (host, options, callback) => cache.lookup(host, options, callback) });
   */
  lookup?: LookupFunction;

  /** Whom to trust over TLS, and who we are. */
  tls?: TlsOptions;

  /** May add headers to each call, as tracing does. See {@link OnRequest}. */
  onRequest?: OnRequest;

  /**
   * Makes the calls in place of the native engine, so that a program can be tested without a network: `jest.fn()`, the
   * fetch of a mock server. All else stays: retries, waits, hooks, limits, the shape of responses and errors. The options that
   * only the engine has (`tls`, `lookup`, `connections`, `proxy`, `http2`, `socketPath`, `keepAlive`, `resume`, `decompress`,
   * `maxResponseSize`, `timeout.connect`) must be left out; those of them that a call may have are ignored.
   *
   * @example
   * const mock = async () => new Response('{"stock":3}');
   * const fetch = createFetch({ fetch: mock });
   */
  fetch?: FetchLike;
}

/** One proxy, and the hosts that need none. */
export interface ProxyOptions {
  /**
   * `http://` or `https://` (TLS to the proxy itself), `socks5h://` or `socks4a://` (SOCKS, names are resolved by the
   * proxy), `socks5://` or `socks4://` (they are resolved here). The proxy alone is told the credentials in it, and no
   * error repeats them; SOCKS 4 has none.
   */
  url: string | URL;
  /**
   * What only the proxy is told: with `CONNECT` for https URLs, with the request itself for http ones, where headers of
   * the request come first. Not for SOCKS.
   *
   * @example
   * const headers = { 'proxy-authorization': `Bearer ${token}` };
   * createFetch({ proxy: { url: 'https://proxy.example', headers } });
   */
  headers?: RequestInit['headers'];
  /** Hosts that are reached directly, written as in `NO_PROXY`: `localhost,.example.com,10.0.0.1:8080`, or an array. */
  noProxy?: string | string[];
}

/**
 * How long a connection may idle and still serve a call, in ms; `Infinity` leaves it to the server. Whoever sends a
 * request in the moment in which the server closes its idle connection loses it, so these are to be shorter than the
 * server's own limit.
 */
export interface KeepAlive {
  /**
   * Where the server does not say how long it waits, at least 1. Default 4 000 ms, as in undici: servers on Node close
   * after 5 s (`server.keepAliveTimeout`).
   */
  timeout?: number;
  /**
   * The most that a server's `Keep-Alive: timeout=N` may ask for, at least 1. Default 600 000 ms, as in undici.
   */
  maxTimeout?: number;
  /**
   * As `timeout`, for calls that must not be repeated, such as a POST: for them a lost request is an error. 0 gives them
   * a new connection wherever the server says nothing. At most `timeout`. Default 1 000 ms: half of 2 s, the shortest
   * limit of a server in wide use (gunicorn).
   */
  guardedTimeout?: number;
}

/**
 * What {@link CreateFetchOptions.lookup} takes: a function as `dns.lookup`, that calls back, or one as
 * `dns.promises.lookup`, that returns a promise. The first answer counts. What it fails with is the fault of the call, by
 * its own code (`ENOTFOUND` and `EAI_AGAIN` are retried), in phase `resolve`; the error itself is the `cause` of the
 * {@link FaultError}.
 *
 * @param options always `{ all: true, family: 0, hints: 0 }`
 * @param callback takes an error, or else addresses: all of them in the order in which they are to be tried, or one.
 *   Their `family` is not needed.
 */
export type LookupFunction = (
  hostname: string,
  options: { all: true; family: 0; hints: 0 },
  callback: (error: Error | null, addresses?: LookupAnswer, family?: number) => void,
) => void | Promise<LookupAnswer | void>;

/** What a {@link LookupFunction} finds. An address with a zone (`fe80::1%eth0`) is passed over. */
export type LookupAnswer = string | LookupAddress | readonly (string | LookupAddress)[];

/** An IP address. */
export interface LookupAddress {
  address: string;
  family?: number;
}

/** PEM, as a string or as bytes. */
export type Pem = string | ArrayBufferView;

/**
 * TLS, in the shapes that Node's `tls.connect` takes. `null` is not given. What is wrong with a certificate or a key is an
 * error of {@link createFetch}, a `TypeError` with `code: 'ERR_INVALID_ARG_VALUE'` that names the option; its `cause`,
 * where there is one, is what OpenSSL said.
 *
 * @example
 * const internal = createFetch({
 *   tls: { ca: await readFile('our-authority.pem'), cert: await readFile('me.pem'), key: await readFile('me.key') },
 * });
 */
export interface TlsOptions {
  /**
   * The authorities to trust, in place of Node's own: a file may hold any number, and a server's self-signed certificate
   * is its own authority. An intermediate alone is not enough, as in Node; an empty array trusts nobody. By default
   * those that Node trusts: the ones that it brings, `NODE_EXTRA_CA_CERTS`, `--use-system-ca`, `--use-openssl-ca`,
   * `tls.setDefaultCACertificates`, as they are when the client first connects over TLS.
   */
  ca?: Pem | readonly Pem[] | null;
  /** What is shown to a server that asks: the certificate first, then its intermediates. Needs `key`. */
  cert?: Pem | readonly Pem[] | null;
  /**
   * The private key of `cert`: PKCS #8, PKCS #1 or SEC 1, encrypted or not; RSA of 2048 to 4096 bits, P-256, P-384 or
   * Ed25519. Of several pairs, given in any order, the first is shown whose key the server can check.
   */
  key?: Pem | readonly (Pem | { pem: Pem; passphrase?: string })[] | null;
  /** Of the keys that are encrypted and have none of their own. */
  passphrase?: string | null;
  /** The least that is spoken. Default `'TLSv1.2'`, or what `--tls-min-v1.3` says. */
  minVersion?: 'TLSv1.2' | 'TLSv1.3' | null;
  /**
   * `false` accepts every certificate, of whoever answers: all that is sent and received can be read and changed on the
   * way. Default `true`, unless the environment has `NODE_TLS_REJECT_UNAUTHORIZED=0`, of which Node warns.
   */
  rejectUnauthorized?: boolean;
}

/** The second argument of {@link fetch}. */
export interface FetchInit extends Omit<RequestInit, 'body' | 'duplex'> {
  /**
   * What is sent. Strings, bytes, `Blob`, `FormData` and `URLSearchParams` can be sent again exactly as they were.
   * A stream or an async iterable, which needs `duplex: 'half'`, is read once and kept for repetition, where the
   * call may be repeated at all, up to 1 MiB; past that the call is not retried (`gaveUp: 'body-not-replayable'`).
   * A function is called for each attempt and has no such limit.
   *
   * @example
   * await fetch(url, { method: 'PUT', body: () => fs.createReadStream('backup.tar') });
   */
  body?: RequestInit['body'] | AsyncIterable<Uint8Array | string> | (() => BodySource | Promise<BodySource>);

  /** Required when `body` is a stream or an async iterable. */
  duplex?: 'half';

  /**
   * How the call is retried: an object, a number of retries, or `false` for none. It is laid over the options of
   * {@link createFetch}, key by key.
   */
  retry?: RetryOptions | number | false;

  /** How long each part of the call may take. It is laid over the options of {@link createFetch}, key by key. */
  timeout?: Timeouts;

  /**
   * Whether a response body that breaks goes on where it broke, with `Range` and `If-Range`. Default `'validated'`.
   * `docs/resume.md` has the rules.
   *
   * @example
   * const { body } = await fetch(mirrorUrl, { resume: 'trusting' }); // a file that never changes under its name
   */
  resume?: Resume;

  /**
   * Undo the `Content-Encoding` of the response: gzip, deflate, br, zstd, and several of them one after the other.
   * `Content-Encoding` and `Content-Length` stay as they were sent. A body that is damaged or ends early breaks with
   * `Z_DATA_ERROR` or `Z_BUF_ERROR`, never as if it had ended well. `false` hands the body over as it was sent, and asks
   * for no encoding unless `headers` do. Default `true`.
   *
   * @example
   * const { body } = await fetch(url, { headers: { 'accept-encoding': 'gzip' }, decompress: false });
   */
  decompress?: boolean;

  /**
   * The most bytes that the response's body may have, decoded, at least 1; `false` is no limit, and so is `Infinity`. A
   * larger one breaks with `ERR_RESPONSE_TOO_LARGE` (`kind: 'too-large'`) as soon as that is known: where its
   * `Content-Length` says so, before it is transferred. By default a compressed body that is read whole (`text()`,
   * `json()`, `bytes()`, `arrayBuffer()`, `blob()`, `formData()`, or for `integrity`) has a limit of 512 MiB, because a
   * few kilobytes can decode to more memory than there is; what is not compressed has none, nor has one that is read
   * through `body` or from a `clone()`.
   *
   * @example
   * await fetch(webhookUrl, { maxResponseSize: 1_000_000 });
   */
  maxResponseSize?: number | false;
}

/**
 * Whether a response body that breaks goes on:
 *
 * - `'validated'`: if a strong validator (an `ETag` that is not weak, or a `Last-Modified` that is old enough) proves that
 *   the rest belongs to what has arrived. A body of which nothing has been handed over yet may also begin anew, without
 *   a validator, if the call may be repeated and its answer is described as before
 * - `'trusting'`: also without a strong validator, as long as nothing that the server says speaks against it; it may
 *   splice two versions of a body that changes under its URL
 * - `false`: a break is an error at once
 */
export type Resume = 'validated' | 'trusting' | false;

/** What a function given as `body` returns: a stream, something to iterate over, or all of it. */
export type BodySource =
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>
  | ArrayBufferView
  | string;

/**
 * How long each part of a call may take, in ms, at least 1; `false` is no limit, and so is `Infinity`.
 * A timeout is a fault with `code: 'ETIMEDOUT'`, whose `phase` says which part took too long.
 */
export interface Timeouts {
  /** Resolving the name, connecting and the TLS handshake together. Default 10 000. */
  connect?: number | false;
  /** From the moment the request is sent to the end of the response's headers. Default 300 000. */
  headers?: number | false;
  /** The longest silence inside the response body. Default 300 000. */
  body?: number | false;
  /** One attempt, up to the end of the response's headers. Default `false`. */
  attempt?: number | false;
  /**
   * The whole call with its retries and waits, up to the end of the response's headers. Default `false`. A body that
   * breaks after it is not resumed.
   */
  total?: number | false;
}

/** A `Response`, which also tells what it took to get it. */
export interface FetchResponse extends Response {
  /** As it is known when it is looked at: a body that is still to come may break and go on. */
  readonly recovery: Recovery;
  /** Both have the recovery. */
  clone(): FetchResponse;
}

/**
 * What {@link fetch} is rejected with when there is no answer, and reading a body when it breaks off. A `TypeError`
 * as the built-in fetch throws it, which also carries the code, the fault and what was tried.
 */
export interface FetchError extends TypeError {
  /**
   * That of the cause: `ECONNRESET`, `ETIMEDOUT`, `ENOTFOUND`, ... Absent only when a request body failed with something
   * that has no code.
   */
  code?: string;
  /**
   * A {@link FaultError}; but where the stream of a request body failed, whatever it threw (its attempt's fault is
   * `ERR_BODY_SOURCE_FAILED`), and where `integrity` did not match, an `Error` that says so. `classify(error)` is a
   * fault in every case.
   */
  cause: unknown;
  recovery: Recovery;
}

// ---------------------------------------------------------------------------------------------------- retries

/**
 * Makes a policy that several clients are given as their `retry`: an axios instance, a fetch and a database client that
 * speak to one server then share its budget and its breaker, and one place tells what happened to their calls.
 *
 * @param options what its clients retry by; each may lay options of its own over them: `policy.with({ retries: 1 })`
 * @throws {TypeError | RangeError} on an option that is unknown or out of range; the message names it
 *
 * @example
 * const policy = createPolicy({ retries: 5, breaker: true });
 * policy.on('gave-up', ({ url, fault, gaveUp }) => log.error(`${url}: ${fault.code}, ${gaveUp}`));
 *
 * const fetch = createFetch({ retry: policy });
 * const api = wrapAxios(axios, { retry: policy });
 */
export function createPolicy(options?: RetryOptions | number | false): RetryPolicy;

/** What {@link createPolicy} makes. Every option called `retry` takes it, but for that of a single call; there only `wrapAxios` does. */
export interface RetryPolicy {
  /** The same origins, breakers and listeners under options that are laid over these, key by key. */
  with(options: RetryOptions | number | false): RetryPolicy;

  /**
   * Calls the listener with each event of the calls under this policy, whoever makes them, in the `AsyncLocalStorage`
   * context of the call. What it throws is an uncaught exception, and does not touch the call. The same events are
   * published for all calls of the program on the channels `unreset:attempt`, `unreset:retry`, `unreset:recovered`,
   * `unreset:gave-up` and `unreset:breaker` of `node:diagnostics_channel`.
   *
   * @example
   * policy.on('recovered', ({ url, recovery }) => metrics.increment('recovered', { attempts: recovery.attempts.length }));
   */
  on<Name extends keyof PolicyEvents>(event: Name, listener: (message: PolicyEvents[Name]) => void): this;
  /** As {@link RetryPolicy.on}, for the next one only. */
  once<Name extends keyof PolicyEvents>(event: Name, listener: (message: PolicyEvents[Name]) => void): this;
  off<Name extends keyof PolicyEvents>(event: Name, listener: (message: PolicyEvents[Name]) => void): this;

  /**
   * What the calls to each origin came to, of the 4096 origins that are remembered.
   *
   * @example
   * for (const [origin, { calls, recovered, breaker }] of Object.entries(policy.stats())) {
   *   console.log(origin, calls, recovered, breaker);
   * }
   */
  stats(): Record<string, OriginStats>;
}

/** What the calls to one origin came to, since it was first called. */
export interface OriginStats {
  calls: number;
  retries: number;
  /** Calls that were answered after an attempt had failed. */
  recovered: number;
  /** Calls that failed, or were answered by a status that the policy would have retried. Not those that were aborted. */
  gaveUp: number;
  /** Of these, the calls that the breaker ended, before their first attempt or a later one. */
  refused: number;
  /** Retries that the budget allows at this moment; `null` without a budget. */
  budget: number | null;
  /** `null` without a breaker. */
  breaker: BreakerState | null;
}

/**
 * - `closed`: calls go through
 * - `open`: the origin is taken for down, calls are refused
 * - `half-open`: a few calls are let through, to see
 */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** Whose call an event is about. */
export interface ObservedCall {
  /** Who makes the call: `fetch` (also for `download`), `wrapFetch`, `wrapAxios`, `wrapHttp`, `retry`, `resumable`, `WebSocket`. */
  surface: string;
  /** What budget, breaker and stats go by: `https://api.example`, or what {@link RetryFunctionOptions.origin} says. */
  origin: string;
  /** Of an HTTP request. */
  method?: string;
  /** Of an HTTP request: what was asked for, without credentials. */
  url?: string;
}

/** The events of a {@link RetryPolicy}, and what each is told with. */
export interface PolicyEvents {
  /** An attempt is over, not by an abort: `fault` is what it failed with, `null` where it was answered. Again if its body breaks. */
  attempt: ObservedCall & { attempt: number; fault: Fault | null };
  /** A retry is certain: it begins in `delay` ms. `why` it is permissible: see `docs/policy.md`. */
  retry: ObservedCall & { attempt: number; delay: number; fault: Fault; why: string };
  /** A call was answered after an attempt had failed, or its body arrived whole after it had broken. */
  recovered: ObservedCall & { recovery: Recovery };
  /** There is no further attempt. Not told of a call that was aborted. */
  'gave-up': ObservedCall & { fault: Fault; gaveUp: GaveUp; recovery: Recovery };
  /**
   * The breaker of an origin has opened or closed: `at`, a reading of `performance.now()`. An open one lets a call through
   * in `retryIn` ms.
   */
  breaker: { origin: string; from: BreakerState; to: BreakerState; at: number; retryIn?: number };
}

/**
 * Calls a function, and calls it again where what it rejects with is a fault that may pass: for drivers, SDKs and
 * functions of one's own. To call this is to declare the function repeatable; `{ idempotent: false }` limits it to faults
 * of which it is certain that nothing was sent. What is not transient, a bug's TypeError for one, is rethrown at once, and
 * every error is the one that the function threw, with `recovery` on it.
 *
 * Timers are those that are there when they are needed, so fake timers work.
 *
 * @param fn is called with the attempt's number, a signal to hand on, and what the attempt before failed with
 * @param options those of {@link RetryOptions} and {@link RetryFunctionOptions}, a policy, a number of retries, or `false`
 * @returns rejects with what the last attempt threw; with the signal's reason as it is when that aborts, at once; with what a hook
 *   threw; and where the breaker is open with a {@link FaultError}, `code: 'ERR_BREAKER_OPEN'`
 * @throws {TypeError | RangeError} on bad input, as a rejection; the message names the option
 *
 * @example
 * const rows = await retry(() => db.query('select * from stock'), { retries: 5, within: 20_000 });
 * @example
 * await retry(({ signal }) => s3.send(command, { abortSignal: signal }), { signal: AbortSignal.timeout(5_000) });
 */
export function retry<T>(
  fn: (context: RetryFunctionContext) => T | PromiseLike<T>,
  options?: RetryFunctionOptions | RetryPolicy | number | false,
): Promise<T>;

export namespace retry {
  /**
   * Makes a function of the same arguments that is repeated in the same way. All its calls share one policy.
   *
   * @example
   * const query = retry.wrap((text: string) => db.query(text), { retries: 5 });
   * await query('select 1');
   */
  function wrap<This, Arguments extends unknown[], T>(
    fn: (this: This, ...args: Arguments) => T | PromiseLike<T>,
    options?: RetryFunctionOptions | RetryPolicy | number | false,
  ): (this: This, ...args: Arguments) => Promise<T>;
}

/** What {@link retry} calls the function with. */
export interface RetryFunctionContext {
  /** From 1. */
  attempt: number;
  /** The signal of the options, or one that never aborts. */
  signal: AbortSignal;
  /** What the attempt before failed with. */
  lastFault: Fault | undefined;
}

/** The options of {@link retry} beside those of the policy. */
export interface RetryFunctionOptions extends RetryOptions {
  /** Ends it at once, the wait between two attempts included; of an attempt that goes on nobody hears any more. */
  signal?: AbortSignal | null;
  /** Whether the function may be called again although what it did may have had its effect. Default `true`. */
  idempotent?: boolean;
  /** The name under which budget, breaker and stats of the policy count it. Default `''`, one for all. */
  origin?: string;
  /** The policy that the other options are laid over. */
  policy?: RetryPolicy;
}

/** The headers of a request, for an `onRequest` hook to read and change. */
export interface RequestHeaders {
  get(name: string): string | null | undefined;
  set(name: string, value: string): unknown;
  has(name: string): boolean;
  delete(name: string): unknown;
}

/**
 * Called once for each call, before its first attempt, in the context of the call: every attempt sends the same request.
 * It is synchronous. What it throws rejects the call.
 *
 * @example
 * const onRequest = (headers) => propagation.inject(context.active(), headers, { set: (to, name, value) => to.set(name, value) });
 */
export type OnRequest = (headers: RequestHeaders, context: { method: string; url: string }) => void;

/** How a call is retried. Every default can be overridden; what is left out keeps it. */
export interface RetryOptions {
  /** How often a call is tried again after the first attempt; `Infinity` leaves it to `within`. Default 3. */
  retries?: number;

  /**
   * The wait before a retry: a random time between 0 and `base` doubled with each retry, at most `cap`. The whole
   * range is random, so that clients that failed together do not come back together.
   */
  backoff?: {
    /** Default 100 ms. */
    base?: number;
    /** Not below `base`. Default 10 000 ms. */
    cap?: number;
  };

  /** No new attempt begins later than this after the call began; `Infinity` is no limit. Default 60 000 ms. */
  within?: number;

  /**
   * The methods that may be repeated although the server may have acted on the request. The list replaces the
   * default: the idempotent ones, GET HEAD OPTIONS TRACE PUT DELETE. A request with an `Idempotency-Key` header may
   * be repeated whatever its method, and so may one of which not one byte was sent.
   */
  methods?: readonly string[];

  /**
   * The response statuses that are worth another attempt if the request may be repeated. The list replaces the
   * default: 408 425 429 502 503 504, and 500 for GET HEAD OPTIONS TRACE.
   */
  statuses?: readonly number[];

  /**
   * Wait as long as the server's `Retry-After` asks; when that is later than `within` allows, there is no retry.
   * Default `true`.
   */
  respectRetryAfter?: boolean;

  /**
   * How much retrying an origin may cost, so that retries do not finish off a server that is overloaded: a share of
   * the calls of the last 10 s, plus some per second. `false` lifts the limit.
   */
  budget?: {
    /** Retries per call. Default 0.2. */
    ratio?: number;
    /** Retries per second whatever the number of calls. Default 10. */
    perSecond?: number;
  } | false;

  /**
   * Whether calls are refused at once, with `ERR_BREAKER_OPEN`, while their origin is taken for down, so that it can
   * come back and callers need not wait for what will fail. A fault that is transient counts as a failure, a 4xx never.
   * Default `false`; `true` is the defaults below. `docs/policy.md` has the reasons.
   *
   * @example
   * const fetch = createFetch({ retry: { breaker: { minCalls: 50, openFor: 10_000 } } });
   */
  breaker?: BreakerOptions | boolean;

  /**
   * Called when a retry is certain, before its wait begins; a promise is awaited. What it throws rejects the call.
   *
   * @example
   * onRetry: ({ attempt, delay, fault, url }) => log.warn(`${url}: ${fault.code}, attempt ${attempt}, wait ${delay} ms`)
   */
  onRetry?(event: RetryEvent): void | Promise<void>;

  /**
   * Overrides the decision whether a fault allows a retry: `true` retries what would be given up as not idempotent
   * or not transient, `false` gives up, `undefined` leaves the decision as it is. Retries, time, budget and the
   * body still limit it. A promise is awaited; what it throws rejects the call.
   *
   * @example
   * shouldRetry: (fault, { method }) => (method === 'POST' && fault.status === 503 ? true : undefined)
   */
  shouldRetry?(fault: Fault, context: RetryContext): boolean | undefined | void | Promise<boolean | undefined | void>;
}

/** When a breaker opens, and how it closes again. */
export interface BreakerOptions {
  /** How far back attempts count, in ms, at least 1. Default 10 000. */
  window?: number;
  /** With fewer attempts in the window it does not open, at least 1. Default 20. */
  minCalls?: number;
  /** The share of attempts in the window that fail, above 0 and up to 1, at which it opens. Default 0.5. */
  failureRate?: number;
  /** How long it refuses before it lets attempts through to see, in ms, at least 1. Default 5 000. */
  openFor?: number;
  /** How many attempts are let through then; when all are answered it closes, when one fails it opens again. Default 1. */
  probes?: number;
}

/** The attempt that just failed. */
export interface RetryContext {
  /** Its number, from 1. */
  attempt: number;
  method: string;
  url: string;
  /** Since the call began, in ms. */
  elapsed: number;
}

/** A retry that is about to happen. */
export interface RetryEvent {
  /** The number of the attempt that failed, from 1. */
  attempt: number;
  /** The wait before the next attempt, in ms. */
  delay: number;
  /** What the attempt failed with. */
  fault: Fault;
  method: string;
  url: string;
  /**
   * Where a body goes on that had begun to arrive: how many of its bytes have come, encoded as they are sent. Absent as long
   * as there is no answer.
   */
  offset?: number;
}

/** What it took to get an answer, or to find that there is none. */
export interface Recovery {
  /** Every attempt, in order; of more than a hundred, which only a body that goes on breaking comes to, the latest. */
  attempts: Attempt[];
  /** How often a broken body was continued where it broke off. */
  resumed: number;
  /** Bytes that had to be transferred once more. */
  bytesRefetched: number;
  /** Why there was no further attempt. Absent when the last attempt was answered and nothing was left to retry. */
  gaveUp?: GaveUp;
}

/** One try of a call. */
export interface Attempt {
  /** `null`: this attempt brought the answer. */
  fault: Fault | null;
  /** The wait before this attempt, in ms. */
  delay: number;
}

/**
 * Why a call was not tried again:
 *
 * - `aborted`: the caller ended it
 * - `not-transient`: it would fail again in the same way, or `shouldRetry` said no
 * - `not-idempotent`: the server may have acted on it, and acting twice may do harm
 * - `body-not-replayable`: its body was a stream and is spent
 * - `not-resumable`: the body broke, and nothing proves that what would come next belongs to what has come; or `resume`
 *   is `false`
 * - `attempts-exhausted`: `retries` is used up
 * - `out-of-time`: the next attempt would begin later than `within` allows
 * - `retry-after-too-long`: the server asked for a longer wait than `within` leaves
 * - `breaker-open`: the origin is taken for down
 * - `budget-exhausted`: the origin has had its share of retries for now
 */
export type GaveUp =
  | 'aborted'
  | 'not-transient'
  | 'not-idempotent'
  | 'body-not-replayable'
  | 'not-resumable'
  | 'attempts-exhausted'
  | 'out-of-time'
  | 'retry-after-too-long'
  | 'breaker-open'
  | 'budget-exhausted';

// ---------------------------------------------------------------------------------------------------- faults

/**
 * Says what went wrong, the same way for every client: the errors of Node, of the built-in fetch, undici, axios,
 * got, node-fetch and more, with their whole chain of causes; and responses.
 *
 * What it does not recognise is `kind: 'unknown'`.
 *
 * @param anything an error, a response, or whatever was thrown
 * @param context what the caller knows about the moment and the error does not say
 * @throws {TypeError} for a context that is not valid, never for what was thrown
 *
 * @example
 * try {
 *   await axios.get(url);
 * } catch (error) {
 *   const fault = classify(error);
 *   if (fault.kind === 'reset' && fault.delivery === 'not-sent') return again();
 *   throw error;
 * }
 */
export function classify(anything: unknown, context?: FaultContext): Readonly<Fault>;

/** Whether the same call would plausibly succeed later: `classify(anything).transient`. */
export function isTransient(anything: unknown): boolean;

/**
 * Whether the peer ended the connection while a call was outstanding, by RST or by FIN: "ECONNRESET", "socket hang
 * up", "terminated", "other side closed".
 */
export function isReset(anything: unknown): boolean;

/**
 * What a fault's code means, what usually causes it and what to do: the text of `docs/faults.md`.
 *
 * @param code `ECONNRESET`, `HTTP_503`, `UND_ERR_SOCKET`, ...
 * @returns `undefined` for a code that is not in the reference
 *
 * @example
 * console.log(explain('ECONNRESET')?.action);
 */
export function explain(code: string): Explanation | undefined;

/** One thing that went wrong. What is not known is absent. */
export interface Fault {
  /** The stable name a Node programmer knows: `ECONNRESET`, `ETIMEDOUT`, `ENOTFOUND`, `HTTP_503`, ... */
  code: string;
  kind: FaultKind;
  phase: FaultPhase;
  delivery: Delivery;
  /** Would the same call plausibly succeed later? */
  transient: boolean;
  /** Does a connection have to be reopened? */
  reconnect: boolean;
  /** One plain sentence to act on. */
  reason: string;
  /** How the peer ended the connection. */
  ending?: 'fin' | 'rst';
  /** Negative, as Node reports it: `-104`. */
  errno?: number;
  /** `connect`, `read`, `write`, `getaddrinfo`. */
  syscall?: string;
  /**
   * The peer's IP address, or the host name where that could not be resolved. Of several addresses that refused, the
   * one whose error `code` is.
   */
  address?: string;
  port?: number;
  /** The HTTP status, for a fault that is a response. */
  status?: number;
  /** How long the server asks to wait, in ms. */
  retryAfter?: number;
  /** What the layer below said, word for word. */
  detail?: string;
}

/** A fault as an `Error`: the `cause` of a {@link FetchError}. */
export interface FaultError extends Error, Fault {
  name: 'FaultError';
}

/**
 * The family a fault belongs to:
 *
 * - `reset`: the peer ended the connection while a call was outstanding
 * - `refused`: nothing listens there, or our own breaker is open
 * - `timeout`: a limit on time was reached; the phase says which
 * - `dns`: the name could not be resolved
 * - `unreachable`: no route to the host or network
 * - `tls`: the handshake or the certificate was rejected
 * - `protocol`: what the peer sent is not the protocol it should speak
 * - `throttled`: the server asks for fewer calls
 * - `server`: the server answered that it failed
 * - `too-large`: a message or body exceeds a limit
 * - `closed`: an orderly end of a connection with no call outstanding
 * - `aborted`: the caller ended the call
 * - `client`: the caller's own mistake: a bad URL, a bad request
 * - `unknown`: not recognised
 */
export type FaultKind =
  | 'reset'
  | 'refused'
  | 'timeout'
  | 'dns'
  | 'unreachable'
  | 'tls'
  | 'protocol'
  | 'throttled'
  | 'server'
  | 'too-large'
  | 'closed'
  | 'aborted'
  | 'client'
  | 'unknown';

/**
 * Where in the life of a call the fault struck: while the name was resolved, while connecting, during the TLS
 * handshake or an upgrade, while sending, while waiting for the answer, while receiving it, between calls.
 */
export type FaultPhase = 'resolve' | 'connect' | 'handshake' | 'send' | 'wait' | 'receive' | 'idle';

/**
 * What the peer can have seen of the request, which decides whether a retry is safe:
 *
 * - `not-sent`: not one byte left, or the server said that it did not act on what had (HTTP/2: GOAWAY, REFUSED_STREAM);
 *   any call may be repeated
 * - `unknown`: bytes left and no answer came; the call may have had its effect
 * - `answered`: a response began
 */
export type Delivery = 'not-sent' | 'unknown' | 'answered';

/** What the caller of {@link classify} knows and the error does not say. */
export interface FaultContext {
  /** Where it struck. */
  phase?: FaultPhase;
  /** What the peer can have seen of the request. */
  delivery?: Delivery;
  /** The signal of the call: its reason is an abort by the caller, whatever it looks like. */
  signal?: AbortSignal | null;
}

/** An entry of `docs/faults.md`. */
export interface Explanation {
  code: string;
  /** The code that a fault carries instead: `UND_ERR_SOCKET` is one client's name for `ECONNRESET`. */
  becomes?: string;
  kind: FaultKind;
  /** Where it strikes when nothing else tells. */
  phase: FaultPhase;
  /** What the peer can have seen of the request when nothing else tells. */
  delivery: Delivery;
  transient: boolean;
  reconnect: boolean;
  /** What happened, in one sentence. */
  meaning: string;
  /** What usually causes it, the most frequent first. */
  causes: string[];
  /** What to do about it. */
  action: string;
}

// ---------------------------------------------------------------------------------------------------- fault proxy

/**
 * A TCP proxy that makes real network faults on demand: it stands between a client and a service, passes everything on
 * until a fault is added, and then does exactly what that says. Whatever runs on TCP runs through it: HTTP, TLS,
 * WebSocket, databases. `docs/testing.md` shows it at work.
 *
 * Like a `net.Server` it lives, and keeps the process alive, until it is closed; {@link FaultProxy.unref} lets the
 * process end before that. The end of a worker closes what was left open. A Jest file that leaves one open keeps Jest
 * from exiting, as with a server: `afterEach(closeAll)` of `unreset/testing`, or `jest --detectOpenHandles`, which names
 * the line.
 *
 * What it cannot do: see into TLS (only byte counts and time can say where a fault strikes), count attempts to connect
 * that it refused, or pass on the error of an upstream that is down (the client, whose connection was accepted
 * already, is reset).
 *
 * @example
 * await using proxy = await FaultProxy.listen({ upstream: 'localhost:5432', seed: 7 });
 * const fault = proxy.add({ type: 'reset', on: 'response', afterBytes: 1000, times: 1 });
 * await runQueries(`postgres://${proxy.address}/shop`);
 * console.log(fault.hits, String(proxy.timeline()));
 */
export class FaultProxy implements AsyncDisposable {
  private constructor();

  /**
   * Opens a port and passes what arrives there on to the upstream, which need not be up: it is resolved and reached
   * anew for each connection.
   *
   * @returns rejects with a {@link ListenError} where the port cannot be had, and with a `TypeError` or `RangeError`
   *   that names the option on bad input
   */
  static listen(options: FaultProxyOptions): Promise<FaultProxy>;

  /** The port that clients connect to. */
  readonly port: number;

  /** `'127.0.0.1:40123'`, with brackets around an IPv6 address. */
  readonly address: string;

  /** What random choices depend on: print it when a test fails, and give it to `listen` to see the same again. */
  readonly seed: number;

  /**
   * `'http://127.0.0.1:40123/path'`. For another scheme, write it before {@link FaultProxy.address}.
   *
   * @param path default `'/'`
   */
  url(path?: string): string;

  /**
   * Adds a fault. It applies from now on, to connections that are open as well as to new ones (`on: 'accept'`: to new
   * ones). Of several faults the one whose point is reached first strikes, of those at the same point the one added
   * first; `latency`, `bandwidth` and `slice` combine with each other and with the others.
   *
   * @throws {TypeError | RangeError} on an unknown fault, an option that it does not have, and options that
   *   contradict each other; the message names them. An `Error` with `code: 'ERR_SERVER_NOT_RUNNING'` when the proxy is
   *   closed.
   */
  add(fault: ProxyFault): FaultHandle;

  /**
   * Resets every connection that is open, idle ones as well.
   *
   * @returns how many these were
   */
  resetAll(): number;

  /** Stops the traffic of all connections, without losing a byte; new ones are accepted and wait as well. */
  pause(): void;

  /** Lets the traffic go on after {@link FaultProxy.pause}. */
  resume(): void;

  /** What has passed and what was struck, in numbers. Also after the proxy is closed. */
  stats(): FaultProxyStats;

  /** What happened on each connection, in order. Also after the proxy is closed. */
  timeline(): Timeline;

  /** Keeps the process alive again, after {@link FaultProxy.unref}. */
  ref(): this;

  /** Lets the process end although the proxy is open. */
  unref(): this;

  /**
   * Ends every connection and gives the port back. Resolves when nothing of the proxy is left; calling it again is
   * harmless.
   */
  close(): Promise<void>;

  /** {@link FaultProxy.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The options of {@link FaultProxy.listen}. */
export interface FaultProxyOptions {
  /**
   * Where connections lead: `'host:port'` (an IPv6 address in brackets), an object, or a port of this machine.
   *
   * @example 'db.internal:5432', '[::1]:8080', 8080, { host: 'db.internal', port: 5432 }
   */
  upstream: string | number | Upstream;

  /** The port to listen on. Default 0: any that is free. */
  port?: number;

  /** The address to listen on. Default `'127.0.0.1'`, which only this machine can reach. */
  host?: string;

  /**
   * A whole number from 0, which decides what `probability` and `jitter` draw: the same seed and the same traffic give
   * the same faults. Default: a random one.
   */
  seed?: number;
}

/** A service behind a {@link FaultProxy}. */
export interface Upstream {
  /** Default `'localhost'`. */
  host?: string;
  port: number;
}

/** Why a {@link FaultProxy} could not listen, in the shape of the error of a `net.Server`. */
export interface ListenError extends Error {
  /** `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, or `ENOTFOUND` for a `host` that does not resolve. */
  code: string;
  /** Negative, as Node reports it: `-98`. */
  errno?: number;
  /** `'listen'`; `'getaddrinfo'` for a `host` that does not resolve. */
  syscall: string;
  address: string;
  port: number;
}

/** A fault at work, as {@link FaultProxy.add} returns it. */
export interface FaultHandle {
  /** Its number in {@link TimelineEntry}: 1 for the first fault of the proxy, and so on. */
  readonly id: number;

  /** A copy of what was added. */
  readonly fault: Readonly<ProxyFault>;

  /**
   * How often it has struck; of `latency`, `bandwidth` and `slice`, on how many connections (or exchanges) they took
   * effect. It is 1 once the port of a `refuse` is closed: the attempts it refuses cannot be counted.
   */
  readonly hits: number;

  /**
   * Takes the fault away; what a `stall` held back goes on. Struck connections stay as they are. Calling it again is
   * harmless.
   */
  remove(): void;
}

/**
 * What {@link FaultProxy.add} takes: what happens (`type`), where (`on`), and which connections it strikes. Sizes are in
 * bytes, times in ms.
 *
 * `request` is the direction from the client to the upstream, `response` the other one.
 */
export type ProxyFault =
  | ResetFault
  | CloseFault
  | HalfCloseFault
  | RefuseFault
  | BlackholeFault
  | StallFault
  | LatencyFault
  | BandwidthFault
  | SliceFault;

/**
 * RST, to the client and to the upstream. What had been forwarded arrives before it, so the client has read exactly
 * `afterBytes`. After `after-request-forwarded` the upstream is left alone: it does handle the request.
 *
 * @example { type: 'reset', on: 'idle', afterMs: 500 }
 */
export type ResetFault = { type: 'reset' } & FaultPoint & FaultSelection;

/**
 * FIN to the client, and to the upstream: an orderly end in the middle of something. What the client still sends is
 * discarded.
 *
 * @example { type: 'close', on: 'response-body', afterBytes: 100, match: { path: '/report' } }
 */
export type CloseFault = { type: 'close' } & FaultPoint & FaultSelection;

/**
 * FIN in one direction, to the receiver of what `on` names (`request...`: the upstream; otherwise: the client). The
 * other direction goes on.
 *
 * @example { type: 'halfClose', on: 'response', afterBytes: 10 }
 */
export type HalfCloseFault = { type: 'halfClose' } & FaultPoint & FaultSelection;

/**
 * The port does not listen, so who connects gets a real ECONNREFUSED, until the fault is removed. Connections that are
 * open go on.
 *
 * @example { type: 'refuse', on: 'accept' }
 */
export interface RefuseFault {
  type: 'refuse';
  on: 'accept';
}

/**
 * From the point on nothing arrives anywhere: both directions are read and discarded, and nothing is closed. At `accept`
 * the upstream is never contacted.
 *
 * @example { type: 'blackhole', on: 'accept', connections: [1] }
 */
export type BlackholeFault = { type: 'blackhole' } & FaultPoint & FaultSelection;

/**
 * The direction stops: nothing more is read from its sender, whose window fills. At `accept` and `idle` both do. When the
 * fault is removed it goes on, and nothing is lost.
 *
 * @example { type: 'stall', on: 'response', afterBytes: 1000 }
 */
export type StallFault = { type: 'stall' } & FaultPoint & FaultSelection;

/**
 * Everything leaves later than it arrived, the end of the stream included; order and throughput stay. At `accept` the
 * upstream is contacted that much later, at a point of HTTP or of a frame that point is passed that much later.
 *
 * @example { type: 'latency', on: 'response', ms: 200, jitter: 50 }
 */
export type LatencyFault = {
  type: 'latency';
  /** How much later, in ms. */
  ms: number;
  /** Up to this much more or less, in ms, at most `ms`; drawn for each piece of data. Default 0. */
  jitter?: number;
} & ({ on: 'accept' } | BytesPoint | RequestPoint | ResponsePoint | FramePoint | AfterFramePoint) & FaultSelection;

/**
 * No more than so many bytes per second, for each connection, in the direction.
 *
 * @example { type: 'bandwidth', on: 'response', rate: 64 * 1024 }
 */
export type BandwidthFault = {
  type: 'bandwidth';
  /** Bytes per second. */
  rate: number;
} & ShapingPoint & FaultSelection;

/**
 * Data leaves in small segments, as it does through a bad network.
 *
 * @example { type: 'slice', on: 'request', size: 1, ms: 5 }
 */
export type SliceFault = {
  type: 'slice';
  /** Bytes per write at most. */
  size: number;
  /** The pause between two writes, in ms. Default 0. */
  ms?: number;
} & ShapingPoint & FaultSelection;

/** Where a fault strikes. */
export type FaultPoint =
  | AcceptPoint
  | IdlePoint
  | BytesPoint
  | RequestPoint
  | ResponsePoint
  | FramePoint
  | AfterFramePoint;

/** Where `bandwidth` and `slice` begin to take effect. */
export type ShapingPoint = BytesPoint | (ResponsePoint & { on: 'response-body' });

/** When a connection is accepted, before the upstream is contacted. */
export interface AcceptPoint {
  on: 'accept';
  /** How long after it, in ms. Default 0. */
  afterMs?: number;
}

/** When nothing moved for a while in either direction, also where nothing ever did. */
export interface IdlePoint {
  on: 'idle';
  /** How long a silence, in ms. Default 0. */
  afterMs?: number;
}

/** When bytes flow. */
export interface BytesPoint {
  on: 'request' | 'response';
  /**
   * Exactly so many bytes of the direction are forwarded first, counted from the start of the connection, or of the
   * message where there is a `match`. Default 0: the first byte is not forwarded.
   */
  afterBytes?: number;
  /** How long after that, in ms; bytes go on flowing meanwhile. Default 0. */
  afterMs?: number;
  /** Only for HTTP/1.1 requests like this. Then exchanges are counted and chosen, not connections. */
  match?: RequestMatch;
}

/**
 * Around an HTTP/1.1 request:
 *
 * - `before-request-forwarded`: its head has arrived, and not one byte of it was forwarded: the server cannot have seen it
 * - `after-request-forwarded`: its last byte was forwarded: the server handles it, and its answer is lost
 */
export interface RequestPoint {
  on: 'before-request-forwarded' | 'after-request-forwarded';
  /** How long after the point, in ms; bytes go on flowing meanwhile. Default 0. */
  afterMs?: number;
  /** Only for requests like this. Without it: all. */
  match?: RequestMatch;
}

/** Inside an HTTP/1.1 response. */
export interface ResponsePoint {
  on: 'response-head' | 'response-body';
  /** Exactly so many bytes of the head, or of the body as it is on the wire, are forwarded first. Default 0. */
  afterBytes?: number;
  /** How long after that, in ms; bytes go on flowing meanwhile. Default 0. */
  afterMs?: number;
  /** Only for responses to requests like this. Without it: all. */
  match?: RequestMatch;
}

/**
 * At a frame of a WebSocket, to the upstream (`request-frame`) or from it: its header has arrived, and exactly
 * `afterBytes` bytes of it were forwarded. Frames are counted from 1 in each direction of a connection, fragments and
 * control frames too; the timeline shows the numbers. A frame that has passed, or is shorter, is not struck.
 *
 * @example { type: 'reset', on: 'response-frame', frame: 3, afterBytes: 20 }
 */
export interface FramePoint {
  on: 'request-frame' | 'response-frame';
  /** Which one. Default 1. */
  frame?: number;
  /** Of the frame as it is on the wire, with its header. Default 0: the receiver sees none of it. */
  afterBytes?: number;
  /** How long after the point, in ms; bytes go on flowing meanwhile. Default 0. */
  afterMs?: number;
}

/** When the last byte of a frame was forwarded: see {@link FramePoint}. */
export interface AfterFramePoint {
  on: 'after-request-frame' | 'after-response-frame';
  /** Which one. Default 1. */
  frame?: number;
  /** How long after the point, in ms; bytes go on flowing meanwhile. Default 0. */
  afterMs?: number;
}

/** HTTP/1.1 requests, told by what stands in their first line. Nothing can be told through TLS. */
export interface RequestMatch {
  /** In capitals, whatever the case here. */
  method?: string;
  /** The target without its query; `'/orders/*'` matches everything that begins like this. */
  path?: string;
}

/**
 * Which connections are struck, or which exchanges where there is a `match` or `on` is a point of HTTP: of those that
 * fit `connections` and `match`, every nth, with a probability, so many times. Default: all.
 */
export interface FaultSelection {
  /** The nth, the 2nth, and so on. */
  everyNth?: number;
  /** By number, in order of accept, from 1. */
  connections?: readonly number[];
  /** At most so often. */
  times?: number;
  /** From 0 to 1; decided by {@link FaultProxy.seed}. */
  probability?: number;
}

/** What {@link FaultProxy.stats} tells. */
export interface FaultProxyStats {
  connections: {
    /** All that were accepted. */
    accepted: number;
    /** Those that are open now. */
    open: number;
    /** Those whose upstream could not be reached. */
    upstreamFailed: number;
  };
  /** Bytes forwarded in each direction. */
  bytes: { request: number; response: number };
  /** How often each type of fault has struck; those that have not are left out. */
  strikes: { [type in ProxyFault['type']]?: number };
  paused: boolean;
}

/** What a {@link FaultProxy} saw and did. As a string it is one readable line for each entry. */
export interface Timeline extends ReadonlyArray<TimelineEntry> {
  /** How many of the oldest entries had to make room: 10 000 are kept. */
  readonly dropped: number;
  toString(): string;
}

/** One thing that a {@link FaultProxy} saw or did. */
export type TimelineEntry = Readonly<
  {
    /** When, in ms since the proxy listens. */
    at: number;
    /** The connection, from 1 in order of accept; 0: the proxy itself. */
    connection: number;
  } & TimelineEvent
>;

/** What happened: `event` says which fields there are. */
export type TimelineEvent =
  /** The proxy itself; `refuse`: its port was closed, `listen`: it was opened again. */
  | { event: 'pause' | 'resume' | 'refuse' | 'listen' }
  | { event: 'accept'; client: string }
  /** The upstream was reached. */
  | { event: 'connect' }
  /** It was not: `code` is what the proxy met. */
  | { event: 'upstream-failed'; code: string }
  /** So many bytes were forwarded, with nothing in between. */
  | { event: 'bytes'; direction: 'request' | 'response'; bytes: number }
  /** The head of an HTTP request was seen; its path is without the query. */
  | { event: 'exchange'; exchange: number; method: string; path: string }
  /** The head of its response was seen. */
  | { event: 'answer'; exchange: number; status: number }
  /** So many frames of a WebSocket began, alike and with nothing in between; `frame` is the number of the first. */
  | {
      event: 'frames';
      direction: 'request' | 'response';
      kind: 'text' | 'binary' | 'continuation' | 'close' | 'ping' | 'pong' | 'reserved';
      /** They end their message. */
      fin: boolean;
      frame: number;
      frames: number;
    }
  /** A fault struck, when `bytes` had been forwarded in its direction. */
  | {
      event: 'strike';
      /** {@link FaultHandle.id} */
      fault: number;
      type: ProxyFault['type'];
      on: ProxyFault['on'];
      exchange?: number;
      /** Of a WebSocket, where `on` is one. */
      frame?: number;
      direction?: 'request' | 'response';
      bytes?: number;
    }
  /** The end of a direction was passed on. */
  | { event: 'fin'; direction: 'request' | 'response' }
  /** The connection is over, and who ended it. */
  | { event: 'end'; by: 'client' | 'upstream' | 'strike' | 'close' | 'reset-all'; code?: string };

// ---------------------------------------------------------------------------------------------------- wrapFetch

/**
 * The fetch that a program has, under our policy: the built-in one, that of undici, node-fetch 2 and 3, cross-fetch, a
 * mock. It does the I/O as before, so mocks, dispatchers, agents and proxies go on working. `docs/wrap-fetch.md` says what
 * differs from {@link createFetch}.
 *
 * @param fetch does not retry by itself: a fetch of unreset is refused, and so is one that is wrapped already
 * @returns called like `fetch`, with the properties of `fetch`. It resolves with the client's own response, which has a
 *   `recovery` besides, and rejects with the client's own error, which has one too; with the reason of the signal, untouched,
 *   where the client does; with what a hook threw; with a `TypeError` or `RangeError` that names an option that is wrong.
 * @throws {TypeError | RangeError} on what is no such function, and on an option that is unknown or out of range
 *
 * @example
 * import nodeFetch from 'node-fetch';
 * import { wrapFetch } from 'unreset';
 *
 * const fetch = wrapFetch(nodeFetch, { retry: { retries: 5 }, timeout: { attempt: 2_000 } });
 * const response = await fetch('https://inventory.internal/stock/bolt');
 * console.log(response.recovery.attempts.length);
 */
export function wrapFetch<F extends FetchLike>(fetch: F, options?: WrapFetchOptions): WrappedFetch<F>;

/** Whatever is called like fetch. */
export type FetchLike = (input: any, init?: any) => any;

/** What {@link wrapFetch} makes of `F`. */
export type WrappedFetch<F extends FetchLike> = F extends (input: infer Input, init?: infer Init) => infer Answer
  ? ((input: Input, init?: WrapFetchInit<Init>) => Promise<Awaited<Answer> & { readonly recovery: Recovery }>) & {
      [Name in keyof F]: F[Name];
    }
  : never;

/** The options of {@link wrapFetch}. */
export interface WrapFetchOptions {
  /** See {@link FetchInit.retry}; a {@link RetryPolicy} is shared with all that it is given to. */
  retry?: RetryOptions | RetryPolicy | number | false;
  /** How long the parts of a call may take. The client has limits of its own besides. */
  timeout?: WrapTimeouts;
  /** See {@link CreateFetchOptions.onRequest}. */
  onRequest?: OnRequest;
}

/** The second argument of a {@link WrappedFetch}: what the client takes, and what is ours. */
export type WrapFetchInit<Init> = Omit<NonNullable<Init>, 'body' | 'retry' | 'timeout'> & {
  /**
   * What the client takes; streams are kept for repetition up to 1 MiB. A function is called for each attempt and has no
   * such limit; what it returns is what the client takes.
   */
  body?: BodyOf<Init> | (() => BodyOf<Init> | BodySource | Promise<BodyOf<Init> | BodySource>);
  /** Laid over that of {@link WrapFetchOptions}, key by key. The client does not see it. */
  retry?: RetryOptions | number | false;
  /**
   * Laid over that of {@link WrapFetchOptions}, key by key. The client does not see it. A number is no option of ours and
   * goes to the client: node-fetch 2 has one of this name.
   */
  timeout?: WrapTimeouts | (NonNullable<Init> extends { timeout?: infer Own } ? Own : never);
};

type BodyOf<Init> = NonNullable<Init> extends { body?: infer Body } ? Body : unknown;

/**
 * How long each part of a call of a wrapped client may take, in ms, at least 1; `false` is no limit, the default, and so is
 * `Infinity`. A limit that is reached is a fault with `code: 'ETIMEDOUT'`; the error is a {@link FetchError} whatever the
 * client, since the limit is not the client's.
 */
export interface WrapTimeouts {
  /** One attempt, up to the end of the response's headers. */
  attempt?: number | false;
  /** As `attempt`: what happens before the headers cannot be seen from outside of a client. */
  headers?: number | false;
  /** The longest silence inside the response body while somebody waits for it. */
  body?: number | false;
  /** The whole call with its retries and waits, up to the end of the response's headers. */
  total?: number | false;
}

// ---------------------------------------------------------------------------------------------------- wrapHttp

/**
 * Node's `http` or `https` once more, whose requests are retried before their 'response'. What comes back has all that the
 * module has, and stands in its place: in a program, and below clients that take such a module (got's `request`,
 * superagent's `protocols`, axios' `transport`, follow-redirects). The module that is given makes every attempt, so
 * mocks and instrumentations go on seeing them; it is not changed.
 *
 * A request is `instanceof http.ClientRequest`, and has its methods, members and events. 'socket' is emitted for each
 * attempt, everything else as if there were one. Responses have `recovery`, see {@link RecoveredMessage}; so have the errors of
 * requests and of their responses, which are Node's own. `docs/wrap-http.md` has the rules.
 *
 * @param module `http`, `https`, or what has their `request`
 * @throws {TypeError | RangeError} on what is no such module or wrapped already, and on an option that is unknown or out of
 *   range; the message names it
 *
 * @example
 * const http = wrapHttp(require('http'));
 *
 * http.get('http://inventory/stock/42', (res) => {
 *   res.pipe(process.stdout);
 * }).on('error', (error) => console.error(error.code, error.recovery.gaveUp));
 */
export function wrapHttp<Module extends HttpModule>(module: Module, options?: WrapHttpOptions): Module;

/** What {@link wrapHttp} needs of a module. */
export interface HttpModule {
  request(...args: never[]): unknown;
}

/** The second argument of {@link wrapHttp}. */
export interface WrapHttpOptions {
  /** How requests are retried: an object, a number of retries, `false` for none, or a policy that is shared with others. */
  retry?: RetryOptions | RetryPolicy | number | false;
  /**
   * See {@link OnRequest}. It is given the headers with which the request was asked for, not those that are set on it later.
   * What it throws is thrown by `request`.
   */
  onRequest?: OnRequest;
}

/**
 * An option of a single request, beside those of Node.
 *
 * @example
 * const options: http.RequestOptions & HttpRequestOverrides = { unreset: { retry: false } };
 * http.get(url, options);
 */
export interface HttpRequestOverrides {
  unreset?: {
    /** Laid over that of {@link WrapHttpOptions}, key by key. */
    retry?: RetryOptions | number | false;
  };
}

/**
 * What a response of a wrapped module has besides: what it took to get it, and when its body has broken, what was lost.
 *
 * @example
 * http.get(url, (res: http.IncomingMessage & Partial<RecoveredMessage>) => log.info(res.recovery?.attempts.length));
 */
export interface RecoveredMessage {
  recovery: Recovery;
}

// ---------------------------------------------------------------------------------------------------- wrapAxios

/**
 * An axios under this package's classifier and retry policy. What comes back is of the same kind as what was given, and has
 * its methods, statics, `defaults` and `interceptors`. The given one stays as it is for everybody else. Interceptors and
 * transforms run once around a call, however many attempts it takes; adapters and mocks see every attempt. Responses and
 * errors are axios's own and have `recovery`. `docs/wrap-axios.md` is the guide.
 *
 * @param axios the default export, an instance of `axios.create`, or a `new Axios()`
 * @throws {TypeError} where it is no axios, or is wrapped already
 * @throws {TypeError | RangeError} on an option that is unknown or out of range; the message names it
 *
 * @example
 * const api = wrapAxios(axios.create({ baseURL: 'https://api.example.com' }), { retry: { retries: 5 } });
 * const { data, recovery } = await api.get('/stock/bolt');
 */
export function wrapAxios<T extends AxiosLike>(axios: T, options?: WrapAxiosOptions): T;

/** The second argument of {@link wrapAxios}. */
export interface WrapAxiosOptions {
  /** When to try again; what {@link createPolicy} returned shares its budget and breaker with other clients. */
  retry?: RetryOptions | RetryPolicy | number | false;
  /** In milliseconds. The limit of a single attempt is axios's own `timeout`. */
  timeout?: {
    /** The whole call with its waits, until its answer is handed over; at its end axios's error of a timeout. Default none. */
    total?: number;
  };
  /**
   * Called once for each call, before its first attempt: every attempt carries the headers that it sets. It must not be
   * asynchronous.
   */
  onRequest?(headers: AxiosHeadersLike, context: { method: string; url: string }): void;
}

/**
 * What a single call overrides, as `unreset` in its config; from `defaults` and interceptors, too. For axios's types to know
 * it, declare it once in your program:
 *
 * ```ts
 * declare module 'axios' {
 *   interface AxiosRequestConfig { unreset?: import('unreset').AxiosCallOptions }
 *   interface AxiosResponse { recovery?: import('unreset').Recovery }
 *   interface AxiosError { recovery?: import('unreset').Recovery }
 * }
 * ```
 */
export interface AxiosCallOptions {
  /** Laid over the instance's; a policy takes its place. */
  retry?: RetryOptions | RetryPolicy | number | false;
  /** As {@link WrapAxiosOptions.timeout}. */
  timeout?: { total?: number };
}

/** As much of axios as {@link wrapAxios} needs. */
export interface AxiosLike {
  request(...args: never[]): Promise<unknown>;
  defaults: object;
  interceptors: { request: { use(...args: never[]): number }; response: { use(...args: never[]): number } };
}

/** As much of axios's headers as hooks need. */
export interface AxiosHeadersLike {
  get(name: string): unknown;
  set(name: string, value: string): unknown;
  has(name: string): boolean;
  delete(name: string): boolean;
}

// ---------------------------------------------------------------------------------------------------- Socket

// Without Node's types it is `any`.
// @ts-ignore
import { Duplex } from 'node:stream';

/**
 * A TCP or TLS connection that stays connected: one stream over a succession of connections, in the shape of `net.Socket`.
 * `docs/socket.md` is the guide.
 *
 * **It comes back after a clean end too.** A peer that closes the connection in good order is one that restarts as often
 * as one that is done. Where an end is an answer (HTTP/1.0, whois, a daytime service), set `reconnectOnEnd: false`.
 * `end()` and `destroy()` by the program are always final.
 *
 * ```js
 * import { Socket } from 'unreset';
 *
 * const client = new Socket();
 * client.connect(1337, 'device.local', () => client.write('Hello'));
 * client.on('disconnect', ({ fault, unacknowledged }) => log(fault.reason, unacknowledged));
 * client.on('error', (error) => log('given up', error.code));
 * ```
 *
 * Events besides those of every stream:
 * - `lookup`, `connect`, `ready`, `timeout`, `close` as in `net`, `secureConnect` as in `tls`; 'connect', 'ready' and
 *   'secureConnect' once, in this order, for the first connection.
 * - `disconnect` ({@link Disconnect}): a connection is lost.
 * - `reconnecting` ({@link Reconnecting}): another attempt follows after a wait.
 * - `reconnect` ({@link Reconnected}): there is a connection again.
 * - `unsent` ({@link Unsent}): writes that had no callback were not sent.
 * - `error` only when it gives up, with the fields of the last fault, `attempts` and `gaveUp`; then 'close'.
 */
export class Socket extends Duplex {
  constructor(options?: SocketOptions);

  /** As `net.Socket.connect`. Once: what follows it does by itself. */
  connect(options: SocketOptions & SocketAddress, connectListener?: () => void): this;
  connect(port: number | string, host: string, connectListener?: () => void): this;
  connect(port: number | string, connectListener?: () => void): this;
  connect(path: string, connectListener?: () => void): this;

  /**
   * The peer has confirmed so many further messages, the oldest first; with `resend: 'unacknowledged'` they are not sent
   * again, and the callbacks of their writes are called. Default 1.
   *
   * @throws RangeError ERR_OUT_OF_RANGE if it was not sent so many
   */
  acknowledge(messages?: number): this;

  /** How it is. After the end, how it was. */
  stats(): SocketStats;

  /** Ends everything with an RST. */
  resetAndDestroy(): this;
  /** Ends it when everything that was written has left. */
  destroySoon(): void;

  /** Emits 'timeout' after so long, ms, without bytes in either direction; 0: never. It does nothing else. */
  setTimeout(milliseconds: number, callback?: () => void): this;
  /** For the connection there is, and those to come. Unlike `net`, `true` is where a Socket begins. */
  setNoDelay(noDelay?: boolean): this;
  /** As {@link SocketOptions.keepAlive}, for the connection there is, and those to come. */
  setKeepAlive(enable?: boolean, initialDelay?: number): this;
  /** Whether the process stays alive for it, also while it waits to come back. */
  ref(): this;
  unref(): this;

  address(): { address: string; family: string; port: number } | Record<string, never>;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly localFamily: string | undefined;
  /** Of the connection there is; `undefined` while there is none. */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: string | undefined;
  /** Over all connections: what the stream was given. What `onConnect` reads, and answers to heartbeats, `stats()` counts. */
  readonly bytesRead: number;
  /** What was written, over all connections, sent or not. */
  readonly bytesWritten: number;
  readonly bufferSize: number | undefined;
  /** It has been told to connect and is not connected at present: also between two connections. */
  readonly connecting: boolean;
  readonly pending: boolean;
  readonly readyState: 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed';
  /** `undefined` before {@link setTimeout}. */
  readonly timeout: number | undefined;

  /** TLS is spoken, or will be. */
  readonly encrypted: boolean;
  readonly authorized: boolean;
  /** The code of what is wrong with the certificate, where `rejectUnauthorized: false` let it pass. */
  readonly authorizationError: string | null;
  readonly alpnProtocol: string | false;
  getProtocol(): string | null;
  getCipher(): { name: string; standardName: string; version: string } | Record<string, never>;
  /** As `tls.TLSSocket.getPeerCertificate`. */
  getPeerCertificate(detailed?: boolean): any;
  /** An `X509Certificate` of `node:crypto`. */
  getPeerX509Certificate(): any;
}

/** As `net.connect`: makes a {@link Socket} and connects it. */
export function connect(options: SocketOptions & SocketAddress, connectListener?: () => void): Socket;
export function connect(port: number | string, host: string, connectListener?: () => void): Socket;
export function connect(port: number | string, connectListener?: () => void): Socket;
export function connect(path: string, connectListener?: () => void): Socket;
export { connect as createConnection };

/** Where a {@link Socket} connects to, and from. */
export interface SocketAddress {
  port?: number | string;
  /** Default `'localhost'`. */
  host?: string;
  /** A Unix socket, in place of port and host. */
  path?: string;
  /** Of the addresses of a name only these. Default 0, both. */
  family?: 0 | 4 | 6 | 'IPv4' | 'IPv6';
  /** `false`: only the first address of a name is tried. Default `true`, as RFC 8305 has it. */
  autoSelectFamily?: boolean;
  localAddress?: string;
  localPort?: number;
  /** Finds the addresses of a name in place of the system. */
  lookup?: LookupFunction;
}

export interface SocketOptions {
  /** A connection that is lost, or that cannot be made, is tried again. Default: without end. */
  reconnect?: false | number | ReconnectOptions;
  /**
   * A clean end (FIN) by the peer is a loss like any other. Default `true`; `false` for protocols in which the end is part of
   * the answer: then 'end' and 'close' follow as in `net`.
   */
  reconnectOnEnd?: boolean;
  /** For looking up, connecting and shaking hands together, and once more for `onConnect`. Default 10 000 ms. */
  connectTimeout?: number;
  /**
   * A connection has proved itself when it has lasted so long, or bytes have come after `onConnect`: then the attempts count anew.
   * Default 5 000 ms.
   */
  minUptime?: number;
  /**
   * Has every connection for itself, before anything that was written leaves: authenticate, subscribe again. What it
   * throws, or rejects with, is a failed attempt, and the `cause` of the error when the socket gives up.
   *
   * @example
   * async onConnect(session) {
   *   session.write(`AUTH ${token}\n`);
   *   if (!(await session.readUntil('\n')).equals(OK)) throw new Error('not let in');
   * }
   */
  onConnect?: (this: Socket, session: SocketSession) => void | Promise<void>;
  /** What is kept while there is no connection, or while the peer takes nothing. */
  queue?: {
    /** Whole messages, in bytes. Default 1 MiB. */
    bytes?: number;
    /**
     * How long a message may wait for a connection. Then it is given up: its callback gets `ERR_SOCKET_WRITE_EXPIRED`. Default
     * 60 000 ms, and `Infinity` with `resend: 'unacknowledged'`.
     */
    age?: number;
    /**
     * `'block'` (default): `write` returns false until there is room, as with any stream. `'error'`: a write that does not
     * fit is not taken, and its callback gets `ERR_SOCKET_QUEUE_FULL`; with `frame`, whole messages with all their parts.
     */
    whenFull?: 'block' | 'error';
  };
  /**
   * Where one message ends and the next begins, in what is written. A message leaves whole on one connection or counts
   * as lost. Default: every `write` is a message.
   */
  frame?:
    | { delimiter: string | Uint8Array }
    | {
        /** Each message begins with the number of bytes that follow, in so many bytes: 1 to 8. */
        lengthBytes: number;
        littleEndian?: boolean;
        /** The number counts its own bytes too. */
        includesLength?: boolean;
      };
  /**
   * `'none'` (default): what was handed to the system is never sent again. `'unacknowledged'`, with `frame`: messages are
   * kept until {@link Socket.acknowledge} is called for them, and sent again, whole and in order, over the next connection.
   */
  resend?: 'none' | 'unacknowledged';
  /** A question that is asked again and again by the native thread, whatever the event loop does. */
  heartbeat?: {
    /** From beat to beat, ms. */
    interval: number;
    /**
     * How long after a beat some byte must have come. Default `interval`. It counts also for a beat that has to wait behind a
     * message of which the peer takes nothing.
     */
    timeout?: number;
    send: string | Uint8Array;
    /** The answer: it does not reach 'data'. Without it whatever comes is a sign of life, and data. */
    expect?: string | Uint8Array;
  };
  /** Speak TLS. */
  tls?: boolean | SocketTlsOptions;
  allowHalfOpen?: boolean;
  signal?: AbortSignal;
  highWaterMark?: number;
  readableHighWaterMark?: number;
  writableHighWaterMark?: number;
  /** Default `true`. */
  noDelay?: boolean;
  /** Asks the peer's kernel whether it is there, after silence. Default `true`: a dead peer is found after a minute. */
  keepAlive?: boolean;
  /** The silence before that, ms. Default 15 000. */
  keepAliveInitialDelay?: number;
  /** As {@link Socket.setTimeout}. */
  timeout?: number;
}

/** The part of {@link RetryOptions} that has a meaning for a connection that lasts. */
export interface ReconnectOptions {
  /** Attempts in a row. Default `Infinity`. */
  retries?: number;
  backoff?: { base?: number; cap?: number };
  /** No attempt begins later than this after the loss. Default `Infinity`. */
  within?: number;
  /** As the event 'reconnecting', and before it. */
  onRetry?: (next: Reconnecting) => void;
}

export interface SocketTlsOptions extends TlsOptions {
  /** Whom the certificate must be for, and what SNI says. Default: the host. */
  servername?: string;
  ALPNProtocols?: readonly (string | Uint8Array)[];
}

/** One new connection, in the hands of `onConnect`. */
export interface SocketSession {
  /** The number of the connection, from 1. */
  readonly generation: number;
  /** Aborted when the connection is lost, also after `onConnect` has returned. The reason is why. */
  readonly signal: AbortSignal;
  /** Sends at once, past everything that is queued. */
  write(chunk: string | Uint8Array, encoding?: string): void;
  /** What has come, at least one byte; or just as many as are asked for. One read at a time. */
  read(count?: number): Promise<Uint8Array & { toString(encoding?: string): string; equals(other: Uint8Array): boolean }>;
  /** What comes up to these bytes, and them. What nobody reads here is the stream's, when the connection is up. */
  readUntil(delimiter: string | Uint8Array): ReturnType<SocketSession['read']>;
}

/** A connection is lost. */
export interface Disconnect {
  fault: Fault;
  /**
   * Bytes that the system had taken from the program and the peer's system had not acknowledged: they may be lost, and are
   * not sent again by themselves. `'unknown'` where the system does not tell (only Linux does).
   */
  unacknowledged: number | 'unknown';
  /** How long the connection had been up, ms. */
  uptime: number;
}

/** Another attempt follows. */
export interface Reconnecting {
  /** From 1. */
  attempt: number;
  /** After so long, ms: the backoff, or more where many sockets of the process wait for the same host. */
  delay: number;
  fault: Fault;
}

/** There is a connection again. */
export interface Reconnected {
  /** Since a connection last proved itself (`minUptime`). */
  attempts: number;
  /** Since the loss, ms. */
  downtime: number;
}

/** Writes that were not sent, and had no callback to be told. */
export interface Unsent {
  writes: number;
  bytes: number;
  error: Error & { code: string; delivery: Delivery };
}

export interface SocketStats {
  /** Where it stands; `'idle'` before `connect`. */
  state: 'idle' | 'connecting' | 'greeting' | 'flushing' | 'live' | 'waiting' | 'ended';
  /** The number of the connection there is, or was last; 0: none yet. */
  generation: number;
  /** How long the connection has been up, ms. */
  uptime: number | undefined;
  reconnects: number;
  bytesRead: number;
  /** What the system has taken. */
  bytesWritten: number;
  queue: { bytes: number };
  /** Messages, with `resend: 'unacknowledged'`. */
  acknowledged: number;
  unacknowledged: number;
  /** The smoothed round trip, ms. Linux. */
  rtt: number | undefined;
  /** Segments that were sent again, on this connection. Linux. */
  retransmits: number | undefined;
}

// ---------------------------------------------------------------------------------------------------- WebSocket

// Without Node's types it is `any`.
// @ts-ignore
import { Buffer } from 'node:buffer';

/**
 * A WebSocket that stays connected: the WHATWG `WebSocket` and the client of `ws` in one object, over a succession of
 * connections. `docs/websocket.md` is the guide.
 *
 * ```js
 * import { WebSocket } from 'unreset';
 *
 * const ws = new WebSocket('wss://example.com/feed', { onConnect: (session) => session.send('{"subscribe":"trades"}') });
 * ws.on('message', (data) => handle(JSON.parse(String(data))));
 * ws.on('disconnect', ({ fault }) => log(fault.reason));
 * ```
 *
 * A lost connection is neither an error nor the end: 'open' and 'close' come once, and between two connections
 * `readyState` is CONNECTING and what is sent waits.
 *
 * Every event comes by `on` and by `addEventListener`: 'open' 'message' 'error' 'close' with the events of the standard, those
 * that are only ours as a `CustomEvent` with the same object as its `detail`. Those of `ws` that the standard does not know
 * ('ping', 'pong', 'upgrade', 'unexpected-response', 'redirect') come by `on` alone. See {@link WebSocketEvents}.
 */
export class WebSocket extends EventTarget {
  static readonly CONNECTING: 0;
  static readonly OPEN: 1;
  static readonly CLOSING: 2;
  static readonly CLOSED: 3;
  /** As the export of that name. */
  static createWebSocketStream: typeof createWebSocketStream;

  /**
   * @param url `ws://`, `wss://`, `http://` or `https://`; or a function, asked for each connection anew
   * @param protocols subprotocols, of which the server takes one; or a function. The options may stand in their place
   * @throws DOMException `SyntaxError` for a URL or a subprotocol that is none
   * @throws {TypeError | RangeError} which name the option that is wrong
   */
  constructor(
    url: string | URL | WebSocketProvider<string | URL>,
    protocols?: string | readonly string[] | WebSocketProvider<string | readonly string[] | undefined>,
    options?: WebSocketOptions,
  );
  constructor(url: string | URL | WebSocketProvider<string | URL>, options: WebSocketOptions);

  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;

  /** Of the connection there is, or was last, after redirects. Empty until a function has told it. */
  readonly url: string;
  /** CONNECTING also between two connections. */
  readonly readyState: 0 | 1 | 2 | 3;
  /** The subprotocol that the server has taken. */
  readonly protocol: string;
  readonly extensions: string;
  /**
   * Bytes of messages that the system has not taken yet: UTF-8 for text, without what the protocol adds. As in the standard, what
   * is sent when it is closing or closed counts for ever.
   */
  readonly bufferedAmount: number;
  /**
   * What binary messages are. Until it is set, events of the standard have a `Blob`, as everywhere, and listeners of `on` a
   * `Buffer`, as with `ws`; once it is set, both have what it says. `'fragments'` is an array of one `Buffer`.
   */
  binaryType: 'blob' | 'arraybuffer' | 'nodebuffer' | 'fragments';

  onopen: ((this: WebSocket, event: Event) => void) | null;
  onmessage: ((this: WebSocket, event: MessageEvent) => void) | null;
  onerror: ((this: WebSocket, event: Event & { readonly error: Error; readonly message: string }) => void) | null;
  onclose: ((this: WebSocket, event: WebSocketCloseEvent) => void) | null;

  /**
   * Sends a message, or keeps it until there is a connection. All that is sent in one turn of the event loop leaves together.
   *
   * @param data anything that is neither bytes nor a Blob is sent as the text that it makes
   * @param callback called without an argument when the system has taken the whole message; with an error if it was
   *   not sent (`delivery: 'not-sent'`) or if nobody can tell (`delivery: 'unknown'`)
   */
  send(data: WebSocketData, callback?: (error?: WebSocketDeliveryError) => void): void;
  send(data: WebSocketData, options?: WebSocketSendOptions, callback?: (error?: WebSocketDeliveryError) => void): void;

  /**
   * As {@link send}, and says what became of the message:
   *
   * - `written`: the system has taken all of it, on a connection that was there. Whether the peer has read it only the peer can
   *   tell.
   * - `unsent`: not one byte of it left.
   * - `unknown`: some or all of it left, and the connection was lost before the peer's system acknowledged it.
   *
   * @example
   * if ((await ws.deliver(order)) !== 'written') await store(order);
   */
  deliver(data: WebSocketData, options?: WebSocketSendOptions): Promise<'written' | 'unsent' | 'unknown'>;

  /**
   * Resolves when not more than so many bytes wait to be sent. Default 0: everything has left.
   *
   * @throws Error ERR_WEBSOCKET_CLOSED when the WebSocket ends before
   */
  drained(atMost?: number): Promise<void>;

  /**
   * Ends it for good: what was sent leaves first, if there is a connection; without one it is over at once.
   *
   * @param code 1000, 3000 to 4999, or another one that RFC 6455 lets an endpoint send, as `ws` does
   * @param reason at most 123 bytes of UTF-8
   * @throws DOMException `InvalidAccessError` for another code, `SyntaxError` for a longer reason
   */
  close(code?: number, reason?: string | Uint8Array): void;

  /** Ends it for good and at once. */
  terminate(): void;

  /** At most 125 bytes. Without a connection nothing is sent, and the callback is told. */
  ping(data?: WebSocketData, mask?: boolean, callback?: (error?: Error) => void): void;
  ping(data: WebSocketData, callback: (error?: Error) => void): void;
  ping(callback: (error?: Error) => void): void;
  pong(data?: WebSocketData, mask?: boolean, callback?: (error?: Error) => void): void;
  pong(data: WebSocketData, callback: (error?: Error) => void): void;
  pong(callback: (error?: Error) => void): void;

  /** No message is told, and nothing is read from the peer, until {@link resume}. */
  pause(): void;
  resume(): void;
  readonly isPaused: boolean;

  /** What the endpoint has taught this process. */
  flow(): WebSocketFlow;
  /** How it is. After the end, how it was. */
  stats(): WebSocketStats;

  /** Whether the process stays alive for it. */
  ref(): this;
  unref(): this;

  // Of an EventEmitter.
  on<Name extends keyof WebSocketEvents>(event: Name, listener: (this: WebSocket, ...args: WebSocketEvents[Name]) => void): this;
  on(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;
  once<Name extends keyof WebSocketEvents>(event: Name, listener: (this: WebSocket, ...args: WebSocketEvents[Name]) => void): this;
  once(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;
  addListener<Name extends keyof WebSocketEvents>(event: Name, listener: (this: WebSocket, ...args: WebSocketEvents[Name]) => void): this;
  addListener(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;
  prependListener(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;
  prependOnceListener(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;
  off(event: string | symbol, listener: (...args: any[]) => void): this;
  removeListener(event: string | symbol, listener: (...args: any[]) => void): this;
  /** Of `on`; those of the standard stay. */
  removeAllListeners(event?: string | symbol): this;
  emit(event: string | symbol, ...args: any[]): boolean;
  listeners(event: string | symbol): Function[];
  rawListeners(event: string | symbol): Function[];
  listenerCount(event: string | symbol, listener?: Function): number;
  eventNames(): (string | symbol)[];
  setMaxListeners(count: number): this;
  getMaxListeners(): number;

  // Of an EventTarget.
  addEventListener<Name extends keyof WebSocketEventMap>(
    type: Name,
    listener: ((this: WebSocket, event: WebSocketEventMap[Name]) => void) | { handleEvent(event: WebSocketEventMap[Name]): void } | null,
    options?: boolean | { once?: boolean; passive?: boolean; capture?: boolean; signal?: AbortSignal },
  ): void;
  addEventListener(
    type: string,
    listener: ((event: any) => void) | { handleEvent(event: any): void } | null,
    options?: boolean | { once?: boolean; passive?: boolean; capture?: boolean; signal?: AbortSignal },
  ): void;
}

/** The messages of a WebSocket as a `Duplex`, as `ws` has it. */
export function createWebSocketStream(ws: WebSocket, options?: object): Duplex;

/** What can be sent. */
export type WebSocketData = string | ArrayBufferLike | ArrayBufferView | Blob | number;

/**
 * Asked before each attempt, the first one included. A promise is awaited. What it throws, or rejects with, is a failed
 * attempt and not the end.
 *
 * @example
 * new WebSocket(async () => `wss://example.com/?ticket=${await fetchTicket()}`);
 */
export type WebSocketProvider<T> = (context: {
  /** From 1, over the life of the WebSocket. */
  attempt: number;
  /** Of the last loss or failed attempt. */
  fault: Fault | undefined;
}) => T | Promise<T>;

export interface WebSocketSendOptions {
  /** A binary message, whatever the data is. Default: text for strings, binary for bytes. */
  binary?: boolean;
  /** Where compression was agreed on and the message is large enough. Default `true`. */
  compress?: boolean;
  /** `false`: the message goes on with the next `send`, and leaves when its last part is there. Default `true`. */
  fin?: boolean;
  /** As `ws` has it. Nothing but `true` is accepted. */
  mask?: boolean;
}

/** Why a message was not written. */
export interface WebSocketDeliveryError extends Error {
  /**
   * `ERR_WEBSOCKET_CLOSED`, `ERR_WEBSOCKET_QUEUE_FULL`, `ERR_WEBSOCKET_MESSAGE_EXPIRED`, `ERR_WEBSOCKET_MESSAGE_CUT`,
   * `ERR_WEBSOCKET_MESSAGE_OVERSIZED`, `ERR_WEBSOCKET_BLOB_UNREADABLE`.
   */
  code: string;
  delivery: 'not-sent' | 'unknown';
}

export interface WebSocketOptions {
  /** As the argument of that name. */
  protocols?: string | readonly string[] | WebSocketProvider<string | readonly string[] | undefined>;
  /** Those of the handshake itself must be left out. */
  headers?: WebSocketHeaders | WebSocketProvider<WebSocketHeaders | undefined>;
  /** The `Origin` header, if `headers` has none. */
  origin?: string | URL;
  /** `user:password`, for the `Authorization` header, if `headers` has none. They may also stand in the URL. */
  auth?: string;

  /**
   * For one attempt: resolving, connecting, TLS, the handshake and its redirects together; and once more for `onConnect`.
   * 0 and `Infinity` are no limit. Default 10 000 ms.
   */
  handshakeTimeout?: number;
  /** Bytes of a message that comes, decompressed; 0 is no limit. A longer one ends the connection with 1009. Default 100 MiB. */
  maxPayload?: number;
  /** Whether permessage-deflate is offered, and how. Default `true`. */
  perMessageDeflate?: boolean | WebSocketDeflateOptions;
  /** Default `false`. `Authorization` and `Cookie` do not go to another host. */
  followRedirects?: boolean;
  /** In one attempt. Default 10. */
  maxRedirects?: number;
  /** How long `close` waits for the peer to answer, ms. Default 30 000. */
  closeTimeout?: number;

  /** A connection that is lost, or cannot be made, is tried again. Default: without end. */
  reconnect?: false | number | WebSocketReconnectOptions | RetryPolicy;
  /**
   * Whether another connection follows: overrides the rule by code and status. `undefined` leaves it as it is. A promise is awaited.
   *
   * @param event how the connection would end as far as the standard goes: `code`, `reason`, `wasClean`
   */
  shouldReconnect?: (event: WebSocketCloseEvent, fault: Fault) => boolean | undefined | void | Promise<boolean | undefined | void>;
  /** As {@link WebSocketReconnectOptions.minUptime}, which goes before it. */
  minUptime?: number;
  /**
   * Has every connection for itself, before anything that was sent leaves: authenticate, subscribe again, say what was seen
   * last. What it throws, or rejects with, is a failed attempt.
   *
   * @example
   * async onConnect(session) {
   *   session.send(JSON.stringify({ auth: token }));
   *   const answer = await session.once();
   *   if (answer !== 'welcome') throw new Error(`not let in: ${answer}`);
   * }
   */
  onConnect?: (this: WebSocket, session: WebSocketSession) => unknown;

  /** Messages that wait to leave, with a connection or without one. */
  queue?: {
    /**
     * Bytes of all of them. A message that does not fit is not taken, and its callback is told (`ERR_WEBSOCKET_QUEUE_FULL`); where
     * nothing waits, one of any size is taken. Default 64 MiB.
     */
    bytes?: number;
    /**
     * How long one waits for a connection, ms. Then it is given up, and its callback is told
     * (`ERR_WEBSOCKET_MESSAGE_EXPIRED`). Default 60 000.
     */
    age?: number;
  };
  /**
   * What leaves again on the next connection. `'unsent'` (default): messages of which not one byte had left. `'unknown-too'`: also those that
   * may have arrived, which the peer may then have twice.
   */
  resend?: 'unsent' | 'unknown-too';
  /**
   * Pings by the native thread, whatever the event loop does. Default `true`.
   */
  heartbeat?: boolean | {
    /** From ping to ping, ms. Default 25 000. */
    interval?: number;
    /** The longest wait for a sign of life after a ping, ms; from the round trips that it has seen it learns a shorter one. Default 30 000. */
    timeout?: number;
  };
  /** Bytes. A longer message leaves in fragments. 1 KiB to 16 MiB, default 64 KiB. */
  maxFrame?: number;
  /** After a reset that follows large messages, use smaller frames and a slower pace for this endpoint. Default `true`. */
  adapt?: boolean;

  /** As in {@link CreateFetchOptions.proxy}; the connection goes through it by CONNECT. */
  proxy?: CreateFetchOptions['proxy'];
  /** For `wss:`. The members may also stand among the other options, as with `ws`. */
  tls?: WebSocketTlsOptions;
  ca?: WebSocketTlsOptions['ca'];
  cert?: WebSocketTlsOptions['cert'];
  key?: WebSocketTlsOptions['key'];
  passphrase?: WebSocketTlsOptions['passphrase'];
  minVersion?: WebSocketTlsOptions['minVersion'];
  rejectUnauthorized?: WebSocketTlsOptions['rejectUnauthorized'];
  servername?: WebSocketTlsOptions['servername'];

  /** Of the addresses of a name only these. Default 0, both. */
  family?: 0 | 4 | 6 | 'IPv4' | 'IPv6';
  /** `false`: only the first address of a name is tried. Default `true`. */
  autoSelectFamily?: boolean;
  localAddress?: string;
  localPort?: number;
  /** Finds the addresses of a name in place of the system. */
  lookup?: LookupFunction;
  /** Default `true`. */
  noDelay?: boolean;
  /** Of TCP. Default `true`. */
  keepAlive?: boolean;
  /** The silence before that, ms. Default 15 000. */
  keepAliveInitialDelay?: number;
}

export type WebSocketHeaders = Iterable<readonly [string, string]> | Record<string, string | number>;

export interface WebSocketTlsOptions extends TlsOptions {
  /** Whom the certificate must be for, and what SNI says. Default: the host of the URL. */
  servername?: string;
}

/** As `ws` has it (RFC 7692). What tunes the memory of Node's zlib is accepted and has no meaning here. */
export interface WebSocketDeflateOptions {
  /** Bytes from which a message is compressed. Default 1024. */
  threshold?: number;
  serverNoContextTakeover?: boolean;
  clientNoContextTakeover?: boolean;
  serverMaxWindowBits?: number;
  clientMaxWindowBits?: true | number;
  /** `level`: 1 to 9, default 6. */
  zlibDeflateOptions?: { level?: number; [tuning: string]: unknown };
  zlibInflateOptions?: object;
  concurrencyLimit?: number;
}

/** The part of {@link RetryOptions} that has a meaning for a connection that lasts, and what a WebSocket adds. */
export interface WebSocketReconnectOptions extends ReconnectOptions {
  /** Close codes after which it comes back besides the usual ones: an application's own, from 4000. */
  codes?: readonly number[];
  /** A connection has proved itself when it has lasted so long: then the attempts count anew. Default 5 000 ms. */
  minUptime?: number;
}

/** One new connection, in the hands of `onConnect`. */
export interface WebSocketSession {
  /** The number of the connection, from 1. */
  readonly generation: number;
  readonly url: string;
  readonly protocol: string;
  /** Aborted when the connection is lost, with the fault as its reason. */
  readonly signal: AbortSignal;
  /** Sends at once, past everything that is queued. */
  send(data: string | ArrayBufferLike | ArrayBufferView): void;
  /**
   * The next message, or the next one that is accepted: text as a string, binary as a `Buffer`. What is not asked for here reaches
   * the listeners after 'open' or 'reconnect'.
   */
  once(accepts?: 'message' | ((data: string | Buffer, isBinary: boolean) => boolean)): Promise<string | Buffer>;
}

/** How it was closed. */
export interface WebSocketCloseEvent extends Event {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  /** Why, where something went wrong. 1006 says nothing; this does. */
  readonly fault: Fault | undefined;
}

/** The events of `on`, and what listeners are called with. */
export interface WebSocketEvents {
  /** There is the first connection. */
  open: [];
  /** Text as its bytes, as with `ws`; binary as {@link WebSocket.binaryType} says. */
  message: [data: any, isBinary: boolean];
  /** It is over, by a failure that no further attempt follows; then 'close'. */
  error: [error: Error & Partial<Fault> & { attempts?: number; gaveUp?: GaveUp }];
  /** It is over. */
  close: [code: number, reason: Buffer, fault: Fault | undefined];
  ping: [data: Buffer];
  pong: [data: Buffer];
  /** A handshake was answered as it should: for every connection. */
  upgrade: [response: WebSocketResponse];
  /** A handshake was answered with something else. What follows from it follows by itself. */
  'unexpected-response': [request: { method: string; path: string; host: string }, response: WebSocketResponse];
  /** A redirect is followed. */
  redirect: [url: string, response: WebSocketResponse];
  /** A connection is lost. */
  disconnect: [loss: WebSocketDisconnect];
  /** Another attempt follows. */
  reconnecting: [next: Reconnecting];
  /** There is a connection again. */
  reconnect: [again: Reconnected];
  /** Messages without a callback did not go, or nobody can tell. */
  unsent: [lost: { messages: number; bytes: number; delivery: 'not-sent' | 'unknown'; error: WebSocketDeliveryError }];
  /** Frames and pace have changed for the endpoint. */
  adapt: [change: WebSocketAdapt];
  /** The peer cannot take this message: it is set aside. */
  oversized: [message: WebSocketOversized];
}

/** The events of `addEventListener`. */
export interface WebSocketEventMap {
  open: Event;
  message: MessageEvent;
  error: Event & { readonly error: Error; readonly message: string };
  close: WebSocketCloseEvent;
  disconnect: Event & { readonly detail: WebSocketDisconnect };
  reconnecting: Event & { readonly detail: Reconnecting };
  reconnect: Event & { readonly detail: Reconnected };
  unsent: Event & { readonly detail: WebSocketEvents['unsent'][0] };
  adapt: Event & { readonly detail: WebSocketAdapt };
  oversized: Event & { readonly detail: WebSocketOversized };
}

/** What `ws` listeners read of an `IncomingMessage`: a `Readable` with the head. Of a body there are 64 KiB at most. */
export interface WebSocketResponse extends AsyncIterable<Buffer> {
  statusCode: number;
  statusMessage: string;
  headers: Record<string, string | string[]>;
  rawHeaders: string[];
}

/** A connection is lost. */
export interface WebSocketDisconnect extends Disconnect {
  /** Of the peer's Close frame, or 1005, or 1006: there was none. */
  code: number;
  reason: string;
  /** On this connection. */
  bytesRead: number;
  bytesWritten: number;
  /** How long nothing had come, ms. */
  idle: number;
  /** The last message that was written to this connection, if there was one: its bytes, and how long before, ms. */
  lastSend: { bytes: number; ago: number } | undefined;
}

/** A change of {@link WebSocketFlow}. */
export interface WebSocketAdapt {
  /** Bytes of a frame from now on. */
  frame: number;
  previousFrame: number;
  /** Bytes a second from now on; `undefined`: as fast as the peer drains them. */
  pace: number | undefined;
  previousPace: number | undefined;
  /** `reset`: after a loss that followed large messages; `growth`: messages got through. */
  reason: 'reset' | 'growth';
}

/** A message that the peer does not survive, or refuses. It is not sent again. */
export interface WebSocketOversized {
  data: string | Buffer;
  isBinary: boolean;
  bytes: number;
  /** The largest that is known to have got through. */
  largest: number | undefined;
  fault: Fault;
}

/** What an endpoint (host, port and path) has taught this process. */
export interface WebSocketFlow {
  /** Bytes: longer messages leave in fragments. */
  frame: number;
  /** Its bound, {@link WebSocketOptions.maxFrame}. */
  maxFrame: number;
  /** Bytes a second; `undefined`: as fast as the peer drains them. */
  pace: number | undefined;
  /** Bytes that may be on their way without a sign that the peer has read them. */
  window: number | undefined;
  /** Bytes of the largest message that is known to have got through. */
  largest: number | undefined;
  /** Bytes of the smallest message that was set aside. */
  oversized: number | undefined;
  /** Losses after which frame and pace dropped. */
  drops: number;
}

export interface WebSocketStats {
  /** Where it stands. */
  state: string;
  /** The number of the connection there is, or was last; 0: none yet. */
  generation: number;
  /** How long the connection has been up, ms. */
  uptime: number | undefined;
  reconnects: number;
  /** Over all connections, in bytes of the wire. */
  bytesRead: number;
  bytesWritten: number;
  messagesRead: number;
  messagesWritten: number;
  /** Bytes of messages that the system has not taken. */
  buffered: number;
  /** The round trip as the system measures it, ms. Linux. */
  rtt: number | undefined;
  /** The round trip of the last ping, ms. */
  ping: number | undefined;
  /** Segments that were sent again, on this connection. Linux. */
  retransmits: number | undefined;
}

// ---------------------------------------------------------------------------------------------------- streams

// Without Node's types it is `any`.
// @ts-ignore
import { Readable } from 'node:stream';

/**
 * A file over HTTP as a Readable that goes on where it breaks, under the rules of {@link fetch} (`docs/resume.md`): the rest
 * is asked for with `Range` and `If-Range`, and never spliced on unless the server proves that it is still the same file.
 * The call begins at once, its body is read as it is asked for. `docs/streams.md` is the guide.
 *
 * @throws {TypeError | RangeError} on an option that is unknown or out of range; the message names it
 *
 * @example
 * await pipeline(download('https://files.example/backup.tar'), createWriteStream('backup.tar'));
 * @example
 * download(url, { retry: { retries: Infinity, within: Infinity } })
 *   .on('resume', ({ offset, fault, delay }) => log(`${fault.code} at ${offset}, on in ${delay} ms`))
 *   .on('error', (error) => log(`given up at ${error.offset}`))
 *   .pipe(process.stdout);
 */
export function download(url: string | URL, options?: DownloadOptions): Download;

/**
 * A file over HTTP, in a file: it is there whole, or not at all. What has come stays beside it as `path.part`, with a small
 * state file, and the next call goes on with it, also that of another process after this one has died.
 *
 * @param path of the file. A link there is replaced; a directory or a device is refused
 * @returns when the file is on the disk under its name. Rejects with the errors of {@link fetch}, a status that is no success
 *   as {@link FaultError} `HTTP_...`, and `ERR_RESUME_CHANGED`, `ERR_DIGEST_MISMATCH`, `ERR_DOWNLOAD_LOCKED`, `ERR_DOWNLOAD_SIZE`,
 *   `ENOSPC` and other errors of the disk: see {@link StreamError}
 *
 * @example
 * await downloadTo('https://files.example/backup.tar', '/var/backups/backup.tar', {
 *   digest: 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
 *   onProgress: ({ bytes, total }) => bar.update(bytes / total),
 * });
 */
export function downloadTo(url: string | URL, path: string | URL, options?: DownloadToOptions): Promise<DownloadResult>;

/**
 * Any source that can be opened at an offset (objects of a store, file servers, logs) as one Readable. When the source fails with a
 * fault that may pass it is opened once more, behind what has been handed on; every other error ends the stream at once, the
 * same object, so that a bug is found and not repeated.
 *
 * @param open is called with the offset to begin at, whenever a source is needed. To give it to `resumable` is to declare
 *   that it may be called again.
 * @throws {TypeError | RangeError} on an option that is unknown or out of range; the message names it
 *
 * @example
 * const object = resumable(async ({ offset, validator, signal }) => {
 *   const got = await s3.send(
 *     new GetObjectCommand({ Bucket, Key, Range: `bytes=${offset}-`, IfMatch: validator }), { abortSignal: signal },
 *   );
 *   return { stream: got.Body, validator: got.ETag, length: offset + got.ContentLength };
 * });
 * await pipeline(object, process.stdout);
 */
export function resumable(open: OpenSource, options?: ResumableOptions): ResumableStream;

/** What {@link download} and {@link resumable} have in common. */
export interface ResumingStream extends Readable {
  /** Bytes that have been handed on. */
  readonly bytes: number;
  /** Of the whole, in bytes; `null` as long as nobody has said it, and of a body that is decoded. */
  readonly total: number | null;
  /** The same as a web stream of bytes. To be asked for before anything reads this one. */
  web(): ReadableStream<Uint8Array>;

  /**
   * - `progress`: bytes have been handed on.
   * - `resume`: it broke, and goes on after a wait. The event that Node's streams have under this name, without an argument,
   *   for when they begin to flow, is not told here.
   * - `response` ({@link Download} only): the head of the response is there.
   * - `error`: there is no further attempt: a {@link StreamError}.
   */
  on(event: 'progress', listener: (progress: Progress) => void): this;
  on(event: 'resume', listener: (event: ResumeEvent) => void): this;
  on(event: 'response', listener: (response: FetchResponse) => void): this;
  on(event: 'error', listener: (error: StreamError) => void): this;
  on(event: string | symbol, listener: (...args: any[]) => void): this;
  once(event: 'progress', listener: (progress: Progress) => void): this;
  once(event: 'resume', listener: (event: ResumeEvent) => void): this;
  once(event: 'response', listener: (response: FetchResponse) => void): this;
  once(event: 'error', listener: (error: StreamError) => void): this;
  once(event: string | symbol, listener: (...args: any[]) => void): this;
}

/** What {@link download} returns. */
export interface Download extends ResumingStream {
  /** As soon as its head is there. Its body is this stream. */
  readonly response: FetchResponse | undefined;
  /** What it took so far; `undefined` before there is a response. */
  readonly recovery: Recovery | undefined;
}

/** What {@link resumable} returns. */
export interface ResumableStream extends ResumingStream {
  /** What it took so far. */
  readonly recovery: Recovery;
}

/** How far a stream has come. */
export interface Progress {
  /** That are there. Of `downloadTo`: with those that were there before the call, encoded where the server encodes them. */
  bytes: number;
  /** Of the whole; `null` where nobody has said it. */
  total: number | null;
}

/** A stream broke and is about to go on. */
export interface ResumeEvent {
  /**
   * Where: how many bytes have come. Of a body that is sent compressed: of its encoded bytes.
   */
  offset: number;
  /** What broke it, or failed the latest attempt to go on. */
  fault: Fault;
  /** The wait before the next attempt, in ms. */
  delay: number;
}

/** What a stream fails with, besides what is not its own: the reason of a signal, what a hook or a listener threw, a bug of a source. */
export interface StreamError extends Error {
  code?: string;
  /** How many bytes had been handed on, or written. */
  offset: number;
  recovery?: Recovery;
  /** Of `downloadTo`: where what has come is kept. Absent where nothing is. */
  partial?: string;
  /** With `ERR_DOWNLOAD_LOCKED`: the number of the process that is writing. */
  owner?: number;
}

/** What {@link download} and {@link downloadTo} take alike. */
export interface TransferOptions {
  /** See {@link FetchInit.retry}; or a policy that other calls share: see {@link createPolicy}. */
  retry?: RetryOptions | RetryPolicy | number | false;
  /** See {@link FetchInit.timeout}. After `total` nothing is resumed any more. */
  timeout?: Timeouts;
  /** See {@link FetchInit.resume}. */
  resume?: Resume;
  /** Of the request. `accept-encoding` is `identity` unless it is set here, so that offsets and lengths are those of the file. */
  headers?: RequestInit['headers'];
  /** Ends it at once, with its reason as it is. */
  signal?: AbortSignal | null;
  /** Whose connections, proxies and TLS options are used: what {@link createFetch} made. Default: those of {@link fetch}. */
  fetch?: Fetch;
  /**
   * How much is read before it is asked for, in bytes, here and in the engine each; what is beyond it stays with the server.
   * Default 256 KiB.
   */
  highWaterMark?: number;
}

/** The second argument of {@link download}. */
export interface DownloadOptions extends TransferOptions {
  /** Whether a compressed body is decoded. Default `true`. */
  decompress?: boolean;
}

/** The third argument of {@link downloadTo}. */
export interface DownloadToOptions extends TransferOptions {
  /**
   * What the file must be: `sha256-`, `sha384-` or `sha512-` and the digest in base64, as in `integrity` of a script; several
   * are separated by spaces. What the server sends along (`Content-MD5`, `Digest`, `Repr-Digest`, `Content-Digest`) is
   * checked in any case.
   */
  digest?: string;
  /**
   * Whether a file that the server encoded although it was asked not to (an object that was stored compressed) is decoded
   * when it is complete. Default `true`.
   */
  decompress?: boolean;
  /**
   * What the file is, where its URL does not say it, as where each call has another signature in it. Default: the URL,
   * without credentials and fragment. What is there of another file is not gone on with.
   */
  id?: string;
  /**
   * When the server has another version now than the one that a part is there of: `'fail'` with `ERR_RESUME_CHANGED`, and the
   * part is kept; or `'restart'`, once in a call. Default `'fail'`.
   */
  changed?: 'fail' | 'restart';
  /** Bytes have been written. It is waited for; what it throws or rejects with ends the call. */
  onProgress?(progress: Progress): void | PromiseLike<void>;
  /** The transfer broke, and goes on. It is waited for; what it throws or rejects with ends the call. */
  onResume?(event: ResumeEvent): void | PromiseLike<void>;
}

/** What {@link downloadTo} came to. */
export interface DownloadResult {
  /** Absolute. */
  path: string;
  /** Of the file. */
  bytes: number;
  /** How many were there already, from an earlier call. 0: the file was begun. */
  continuedAt: number;
  /** The last one; its body is in the file. 206 where it went on with a part. */
  response: FetchResponse;
  recovery: Recovery;
}

/** Opens a source at an offset. What it returns is closed when it is not needed any more. */
export type OpenSource = (context: OpenContext) => OpenedSource | PromiseLike<OpenedSource>;

/** What a source is opened with. */
export interface OpenContext {
  /** The first byte that is wanted. */
  offset: number;
  /** What the source said that it is, when it was first opened, or the options did; `undefined` before that. */
  validator: any;
  /** Aborts when what is opened is not wanted any more: hand it on. */
  signal: AbortSignal;
  /** Of this opening, from 1. */
  attempt: number;
  /** What the one before failed with. */
  lastFault: Fault | undefined;
}

/** A stream of bytes or strings, of either kind, or an async iterable of them; or one and what is known of it. */
export type OpenedSource = SourceStream | {
  stream: SourceStream;
  /**
   * What it is a part of: an entity tag, a version, a time of modification. It is handed to the next opening. What says
   * another one then ends the stream with `ERR_RESUME_CHANGED`; compared with `===`.
   */
  validator?: unknown;
  /** Of the whole, in bytes. With it a source that ends too early has broken; without it an end is an end. */
  length?: number;
  /** Of its first byte, where that is before the one that was asked for: what came already is skipped. */
  offset?: number;
};

export type SourceStream = Readable | ReadableStream | AsyncIterable<Uint8Array | string>;

/** The second argument of {@link resumable}. */
export interface ResumableOptions {
  /** See {@link RetryOptions}: when the source is opened once more. */
  retry?: RetryOptions | RetryPolicy | number | false;
  /** Ends it at once, with its reason as it is. */
  signal?: AbortSignal | null;
  /** How much is read before it is asked for, in bytes; what the source itself reads ahead comes on top. Default 64 KiB. */
  highWaterMark?: number;
  /** In ms; `false` is no limit. */
  timeout?: {
    /** For `open`. Default 300 000 ms. */
    open?: number | false;
    /** How long the source may bring nothing while it is read. Default 300 000 ms. */
    idle?: number | false;
  };
  /** See {@link OpenedSource}; for sources that are bare streams. */
  length?: number;
  /** See {@link OpenedSource}: what it must be from the first opening on. */
  validator?: unknown;
}

// ---------------------------------------------------------------------------------------------------- databases

/**
 * A connection that is there when it is needed: made when it is first asked for, with backoff; tested before it is used
 * after a silence; brought back when it is lost; and used so that nothing runs twice behind the program's back.
 * `docs/databases.md` is the guide. For the pools of pg and mysql2, and for the clients of Redis, there are
 * {@link wrapPgPool}, {@link wrapMysqlPool} and {@link wrapRedis}; for mongoose {@link wrapMongoose}.
 *
 * A connection that is an `EventEmitter` is listened to: 'error', 'end' or 'close' are its loss. Others report it by
 * `lost`.
 *
 * @param source how connections are made, ended, tested and judged
 * @throws {TypeError | RangeError} on an option that is unknown or out of range; the message names it
 *
 * @example
 * const broker = persistent({
 *   connect: () => amqp.connect('amqp://queue.internal'),
 *   close: (connection) => connection.close(),
 * });
 * await broker.run((connection) => publish(connection, order)); // not repeated, unless nothing was sent
 */
export function persistent<Connection>(source: PersistentSource<Connection>, options?: PersistentOptions): Persistent<Connection>;

/** The first argument of {@link persistent}. */
export interface PersistentSource<Connection> {
  /**
   * Makes a connection. What it rejects with is classified: what is transient is tried again, under
   * {@link PersistentOptions.reconnect}. It runs in the async context in which `persistent` was called.
   */
  connect(context: ConnectContext): Connection | PromiseLike<Connection>;
  /** Ends a connection: one that is lost, one that came too late, or the last one. What it throws is ignored. */
  close(connection: Connection): unknown;
  /** Asks the server for a sign of life, over this connection. Without it a connection is not tested. */
  ping?(connection: Connection, context: { signal: AbortSignal }): unknown;
  /**
   * Whether a connection can not be used any more: asked before it is used, without an error, and after a call has failed.
   * Default: by what is known of the error.
   */
  isBroken?(connection: Connection, error: unknown): boolean;
}

/** What {@link PersistentSource.connect} is given. */
export interface ConnectContext {
  /** The number of the attempt, from 1, since there last was a connection that proved itself. */
  attempt: number;
  /** Aborted when the attempt takes too long, or the handle is closed. */
  signal: AbortSignal;
  /** Reports that the connection of this attempt is gone. To say it twice does no harm. */
  lost(error?: unknown): void;
}

/** The second argument of {@link persistent} and of the wrappers of pools and clients. Times are in ms. */
export interface PersistentOptions {
  /** What events, and the budget and breaker of `retry`, call it. Default `''`. */
  name?: string;
  /**
   * When `run` tries again, what the program or the fault allows to be repeated. The same as everywhere; a
   * {@link RetryPolicy} is shared with other clients.
   */
  retry?: RetryOptions | RetryPolicy | number | false;
  /**
   * When a connection that was lost, or could not be made, is tried again. Default: without end. When it gives up, the
   * next `get` or `run` begins anew; `false` leaves every attempt to them.
   */
  reconnect?: false | number | PersistentReconnect;
  timeout?: {
    /** For an attempt to connect. Default 10 000. */
    connect?: number;
    /** How long a call waits for a connection, over all its attempts. Default 10 000. */
    wait?: number;
    /** For the answer to a ping. Default 5 000. */
    ping?: number;
    /** How long `close` lets what runs come to its end, and then waits for the farewell. Default 10 000. */
    close?: number;
  };
  /**
   * The longest silence after which a connection is used without being tested. It learns to test sooner, down to a second,
   * when connections die earlier. `false`: never test. Default 15 000.
   */
  pingAfter?: number | false;
  /** How many calls may wait for a connection; further ones fail with `ERR_PERSISTENT_WAITING`. Default 1 000. */
  maxWaiting?: number;
}

/** The part of {@link RetryOptions} that has a meaning for a connection that is to come back. */
export interface PersistentReconnect {
  /** Attempts in a row, after a loss or a first one that failed. Default `Infinity`. */
  retries?: number;
  backoff?: { base?: number; cap?: number };
  /** No attempt begins later than this after the loss. Default `Infinity`. */
  within?: number;
  /** As the event 'reconnecting', and before it. */
  onRetry?(next: Reconnecting): void;
  /** Whether a fault of an attempt is worth another one; `undefined` leaves it to what is known of the fault. */
  shouldRetry?(fault: Fault, context: { attempt: number; elapsed: number }): boolean | undefined | void | Promise<boolean | undefined | void>;
}

/**
 * What {@link persistent} makes. It does not keep the process alive, except while a call of yours waits or runs; its
 * connection does what connections of its driver do.
 */
export interface Persistent<Connection> extends AsyncDisposable {
  /**
   * - `idle`: nobody has asked for it yet
   * - `connecting`: for the first time
   * - `up`: the last that was asked of it was answered
   * - `degraded`: something failed, and it is tested before it is used again; of a pool, one connection was lost
   * - `down`: there is none
   * - `closed`: by the program
   */
  readonly state: PersistentState;

  /**
   * The connection, tested if it has been idle for long; of a pool, the pool. What is then done with it is not watched, nor
   * repeated: {@link Persistent.run} does that.
   *
   * @returns rejects with a {@link FaultError} whose `delivery` is `not-sent`, or with the reason of the signal
   */
  get(options?: { signal?: AbortSignal | null; timeout?: number }): Promise<Connection>;

  /**
   * Calls the function with a connection. A transient failure is repeated only with `idempotent: true`, or where the fault
   * proves that nothing was sent. The fault speaks of what failed: a function that does several things, of which one cannot
   * be repeated, should do the others elsewhere. (The wrappers of drivers see whether anything was sent before, and then
   * believe no fault.)
   *
   * @returns rejects with what the function threw, the same object, with `recovery`; with a {@link FaultError} where there was
   *   no connection, no time, or no answer any more; with the reason of the signal
   *
   * @example
   * try {
   *   await db.run((client) => client.query('UPDATE account SET balance = balance - 5 WHERE id = 1'));
   * } catch (error) {
   *   const { fault } = error.recovery.attempts.at(-1);
   *   if (fault.delivery === 'unknown') await findOut(); // it may have been done, and was not done again
   * }
   */
  run<Result>(fn: (connection: Connection, context: RunContext) => Result | PromiseLike<Result>, options?: RunOptions): Promise<Result>;

  on<Name extends keyof PersistentEvents>(event: Name, listener: (message: PersistentEvents[Name]) => void): this;
  once<Name extends keyof PersistentEvents>(event: Name, listener: (message: PersistentEvents[Name]) => void): this;
  off<Name extends keyof PersistentEvents>(event: Name, listener: (message: PersistentEvents[Name]) => void): this;

  stats(): PersistentStats;

  /**
   * Ends it for good. What waits fails with `ERR_PERSISTENT_CLOSED`; what runs may come to its end within `timeout.close`. The
   * pool or client that was wrapped is closed as well.
   *
   * @returns the same promise however often it is called; it does not reject
   */
  close(): Promise<void>;
}

export type PersistentState = 'idle' | 'connecting' | 'up' | 'degraded' | 'down' | 'closed';

/** The options of {@link Persistent.run}. */
export interface RunOptions {
  /** To do it twice does no harm. Default `false`. */
  idempotent?: boolean;
  /** Ends the call at once, with its reason. */
  signal?: AbortSignal | null;
  /** The whole call with its waits, in ms. At its end the call fails with `ETIMEDOUT`. */
  timeout?: number;
}

/** What the function of {@link Persistent.run} is given besides the connection. */
export interface RunContext {
  /** From 1. */
  attempt: number;
  /** Aborted when nobody waits for the call any longer. */
  signal: AbortSignal;
  /** What the attempt before failed with. */
  lastFault: Fault | undefined;
}

/**
 * Listeners run in the async context in which the handle was made. All of it is published as `unreset:connection` too, with
 * `event`, `surface` and `name` besides.
 */
export interface PersistentEvents {
  /** There is a connection, again or for the first time; or one that was `degraded` has answered. */
  up: {
    /** How many it took; 0: it had not been lost. */
    attempts: number;
    /** Ms since the loss, or since somebody first asked. */
    downtime: number;
  };
  /** There is none; once more, with `gaveUp`, when there will be no further attempt until somebody asks. */
  down: {
    fault: Fault;
    /** How long there had been one, ms. */
    uptime?: number;
    gaveUp?: GaveUp;
  };
  /** See {@link Persistent.state}. */
  degraded: { fault: Fault };
  /** Another attempt follows after `delay`. */
  reconnecting: Reconnecting;
}

export interface PersistentStats {
  state: PersistentState;
  /** How long there has been a connection, ms. */
  uptime: number | undefined;
  /** Connections that were made, or of a pool: how often it was found to reach its server. */
  connects: number;
  losses: number;
  /** Calls that wait for a connection. */
  waiting: number;
  /** Calls of `run` that have not ended. */
  running: number;
  pings: {
    sent: number;
    failed: number;
    /** The silence after which a connection is tested at present, as it was learned, ms. */
    after: number;
  };
  /** The latest fault that a connection, or an attempt to make one, ended with. */
  lastFault: Fault | undefined;
}

/**
 * A pool of `pg` under the contract of {@link Persistent}. It is changed: idle errors are handled, keepalive is on unless it
 * was switched off, and to connect has a limit. Each `run` has one client for itself, so transactions go through it; a client
 * that may still be at work is destroyed, and a transaction that is left open is rolled back.
 *
 * @example
 * const db = wrapPgPool(new pg.Pool({ connectionString }));
 * const { rows } = await db.run((client) => client.query('SELECT * FROM stock'), { idempotent: true });
 */
export function wrapPgPool<Pool extends PgPoolLike>(pool: Pool, options?: PersistentOptions): PersistentPgPool<Pool>;

/** As much of the pool of `pg` as {@link wrapPgPool} needs. */
export interface PgPoolLike {
  connect(): Promise<{ query(...args: never[]): unknown; release(error?: Error | boolean): void }>;
  query(...args: never[]): unknown;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error, client: any) => void): unknown;
  readonly totalCount: number;
}

export interface PersistentPgPool<Pool extends PgPoolLike> extends Omit<Persistent<PgClientOf<Pool>>, 'get'> {
  readonly pool: Pool;
  /** The pool, when it has been shown to reach its server. */
  get(options?: { signal?: AbortSignal | null; timeout?: number }): Promise<Pool>;
  /** As `pool.query`, without callbacks. Not repeated unless nothing was sent; for more there is `run`. */
  query: Pool['query'];
  /** As `pool.connect`: a client, tested if it has been idle for long, to be released. */
  connect(options?: { signal?: AbortSignal | null; timeout?: number }): Promise<PgClientOf<Pool>>;
}

/** Of `connect`, which may have a form with a callback besides. */
type PgClientOf<Pool> = Pool extends { connect: { (): Promise<infer Client>; (callback: any): void } }
  ? unknown extends Client ? OnlyPgClientOf<Pool> : Client
  : OnlyPgClientOf<Pool>;
type OnlyPgClientOf<Pool> = Pool extends { connect(): Promise<infer Client> } ? Client : any;

/**
 * A pool of `mysql2` or `mysql2/promise` under the contract of {@link Persistent}. Connections are tested after a silence; one
 * whose query ran into its `timeout` gives its place back; a transaction that fails is rolled back.
 *
 * @example
 * const db = wrapMysqlPool(mysql.createPool(uri));
 * const [rows] = await db.run((connection) => connection.query('SELECT * FROM stock'), { idempotent: true });
 */
export function wrapMysqlPool<Pool extends MysqlPoolLike>(pool: Pool, options?: PersistentOptions): PersistentMysqlPool<Pool>;

/** As much of a pool of `mysql2` as {@link wrapMysqlPool} needs. */
export interface MysqlPoolLike {
  getConnection(...args: never[]): unknown;
  releaseConnection(connection: never): void;
}

export interface PersistentMysqlPool<Pool extends MysqlPoolLike> extends Omit<Persistent<MysqlConnectionOf<Pool>>, 'get'> {
  readonly pool: Pool;
  /** The pool, when it has been shown to reach its server. */
  get(options?: { signal?: AbortSignal | null; timeout?: number }): Promise<Pool>;
  /** As `query` of the pool of `mysql2/promise`. Not repeated unless nothing was sent; for more there is `run`. */
  query: MysqlCommand<Pool, 'query'>;
  /** The same for prepared statements. */
  execute: MysqlCommand<Pool, 'execute'>;
  /** A connection of the kind that the pool has, tested if it has been idle for long, to be released. */
  getConnection(options?: { signal?: AbortSignal | null; timeout?: number }): Promise<MysqlConnectionOf<Pool>>;
}

type MysqlConnectionOf<Pool extends MysqlPoolLike> = Pool extends { getConnection(): Promise<infer Connection> }
  ? Connection
  : Pool extends { getConnection(callback: (error: any, connection: infer Connection) => any): any }
    ? Connection
    : any;

/** That of the pool, or of what its `promise()` returns. */
type MysqlCommand<Pool, Name extends string> = Pool extends { promise(): infer Promising }
  ? Promising extends { [name in Name]: infer Command } ? Command : never
  : Pool extends { [name in Name]: infer Command } ? Command : never;

/**
 * A client of `ioredis` or `redis` under the contract of {@link Persistent}. An ioredis is told not to send commands again whose
 * answer was lost, which applies an INCR twice; they fail instead, with `delivery: 'unknown'`, also those that are not run by
 * `run`. No clusters.
 *
 * @example
 * const db = wrapRedis(new Redis());
 * await db.run((redis) => redis.incr('orders')); // once, or the program is told that nobody knows
 */
export function wrapRedis<Client extends RedisLike>(client: Client, options?: PersistentOptions): PersistentRedis<Client>;

/** As much of a client of Redis as {@link wrapRedis} needs. */
export interface RedisLike {
  connect(): Promise<unknown>;
  ping(...args: any[]): Promise<unknown>;
  sendCommand(...args: never[]): unknown;
}

export interface PersistentRedis<Client extends RedisLike> extends Persistent<Client> {
  readonly client: Client;
}

/**
 * mongoose, or a connection of it, under the contract of {@link Persistent}: a first connect that fails is tried again, a
 * client that was closed is replaced, operations that are buffered have a bound. Nothing is known of the order in which the
 * driver repeats what it repeats by itself, so of its faults only few are `not-sent`.
 *
 * @example
 * const db = wrapMongoose(mongoose, { uri: 'mongodb://db.internal/shop' });
 * await db.get(); // connected, however long the server took to come up
 * await db.run(() => new Order({ sku: 'bolt' }).save()); // once, or the program is told that nobody knows
 */
export function wrapMongoose<Connection extends MongooseConnectionLike>(
  target: Connection | MongooseLike<Connection>,
  options?: MongooseOptions,
): PersistentMongoose<Connection>;

/** The package, which stands for its default connection. */
export interface MongooseLike<Connection extends MongooseConnectionLike> {
  createConnection(...args: any[]): any;
  readonly connection: Connection;
}

/** As much of a connection of mongoose as {@link wrapMongoose} needs. */
export interface MongooseConnectionLike {
  readonly readyState: number;
  openUri(uri: string, options?: any): Promise<unknown>;
}

export interface MongooseOptions extends PersistentOptions {
  /** Where to connect to. Default: where the connection was opened to. Left out for one that has never been, `get` fails. */
  uri?: string;
  /** As the second argument of `mongoose.connect`. Default: those that the connection was opened with. */
  connectOptions?: object;
  /** Also how many operations of models may be buffered outside of `run`; further ones fail with `ERR_PERSISTENT_WAITING`. */
  maxWaiting?: number;
}

export interface PersistentMongoose<Connection extends MongooseConnectionLike> extends Persistent<Connection> {
  /** The connection that was given, or mongoose's own. */
  readonly connection: Connection;
}
