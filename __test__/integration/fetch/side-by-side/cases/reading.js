'use strict';

/** Reading a response's body: in every form, twice, in parts, not at all. */

const { Readable } = require('node:stream');

const { reply } = require('../../../../../testing');

const hasBytes = typeof Response.prototype.bytes === 'function';

/** Once with the head, once after it. */
const SENDERS = {
  'with its head': reply,
  'after its head': (status, headers, body) => (request, response) => {
    response.writeHead(status, headers);
    response.flushHeaders();
    setImmediate(() => response.end(body));
  },
};

async function gather(iterable) {
  const chunks = [];
  for await (const chunk of iterable) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('latin1');
}

const name = (error) => error.name;

async function entries(form) {
  const told = [...form].map(async ([key, value]) => [
    key, typeof value === 'string' ? value : [value.name, value.type, value.size, await value.text()],
  ]);
  return Promise.all(told);
}

const multipart = (...parts) => `${parts.map((part) => `--B\r\n${part}\r\n`).join('')}--B--\r\n`;
const MULTIPART = { 'content-type': 'multipart/form-data; boundary=B' };
const URLENCODED = { 'content-type': 'application/x-www-form-urlencoded' };

/** What is done with the response, its body, its headers. */
const READINGS = {
  text: [(r) => r.text(), 'grüße'],
  'text of nothing': [(r) => r.text(), ''],
  'text with a byte order mark': [(r) => r.text(), '\ufeffa'],
  'text with invalid bytes': [(r) => r.text(), Buffer.from([0x61, 0xff, 0xc3, 0x28, 0x62, 0xe2, 0x82])],
  'text in another charset is UTF-8': [(r) => r.text(), Buffer.from('ü', 'latin1'), { 'content-type': 'text/plain; charset=latin1' }],
  json: [(r) => r.json(), '{"a":["ü",1]}'],
  'json with a byte order mark': [(r) => r.json(), '\ufeff{"a":1}'],
  'json of nothing': [(r) => r.json(), ''],
  'json that is none': [(r) => r.json(), '<html>'],
  arrayBuffer: [async (r) => [...new Uint8Array(await r.arrayBuffer())], Buffer.from([0, 255, 128])],
  'arrayBuffer of nothing': [async (r) => (await r.arrayBuffer()).byteLength, ''],
  blob: [async (r) => (({ type, size }) => [type, size])(await r.blob()), 'ab', { 'content-type': 'Text/X; A=b' }],
  'blob without a type': [async (r) => (({ type, size }) => [type, size])(await r.blob()), 'ab'],
  'blob with a type that is none': [async (r) => (await r.blob()).type, 'ab', { 'content-type': 'nonsense' }],
  'blob with two types': [async (r) => (await r.blob()).type, 'ab', { 'content-type': ['text/a', 'text/b'] }],
  'formData, urlencoded': [async (r) => entries(await r.formData()), 'a=1+2&%C3%BC=&a=3&b', URLENCODED],
  'formData, urlencoded, with a charset': [async (r) => entries(await r.formData()), 'a=1', { 'content-type': 'Application/x-www-form-urlencoded; charset=UTF-8' }],
  'formData, urlencoded, nothing': [async (r) => entries(await r.formData()), '', URLENCODED],
  'formData, multipart': [async (r) => entries(await r.formData()), multipart(
    'Content-Disposition: form-data; name="a"\r\n\r\n1',
    'Content-Disposition: form-data; name="f"; filename="f.txt"\r\nContent-Type: text/plain\r\n\r\nx\r\ny',
    'Content-Disposition: form-data; name="a"\r\n\r\nü',
  ), MULTIPART],
  'formData, multipart, a boundary in quotes': [async (r) => entries(await r.formData()), multipart('Content-Disposition: form-data; name="a"\r\n\r\n1'), { 'content-type': 'multipart/form-data; boundary="B"' }],
  'formData, multipart, cut off': [async (r) => entries(await r.formData()), '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1', MULTIPART],
  'formData, multipart, without a boundary': [async (r) => entries(await r.formData()), 'x', { 'content-type': 'multipart/form-data' }],
  'formData of text': [async (r) => entries(await r.formData()), 'a=1', { 'content-type': 'text/plain' }],
  'formData without a type': [async (r) => entries(await r.formData()), 'a=1'],
  'the stream': [(r) => gather(r.body), 'streamed'],
  'the stream of nothing': [(r) => gather(r.body), ''],
  'its values': [(r) => gather(r.body.values()), 'streamed'],
  'Readable.fromWeb': [(r) => gather(Readable.fromWeb(r.body)), 'streamed'],
  'piped through': [(r) => gather(r.body.pipeThrough(new TransformStream())), 'streamed'],
  'by a BYOB reader': [async (r) => {
    const reader = r.body.getReader({ mode: 'byob' });
    let text = '';
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(2));
      if (done) return text;
      text += Buffer.from(value);
    }
  }, '12345'],
  teed: [(r) => Promise.all(r.body.tee().map(gather)), 'teed'],
  cloned: [async (r) => {
    const twin = r.clone();
    return [r.status === twin.status, r.url === twin.url, r.bodyUsed, await Promise.all([r.text(), twin.text()]), r.bodyUsed, twin.bodyUsed];
  }, 'cloned'],
  'cloned, with headers of their own': [(r) => {
    const twin = r.clone();
    return [twin.headers === r.headers, twin.headers.get('content-type')];
  }, 'x', { 'content-type': 'a/b' }],
  'a clone of a clone, one of them cancelled': [async (r) => {
    const twin = r.clone();
    const third = twin.clone();
    twin.body.cancel().catch(() => {});
    return Promise.all([r.text(), third.text()]);
  }, 'cloned'],
  'text twice': [async (r) => {
    const first = r.text();
    const used = r.bodyUsed;
    return [used, await r.json().catch(name), await first, await r.text().catch(name), r.bodyUsed];
  }, '1'],
  'cloned after reading': [async (r) => {
    await r.text();
    return r.clone();
  }, 'x'],
  'cloned while locked': [(r) => {
    r.body.getReader();
    return r.clone();
  }, 'x'],
  'while a reader holds it, then again': [async (r) => {
    const reader = r.body.getReader();
    const held = await r.text().catch(name);
    const used = r.bodyUsed;
    reader.releaseLock();
    return [held, used, await r.text()];
  }, 'held'],
  'after some of it was read': [async (r) => {
    const reader = r.body.getReader();
    await reader.read();
    reader.releaseLock();
    return [r.bodyUsed, r.body.locked, await r.text().catch(name)];
  }, 'some'],
  'after it was cancelled': [async (r) => {
    await r.body.cancel('enough');
    return [r.bodyUsed, await r.text().catch(name), await gather(r.body)];
  }, 'cancelled'],
  'the stream after reading': [async (r) => {
    await r.text();
    return [r.bodyUsed, r.body.locked, await gather(r.body).catch(name)];
  }, 'read'],
  'the stream while reading': [(r) => {
    const { body } = r;
    r.text();
    return [r.bodyUsed, body.locked, r.body === body];
  }, 'read'],
  'the stream, seen before it was read': [async (r) => {
    const { body } = r;
    const text = await r.text();
    return [text, r.body === body, r.bodyUsed];
  }, 'read'],
};

if (hasBytes) {
  READINGS.bytes = [async (r) => {
    const bytes = await r.bytes();
    return [Buffer.isBuffer(bytes), bytes.constructor.name, [...bytes], bytes.byteOffset];
  }, Buffer.from([0, 255, 128])];
}

const TWO_MARKS = {
  as: 'Only the first byte order mark is left out',
  ours: { returned: '\ufeffa' },
};

module.exports = [
  ...Object.entries(SENDERS).flatMap(([when, send]) => (
    Object.entries(READINGS).map(([reading, [read, body, headers = {}]]) => ({
      name: `${reading}, a body ${when}`,
      answer: send(200, headers, body),
      run: async (fetch, at) => read(await fetch(at.url)),
    })))),
  { name: 'text with two byte order marks', answer: reply(200, {}, '\ufeff\ufeffa'), run: async (fetch, at) => (await fetch(at.url)).text(), differs: TWO_MARKS },
  ...['HEAD', 'GET'].flatMap((method) => ['text', 'json', 'blob', 'arrayBuffer', 'formData'].map((reader) => ({
    name: `no body, as ${reader}, ${method}`,
    answer: (request, response) => response.writeHead(204).end(),
    async run(fetch, at) {
      const response = await fetch(at.url, { method });
      const twice = [];
      for (let time = 0; time < 2; time++) {
        const read = await response[reader]().catch(name);
        twice.push(typeof read === 'string' ? read : (read.size ?? read.byteLength));
      }
      return [...twice, response.bodyUsed, response.body, response.clone().body];
    },
  }))),
  {
    name: 'to cancel the stream ends the transfer',
    answer: (request, response) => response.writeHead(200).write('begun'),
    async run(fetch, at) {
      const response = await fetch(at.url);
      const { closed } = await at.received(0);
      const reader = response.body.getReader();
      const { value } = await reader.read();
      await reader.cancel('enough');
      await closed;
      return [Buffer.from(value).toString(), (await reader.read()).done];
    },
  },
  {
    name: 'to leave a loop over the stream ends the transfer',
    answer: (request, response) => response.writeHead(200).write('begun'),
    async run(fetch, at) {
      const response = await fetch(at.url);
      for await (const chunk of response.body) {
        if (chunk.length > 0) break;
      }
      await (await at.received(0)).closed;
      return response.bodyUsed;
    },
  },
  {
    name: 'to cancel one branch of a clone does not end the transfer, to cancel both does',
    answer: (request, response) => response.writeHead(200).write('begun'),
    async run(fetch, at) {
      const response = await fetch(at.url);
      const twin = response.clone();
      const first = twin.body.cancel('one');
      const read = (await response.body.getReader().read()).done;
      const last = await fetch(at.url);
      const other = last.clone();
      await Promise.all([last.body.cancel(), other.body.cancel()]);
      await (await at.received(1)).closed;
      first.catch(() => {});
      return read;
    },
  },
  {
    name: 'a body that ends early',
    answer: (request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('part', () => response.socket.end());
    },
    async run(fetch, at) {
      // The built-in fetch does not know the option. That ours tries again is what it is for.
      const response = await fetch(at.url, { retry: false });
      const failed = await response.text().catch((error) => [error.name, error.message]);
      return [failed, response.bodyUsed, response.status];
    },
  },
];
