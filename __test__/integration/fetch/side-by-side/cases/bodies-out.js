'use strict';

/** Request bodies: the bytes, the length and the type of every kind, and what a stream may do. */

const { Readable } = require('node:stream');
const { setImmediate: nextTurn } = require('node:timers/promises');

const MIB = 1024 * 1024;
const bytes = (...values) => Uint8Array.from(values);
const file = () => new File(['a,b\n'], 'ä "table".csv', { type: 'text/csv' });

const streamOf = (...chunks) => new ReadableStream({
  start(controller) {
    for (const chunk of chunks) controller.enqueue(chunk);
    controller.close();
  },
});

const byteStreamOf = (...chunks) => new ReadableStream({
  type: 'bytes',
  start(controller) {
    for (const chunk of chunks) controller.enqueue(chunk);
    controller.close();
  },
});

async function* generated(...chunks) {
  for (const chunk of chunks) {
    await nextTurn();
    yield chunk;
  }
}

function form({ files }) {
  const made = new FormData();
  made.append('name', 'Zoë\r\nof two lines');
  made.append('name', 'twice');
  made.append('quoted "field"', '');
  if (files) {
    made.append('table', file());
    made.append('blob', new Blob([bytes(0, 255, 13, 10)]));
    made.append('renamed', new Blob(['x'], { type: 'image/png' }), 'x.png');
  }
  return made;
}

const BODIES = {
  'a string': () => 'grüße €',
  'an empty string': () => '',
  'a long string': () => 'ü'.repeat(MIB),
  'a string with a lone surrogate': () => 'a\ud800b',
  'a String object': () => new String('boxed'),
  'a Uint8Array': () => bytes(0, 1, 254, 255),
  'an empty Uint8Array': () => bytes(),
  'a Buffer': () => Buffer.from('pooled'),
  'a view in the middle of its buffer': () => bytes(1, 2, 3, 4, 5).subarray(1, 4),
  'a DataView': () => new DataView(bytes(1, 2, 3, 4).buffer, 1, 2),
  'a Float64Array': () => Float64Array.of(1.5, -2),
  'an ArrayBuffer': () => bytes(1, 2, 3).buffer,
  'some MiB of bytes': () => Buffer.alloc(3 * MIB, 'abc'),
  'a Blob': () => new Blob(['blob ', bytes(255)]),
  'a Blob with a type': () => new Blob(['{}'], { type: 'application/JSON; Charset=X' }),
  'an empty Blob': () => new Blob([]),
  'a slice of a Blob': () => new Blob(['0123456789'], { type: 'a/b' }).slice(2, 5),
  'a File': file,
  'a FormData': () => form({ files: false }),
  'a FormData with files': () => form({ files: true }),
  'an empty FormData': () => new FormData(),
  'a URLSearchParams': () => new URLSearchParams([['a', '1 2'], ['ü', '&=']]),
  'an empty URLSearchParams': () => new URLSearchParams(),
  'a number': () => 42,
  'zero': () => 0,
  'false': () => false,
  'an object': () => ({}),
  'an array': () => [1, 2],
  'a Date': () => new Date(0),
  'null': () => null,
  'undefined': () => undefined,
};

const STREAMS = {
  'a ReadableStream': () => streamOf(bytes(1, 2), bytes(3)),
  'a byte stream': () => byteStreamOf(bytes(1, 2), bytes(3)),
  'a stream of Buffers': () => streamOf(Buffer.from('a'), Buffer.from('b')),
  'a stream with empty pieces': () => streamOf(bytes(), bytes(1), bytes(), bytes(2), bytes()),
  'an async generator': () => generated(bytes(1, 2), bytes(3)),
  'a Node Readable': () => Readable.from([Buffer.from('no'), Buffer.from('de')]),
  'the body of a Response': () => new Response('of a response').body,
  'the stream of a Blob': () => new Blob(['of a blob']).stream(),
};

/** The answer tells nothing: what is compared is what the server saw. */
const put = (name, init, more) => ({
  name,
  run: async (fetch, at) => (await fetch(at.url, { method: 'PUT', ...init() })).status,
  ...more,
});

module.exports = [
  ...Object.entries(BODIES).map(([name, make]) => put(name, () => ({ body: make() }))),
  ...Object.entries(STREAMS).map(([name, make]) => put(name, () => ({ body: make(), duplex: 'half' }))),
  ...Object.entries(BODIES).map(([name, make]) => ({
    name: `${name}, in a Request`,
    async run(fetch, at) {
      const request = new Request(at.url, { method: 'POST', body: make() });
      return (await fetch(request)).status;
    },
  })),
  ...Object.entries(STREAMS).map(([name, make]) => ({
    name: `${name}, in a Request`,
    async run(fetch, at) {
      const request = new Request(at.url, { method: 'POST', body: make(), duplex: 'half' });
      return (await fetch(request)).status;
    },
    differs: {
      as: 'The stream of a Request that is at hand goes out with its length',
      ours: ({ seen: [{ body }] }) => ({ seen: [{ body, headers: { 'content-length': String(body.length) } }] }),
    },
  })),
  put('an empty stream', () => ({ body: streamOf(), duplex: 'half' }), {
    differs: { as: 'An empty stream goes out in chunks', ours: { seen: [{ body: '', headers: { 'transfer-encoding': 'chunked' } }] } },
  }),
  put('a stream of strings', () => ({ body: streamOf('text'), duplex: 'half' })),
  put('a stream of numbers', () => ({ body: streamOf(1), duplex: 'half' })),
  put('a stream without duplex', () => ({ body: streamOf(bytes(1)) })),
  put('a generator without duplex', () => ({ body: generated(bytes(1)) })),
  put('a stream with duplex: "full"', () => ({ body: streamOf(bytes(1)), duplex: 'full' })),
  put('a string with duplex: "full"', () => ({ body: 'x', duplex: 'full' })),
  put('a string with duplex: "half"', () => ({ body: 'x', duplex: 'half' })),
  put('a stream that is locked', () => {
    const body = streamOf(bytes(1));
    body.getReader();
    return { body, duplex: 'half' };
  }),
  {
    name: 'a stream that has been read from',
    async run(fetch, at) {
      const body = streamOf(bytes(1), bytes(2));
      const reader = body.getReader();
      await reader.read();
      reader.releaseLock();
      return (await fetch(at.url, { method: 'PUT', body, duplex: 'half' })).status;
    },
  },
  put('a stream that fails at once', () => ({
    duplex: 'half',
    body: new ReadableStream({ start: (controller) => controller.error(new RangeError('mine')) }),
  })),
  put('a type of one\'s own', () => ({ body: '{}', headers: { 'Content-Type': 'application/json' } })),
  put('an empty type', () => ({ body: '{}', headers: { 'Content-Type': '' } })),
  put('a type of one\'s own for a form', () => ({ body: form({ files: false }), headers: { 'content-type': 'x/y' } })),
  put('the length that the body has', () => ({ body: 'four', headers: { 'content-length': '4' } })),
  put('the length of a stream', () => ({ body: streamOf(bytes(1, 2, 3)), duplex: 'half', headers: { 'content-length': '3' } })),
  put('the length of a Node Readable', () => ({ body: Readable.from([Buffer.from('abc')]), duplex: 'half', headers: { 'content-length': '3' } })),
  ...Object.entries({
    'has less than its length': [[bytes(1, 2), bytes(3)], '4'],
    'has more than its length in the last piece': [[bytes(1), bytes(2, 3)], '2'],
    'has more pieces than its length': [[bytes(1, 2), bytes(3)], '2'],
    'has something and a length of 0': [[bytes(1)], '0'],
  }).map(([name, [pieces, length]]) => (
    put(`a stream that ${name}`, () => ({ body: streamOf(...pieces), duplex: 'half', headers: { 'content-length': length } })))),
  put('a length of 0 with an empty string', () => ({ body: '', headers: { 'content-length': '0' } })),
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'PROPFIND'].flatMap((method) => [
    put(`${method} without a body`, () => ({ method })),
    put(`${method} with a body`, () => ({ method, body: 'b' })),
    put(`${method} with an empty body`, () => ({ method, body: '' })),
  ]),
];
