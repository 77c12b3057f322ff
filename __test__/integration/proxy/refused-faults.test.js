'use strict';

/** Faults that make no sense are refused when they are added: one that strikes nothing would let a test pass. */

const { FaultProxy } = require('../../..');

let proxy;

beforeAll(async () => {
  proxy = await FaultProxy.listen({ upstream: 1 });
});
afterAll(() => proxy.close());

function refused(fault) {
  try {
    proxy.add(fault);
  } catch (error) {
    return error;
  }
  throw new Error('the fault was accepted');
}

test.each([
  [undefined, 'ERR_INVALID_ARG_TYPE', 'fault must be an object. Received undefined.'],
  ['reset', 'ERR_INVALID_ARG_TYPE', "fault must be an object. Received 'reset'."],
  [[], 'ERR_INVALID_ARG_TYPE', 'fault must be an object. Received [].'],
  [{ on: 'idle' }, 'ERR_INVALID_ARG_TYPE', 'fault.type must be one of reset, close,'],
  [{ type: 'rest', on: 'idle' }, 'ERR_INVALID_ARG_VALUE', "Received 'rest'."],
  [{ type: 'reset' }, 'ERR_INVALID_ARG_TYPE', 'fault.on must be one of accept, request, response, idle,'],
  [{ type: 'reset', on: 'respnse' }, 'ERR_INVALID_ARG_VALUE', "Received 'respnse'."],
  [{ type: 'reset', on: 'request', afterByte: 1 }, 'ERR_INVALID_ARG_VALUE', "fault.afterByte is not an option of type 'reset'. Accepted: type, on,"],
  [{ type: 'reset', on: 'request', rate: 1 }, 'ERR_INVALID_ARG_VALUE', "fault.rate is not an option of type 'reset'"],
  [{ type: 'reset', on: 'request', afterBytes: -1 }, 'ERR_OUT_OF_RANGE', 'fault.afterBytes must be a whole number of at least 0. Received -1.'],
  [{ type: 'reset', on: 'request', afterBytes: 1.5 }, 'ERR_OUT_OF_RANGE', 'fault.afterBytes must be'],
  [{ type: 'reset', on: 'request', afterBytes: '1' }, 'ERR_INVALID_ARG_TYPE', "Received '1'."],
  [{ type: 'reset', on: 'request', times: 0 }, 'ERR_OUT_OF_RANGE', 'fault.times must be a whole number of at least 1. Received 0.'],
  [{ type: 'reset', on: 'request', times: Infinity }, 'ERR_OUT_OF_RANGE', 'fault.times must be a finite number. Received Infinity.'],
  [{ type: 'reset', on: 'request', afterMs: NaN }, 'ERR_OUT_OF_RANGE', 'fault.afterMs must be a finite number. Received NaN.'],
  [{ type: 'reset', on: 'request', times: 1n }, 'ERR_INVALID_ARG_TYPE', 'fault.times must be'],
  [{ type: 'reset', on: 'request', match: () => true }, 'ERR_INVALID_ARG_TYPE', 'fault.match must be'],
  [{ type: 'reset', on: 'request', probability: 1.5 }, 'ERR_OUT_OF_RANGE', 'fault.probability must be a number from 0 to 1. Received 1.5.'],
  [{ type: 'reset', on: 'request', connections: 1 }, 'ERR_INVALID_ARG_TYPE', 'fault.connections must be an array'],
  [{ type: 'reset', on: 'request', connections: [1, 0] }, 'ERR_OUT_OF_RANGE', 'fault.connections[1] must be'],
  [{ type: 'reset', on: 'request', match: { url: '/' } }, 'ERR_INVALID_ARG_VALUE', 'fault.match.url is not an option. Accepted: method, path.'],
  [{ type: 'reset', on: 'request', match: { path: '/a?b' } }, 'ERR_INVALID_ARG_VALUE', 'fault.match.path must be a path that begins with /, without a query'],
  [{ type: 'latency', on: 'request' }, 'ERR_INVALID_ARG_TYPE', 'fault.ms must be'],
  [{ type: 'latency', on: 'request', ms: 10, jitter: 11 }, 'ERR_OUT_OF_RANGE', 'fault.jitter must be at most fault.ms (10). Received 11.'],
  [{ type: 'bandwidth', on: 'request', rate: 0 }, 'ERR_OUT_OF_RANGE', 'fault.rate must be'],
  [{ type: 'slice', on: 'request', size: 0 }, 'ERR_OUT_OF_RANGE', 'fault.size must be'],
])('%p', (fault, code, message) => {
  const error = refused(fault);
  expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
  expect(error).toBeInstanceOf(code === 'ERR_OUT_OF_RANGE' ? RangeError : TypeError);
});

/** Both options are named, so that the reader knows which two. */
test.each([
  [{ type: 'reset', on: 'idle', match: { path: '/' } }, "fault.match cannot be combined with on: 'idle'."],
  [{ type: 'reset', on: 'idle', afterBytes: 1 }, "fault.afterBytes cannot be combined with on: 'idle'."],
  [{ type: 'reset', on: 'accept', afterBytes: 1 }, "fault.afterBytes cannot be combined with on: 'accept'."],
  [{ type: 'reset', on: 'accept', match: {} }, "fault.match cannot be combined with on: 'accept'."],
  [{ type: 'close', on: 'before-request-forwarded', afterBytes: 1 }, "fault.afterBytes cannot be combined with on: 'before-request-forwarded'."],
  [{ type: 'refuse', on: 'request' }, "fault.type 'refuse' cannot be combined with on: 'request'."],
  [{ type: 'refuse', on: 'accept', times: 1 }, "fault.times cannot be combined with type: 'refuse'."],
  [{ type: 'refuse', on: 'accept', probability: 1 }, "fault.probability cannot be combined with type: 'refuse'."],
  [{ type: 'latency', on: 'idle', ms: 1 }, "fault.type 'latency' cannot be combined with on: 'idle'."],
  [{ type: 'bandwidth', on: 'accept', rate: 1 }, "fault.type 'bandwidth' cannot be combined with on: 'accept'."],
  [{ type: 'slice', on: 'response-head', size: 1 }, "fault.type 'slice' cannot be combined with on: 'response-head'."],
])('%p contradicts itself', (fault, message) => {
  const error = refused(fault);
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE', message });
});
