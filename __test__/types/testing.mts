/** `unreset/testing`, as TypeScript checks it. */

import { expect } from '@jest/globals';
import { FaultProxy } from 'unreset';
import * as testing from 'unreset/testing';
import {
  closeAll, echo, fin, finServer, inTurn, matchers, ok, openBlackHole, partial, raw, refusedPort, reply, resetServer, rst,
  silence, silentServer, startOrigin,
} from 'unreset/testing';
import type { Answer, FaultMatchers, Origin } from 'unreset/testing';

declare module 'expect' {
  interface Matchers<R> extends FaultMatchers<R> {}
}

testing.FaultProxy satisfies typeof FaultProxy;

await using origin = await startOrigin();
origin satisfies Origin;
(origin.url + origin.port) satisfies string;
const request = await origin.received(0);
(request.method + request.path + request.headers['x-a'] + request.body.toString()) satisfies string;
await startOrigin((received, response) => response.end(received.path), { readBody: false, port: 0 });
// @ts-expect-error unknown keys of our own option objects are refused
await startOrigin(ok, { ports: 1 });
const own: Answer = inTurn(rst, fin, silence, echo, ok, raw('x'), partial(rst, { part: 'half' }), reply(200, { a: 'b' }, { c: 1 }));
await resetServer({ times: 1, then: own });
await finServer({ times: 1 });
await silentServer();
// @ts-expect-error so many times is a number
await resetServer({ times: 'often' });
// @ts-expect-error at least one answer is needed
inTurn();
(await refusedPort()) satisfies number;
await using hole = await openBlackHole();
hole.port satisfies number;
await closeAll();

expect.extend(matchers);
expect(new Error('x')).toHaveFault('ECONNRESET');
expect(new Error('x')).not.toHaveFault({ kind: 'reset', code: expect.stringMatching(/^E/) });
await expect(fetch('http://localhost')).rejects.toHaveFault({ phase: 'connect', delivery: 'not-sent' });
expect({}).toHaveRecovered();
expect({}).toHaveRecovered({ attempts: 2, faults: ['ECONNRESET'], resumed: 0 });
expect({}).toHaveStruck();
expect({}).toHaveStruck(2);
// @ts-expect-error there is no such kind
expect({}).toHaveFault({ kind: 'rest' });
// @ts-expect-error a fault has something
expect({}).toHaveFault();
// @ts-expect-error unknown keys are refused
expect({}).toHaveRecovered({ retries: 1 });
// @ts-expect-error so many times is a number
expect({}).toHaveStruck('often');
