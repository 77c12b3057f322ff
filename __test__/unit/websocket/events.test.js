'use strict';

const { EventEmitter, once } = require('node:events');
const { EmittingTarget } = require('../../../lib/websocket/emitting-target');
const { CloseEvent, detailEvent, errorEvent, messageEvent } = require('../../../lib/websocket/events');

describe('events are real ones', () => {
  test('of messages', () => {
    const event = messageEvent('hello', 'ws://a.test');
    expect(event).toBeInstanceOf(MessageEvent);
    expect([event.type, event.data, event.origin]).toEqual(['message', 'hello', 'ws://a.test']);
  });

  test('of the end', () => {
    const fault = { code: 'ECONNRESET' };
    const event = new CloseEvent({ code: 1006, reason: 'x', wasClean: false, fault });
    expect(event).toBeInstanceOf(globalThis.CloseEvent ?? Event);
    expect([event.type, event.code, event.reason, event.wasClean, event.fault]).toEqual(['close', 1006, 'x', false, fault]);
    expect(Object.prototype.toString.call(event)).toBe('[object CloseEvent]');
  });

  test('of errors', () => {
    const error = new Error('broken');
    const event = errorEvent(error);
    expect(event).toBeInstanceOf(globalThis.ErrorEvent ?? Event);
    expect([event.type, event.message, event.error]).toEqual(['error', 'broken', error]);
    expect(Object.prototype.toString.call(event)).toBe('[object ErrorEvent]');
  });

  test('of ours', () => {
    const detail = { attempts: 1 };
    const event = detailEvent('reconnect', detail);
    expect(event).toBeInstanceOf(CustomEvent);
    expect([event.type, event.detail]).toEqual(['reconnect', detail]);
  });
});

describe('an object that is both', () => {
  test('has all methods of an emitter, and is a target', async () => {
    const object = new EmittingTarget();
    expect(object).toBeInstanceOf(EventTarget);
    const methods = Object.keys(EventEmitter.prototype).filter((name) => typeof EventEmitter.prototype[name] === 'function');
    expect(methods.filter((name) => typeof object[name] !== 'function')).toEqual([]);
    const waiting = once(object, 'a');
    object.emit('a', 1, 2);
    expect(await waiting).toEqual([1, 2]);
    expect(Object.keys(object)).toEqual([]);
  });

  test('listeners of one surface do not hear the other', () => {
    const object = new EmittingTarget();
    const heard = [];
    object.on('a', () => heard.push('emitter'));
    object.addEventListener('a', ({ target }) => heard.push(target === object));
    object.emit('a');
    object.dispatchEvent(new Event('a'));
    expect(heard).toEqual(['emitter', true]);
  });

  test('once, signal, handleEvent, removal', () => {
    const object = new EmittingTarget();
    const controller = new AbortController();
    const heard = [];
    const removed = () => heard.push('removed');
    object.addEventListener('a', () => heard.push('once'), { once: true });
    object.addEventListener('a', () => heard.push('signal'), { signal: controller.signal });
    object.addEventListener('a', { handleEvent: () => heard.push('object') });
    object.addEventListener('a', removed);
    object.removeEventListener('a', removed);
    expect([object.mayBeHeard('a'), object.mayBeHeard('b')]).toEqual([true, false]);
    object.dispatchEvent(new Event('a'));
    controller.abort();
    object.dispatchEvent(new Event('a'));
    expect(heard).toEqual(['once', 'signal', 'object', 'object']);
  });

  test('an attribute keeps its place among the listeners when it is replaced, and loses it when it is taken away', () => {
    const object = new EmittingTarget();
    const heard = [];
    const told = () => {
      heard.length = 0;
      object.dispatchEvent(new Event('a'));
      return heard.join();
    };
    const first = () => heard.push('first');
    expect(object.handler('a')).toBeNull();
    object.setHandler('a', first);
    object.addEventListener('a', () => heard.push('listener'));
    expect([object.handler('a'), told()]).toEqual([first, 'first,listener']);
    object.setHandler('a', () => heard.push('second'));
    expect(told()).toBe('second,listener');
    object.setHandler('a', 'no function');
    expect([object.handler('a'), told()]).toEqual([null, 'listener']);
    object.setHandler('a', first);
    expect(told()).toBe('listener,first');
  });
});
