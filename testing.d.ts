/**
 * `unreset/testing`: real faults for tests, and matchers that say what became of them. For Jest and for every other
 * runner; only the matchers need an `expect` that can be extended. `docs/testing.md` is the guide.
 *
 * ```js
 * import { resetServer, matchers } from 'unreset/testing';
 *
 * expect.extend(matchers);
 *
 * test('one reset is survived', async () => {
 *   await using server = await resetServer({ times: 1 });
 *   expect(await fetch(server.url)).toHaveRecovered({ attempts: 2 });
 * });
 * ```
 */

import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { TlsOptions } from 'node:tls';
import type { Fault } from './index';

export { FaultProxy } from './index';

/**
 * Closes every server, black hole and proxy that this test file has opened and not closed; what a `beforeAll` has opened
 * as well, so there its place is `afterAll`.
 *
 * @example
 * afterEach(closeAll);
 */
export function closeAll(): Promise<void>;

// ---------------------------------------------------------------------------------------------------- servers

/**
 * An HTTP server that does with each request what `answer` says, and keeps what the request brought.
 *
 * @param answer default {@link ok}
 * @throws {TypeError | RangeError} on an option that is unknown or out of range, and with the error of `net.Server` where
 *   the port cannot be had
 *
 * @example
 * const server = await startOrigin(inTurn(rst, reply(503, { 'retry-after': '1' }), reply(200, {}, { stock: 120 })));
 * await placeOrder(server.url);
 * expect(server.requests).toHaveLength(3);
 */
export function startOrigin(answer?: Answer, options?: OriginOptions): Promise<Origin>;

/** Resets the connections of the first requests instead of answering them. */
export function resetServer(options?: FailingServerOptions): Promise<Origin>;

/** Closes the connections of the first requests (FIN: "socket hang up") instead of answering them. */
export function finServer(options?: FailingServerOptions): Promise<Origin>;

/** Takes the first requests and never answers them. */
export function silentServer(options?: FailingServerOptions): Promise<Origin>;

/**
 * A port of 127.0.0.1 that refuses connections, until {@link closeAll}. On Linux no other program can take it
 * meanwhile.
 */
export function refusedPort(): Promise<number>;

/**
 * A port of 127.0.0.1 that takes no connection and refuses none, as behind a firewall that drops packets: connecting
 * lasts until somebody gives up. Linux only (it rejects elsewhere); it costs a process, and half a second to open.
 */
export function openBlackHole(): Promise<BlackHole>;

export interface OriginOptions {
  /** `false`: the answer is asked for as soon as the head of the request is there. Default `true`. */
  readBody?: boolean;
  /** Certificate and key: the server speaks HTTPS. */
  tls?: TlsOptions;
  /** Default 0: any that is free. */
  port?: number;
}

export interface FailingServerOptions extends OriginOptions {
  /** How many requests fail. Default `Infinity`. */
  times?: number;
  /** What the later ones get. Default {@link ok}. */
  then?: Answer;
}

/** A server on 127.0.0.1. */
export interface Origin extends AsyncDisposable {
  /** `http://127.0.0.1:40123`, without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** Every request so far, in order of arrival. */
  readonly requests: Received[];
  /** How many connections were accepted. */
  connections(): number;
  /** Resolves with the request of this index, from 0, when its head has arrived. */
  received(index: number): Promise<Received>;
  /** Ends every connection and gives the port back. Calling it again is harmless. */
  close(): Promise<void>;
}

/** A request as an {@link Origin} received it. */
export interface Received {
  /** Its number at this server, from 0. */
  index: number;
  /** How many requests its connection has carried, this one included. */
  onConnection: number;
  method: string;
  /** The target, with its query. */
  path: string;
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
  /** What has arrived of it. */
  body: Buffer;
  /** Whether all of the body has arrived. */
  complete: boolean;
  incoming: IncomingMessage;
  /** Resolves when its connection has ended. */
  closed: Promise<void>;
}

export interface BlackHole extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

// ---------------------------------------------------------------------------------------------------- answers

/** What an {@link Origin} does with a request. A function of your own may do anything to `response` and its socket. */
export type Answer = (request: Received, response: ServerResponse) => unknown;

/**
 * A response.
 *
 * @param status default 200
 * @param body default `'ok'`; what is neither a string nor a `Uint8Array` (`Buffer`) is sent as JSON, with that
 *   content type
 */
export function reply(status?: number, headers?: OutgoingHttpHeaders, body?: unknown): Answer;

/** 200, with the body `ok`. */
export const ok: Answer;

/** 200, with a JSON of what the request brought: `{ method, path, headers, body }`, the body in base64. */
export const echo: Answer;

/** RST instead of an answer. */
export const rst: Answer;

/** FIN instead of an answer. */
export const fin: Answer;

/** No answer, ever. */
export const silence: Answer;

/** Writes this to the connection and ends it: for answers that are no HTTP. */
export function raw(text: string | Uint8Array): Answer;

/**
 * The head of a response and the first part of its body, then something else.
 *
 * @example partial(rst), partial(silence, { headers: { 'content-length': 10 }, part: 'half ' })
 */
export function partial(then: Answer, options?: PartialOptions): Answer;

export interface PartialOptions {
  /** Default: a `content-length` of 1000. */
  headers?: OutgoingHttpHeaders;
  /** The part of the body that is sent. Default `'partial'`. */
  part?: string | Uint8Array;
}

/** The first request gets the first answer, and so on; the last answer is for all that follow. */
export function inTurn(...answers: [Answer, ...Answer[]]): Answer;

// ---------------------------------------------------------------------------------------------------- matchers

/**
 * For `expect.extend(matchers)`. In TypeScript, say once where Jest finds them; for the global `expect` of `@types/jest`
 * it is `interface Matchers<R>` in `declare global { namespace jest { ... } }`:
 *
 * ```ts
 * import type { FaultMatchers } from 'unreset/testing';
 * declare module 'expect' {
 *   interface Matchers<R> extends FaultMatchers<R> {}
 * }
 * ```
 */
export const matchers: {
  [name in keyof FaultMatchers<unknown>]: (
    this: MatcherContext,
    received: unknown,
    ...expected: Parameters<FaultMatchers<unknown>[name]>
  ) => { pass: boolean; message(): string };
};

/** What the matchers use of the `this` that Jest gives them. */
export interface MatcherContext {
  isNot?: boolean;
  equals(a: unknown, b: unknown): boolean;
  utils: {
    matcherHint(name: string, received?: string, expected?: string, options?: { isNot?: boolean }): string;
    printExpected(value: unknown): string;
    printReceived(value: unknown): string;
  };
}

export interface FaultMatchers<R> {
  /**
   * Of an error, a response, or a fault: what `classify` says of it has these fields, or this code. A failure prints
   * what it is in full. A promise is refused: it has no fault yet.
   *
   * @example
   * await expect(placeOrder()).rejects.toHaveFault({ kind: 'reset', delivery: 'unknown' });
   */
  toHaveFault(expected: string | ExpectedFault): R;

  /**
   * Of a response of our `fetch`: it came after more than one attempt, and as said here. A failure prints every
   * attempt.
   *
   * @example
   * expect(await fetch(url)).toHaveRecovered({ attempts: 2, faults: ['ECONNRESET'] });
   */
  toHaveRecovered(expected?: ExpectedRecovery): R;

  /**
   * Of a `FaultProxy`, or of what its `add` returned: it has struck so often; without a number: at all. A failure prints
   * the fault, the seed and the timeline.
   *
   * @example
   * expect(handle).toHaveStruck(1);
   */
  toHaveStruck(times?: number): R;
}

/** Fields of a fault; each may be an asymmetric matcher such as `expect.stringMatching(...)`. */
export type ExpectedFault = { [field in keyof Fault]?: Fault[field] | AsymmetricMatcher };

export interface ExpectedRecovery {
  /** All of them, the first and the answered one included. */
  attempts?: number | AsymmetricMatcher;
  /** The codes of what the attempts failed with, in order. */
  faults?: readonly (string | AsymmetricMatcher)[] | AsymmetricMatcher;
  /** How often a broken body was continued. */
  resumed?: number | AsymmetricMatcher;
}

/** What `expect.any(...)` and its relatives return. */
export interface AsymmetricMatcher {
  asymmetricMatch(other: unknown): boolean;
}
