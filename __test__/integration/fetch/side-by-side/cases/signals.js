'use strict';

/** Aborts: before, while waiting, inside the body; what the caller is told. */

const { partial, silence } = require('../../../../../testing');

const told = (error) => (typeof error === 'object' && error !== null ? [error.name, error.code, error.message] : error);

/** A signal that is aborted when the server has the request, with a reason of the caller's. */
const waiting = (name, reason) => ({
  name: `while waiting, ${name}`,
  answer: silence,
  async run(fetch, at) {
    const controller = new AbortController();
    const call = fetch(at.url, { signal: controller.signal });
    const { closed } = await at.received(0);
    controller.abort(...reason);
    const error = await call.catch((thrown) => thrown);
    await closed;
    return [told(error), error === controller.signal.reason];
  },
});

module.exports = [
  ...Object.entries({ 'no reason': [], 'a reason': [new RangeError('mine')], 'a string': ['enough'], null: [null], undefined: [undefined] })
    .flatMap(([name, reason]) => [
      waiting(name, reason),
      {
        name: `before, ${name}`,
        async run(fetch, at) {
          const signal = AbortSignal.abort(...reason);
          const error = await fetch(at.url, { signal }).catch((thrown) => thrown);
          return [told(error), error === signal.reason];
        },
      },
      {
        name: `inside the body, ${name}`,
        answer: partial(silence),
        async run(fetch, at) {
          const controller = new AbortController();
          const response = await fetch(at.url, { signal: controller.signal });
          const reading = response.text();
          const { closed } = await at.received(0);
          controller.abort(...reason);
          const error = await reading.catch((thrown) => thrown);
          await closed;
          return [told(error), error === controller.signal.reason];
        },
        differs: name === 'null' ? { as: 'The reason of an abort is given as it is', ours: { returned: [null, true] } } : undefined,
      },
    ]),
  {
    name: 'AbortSignal.timeout',
    answer: silence,
    run: async (fetch, at) => told(await fetch(at.url, { signal: AbortSignal.timeout(300) }).catch((error) => error)),
  },
  {
    name: 'AbortSignal.any',
    answer: silence,
    async run(fetch, at) {
      const controller = new AbortController();
      const call = fetch(at.url, { signal: AbortSignal.any([controller.signal, new AbortController().signal]) });
      await at.received(0);
      controller.abort();
      return told(await call.catch((error) => error));
    },
  },
  {
    name: 'the signal of a Request',
    answer: silence,
    async run(fetch, at) {
      const controller = new AbortController();
      const call = fetch(new Request(at.url, { signal: controller.signal }));
      await at.received(0);
      controller.abort(new RangeError('mine'));
      return told(await call.catch((error) => error));
    },
  },
  {
    name: 'the signal of init, not that of the Request',
    async run(fetch, at) {
      const controller = new AbortController();
      const request = new Request(at.url, { signal: controller.signal });
      const call = fetch(request, { signal: new AbortController().signal });
      controller.abort();
      return (await call.catch((error) => error)).name ?? 'answered';
    },
  },
  {
    name: 'after the body was read, nothing',
    async run(fetch, at) {
      const controller = new AbortController();
      const response = await fetch(at.url, { signal: controller.signal });
      const text = await response.text();
      controller.abort();
      return [text.length > 0, response.bodyUsed];
    },
  },
  {
    name: 'the stream of a body that is aborted',
    answer: partial(silence),
    async run(fetch, at) {
      const controller = new AbortController();
      const response = await fetch(at.url, { signal: controller.signal });
      const reader = response.body.getReader();
      await reader.read();
      controller.abort(new RangeError('mine'));
      return [told(await reader.read().catch((error) => error)), await response.text().catch((error) => error.name)];
    },
  },
  {
    name: 'a clone of a response that is aborted',
    answer: partial(silence),
    async run(fetch, at) {
      const controller = new AbortController();
      const response = await fetch(at.url, { signal: controller.signal });
      const readings = [response.clone().text(), response.text()];
      await at.received(0);
      controller.abort(new RangeError('mine'));
      return Promise.all(readings.map((reading) => reading.catch(told)));
    },
  },
  ...[7, 'signal', {}, () => {}].map((signal) => ({
    name: `signal: ${typeof signal} that is none`,
    run: async (fetch, at) => (await fetch(at.url, { signal })).status,
  })),
];
