'use strict';

/**
 * The Response that our fetch resolves with: a `Response` by `instanceof`, filled lazily.
 *
 * Making a built-in Response with its headers and a stream for its body costs more than the whole call. Nearly
 * every caller reads the status and then the whole body once; that path touches neither headers nor stream.
 *
 * It has the built-in prototype and every public member of its own, but not the built-in's inner state: that would
 * be an empty response with status 200, and whoever reached for it would be told lies instead of an error.
 */

const { ASCII, CONTINUES, REDIRECTED } = require('../engine/completion');
const { ResponseHead } = require('./headers');
const { Incoming } = require('./incoming');
const { isDisturbed } = require('./disturbed');

/** @typedef {string | Uint8Array | import('./incoming').Incoming | null} Body a one-byte string, bytes, still to come, or none */

const decoder = new TextDecoder();

class UnresetResponse {
  #flags;
  #status;
  /** The head as it crossed, and what it says once somebody asks. */
  #text;
  #head;
  #askedUrl;
  #recovery;
  /** The JSON that `#recovery` was made of. */
  #recoveryText;
  /** @type {Body} */
  #body;
  /** The body as a stream, once somebody asked for it. */
  #stream;
  #used = false;

  /**
   * @param {object} answer
   * @param {number} answer.flags
   * @param {number} answer.status
   * @param {string} answer.head
   * @param {string} answer.url the URL that was asked for
   * @param {string} answer.recovery JSON
   * @param {Body} answer.body
   */
  constructor(answer) {
    this.#flags = answer.flags;
    this.#status = answer.status;
    this.#text = answer.head;
    this.#askedUrl = answer.url;
    this.#recoveryText = answer.recovery;
    this.#body = answer.body;
  }

  /**
   * Takes the body, for a stream that is not a web stream.
   *
   * @param {UnresetResponse} response
   * @returns {{ body: Body, continues: boolean }} `continues`: see `transfer.js`
   */
  static take(response) {
    const body = response.#body;
    response.#used = true;
    return { body, continues: (response.#flags & CONTINUES) !== 0 };
  }

  get #parsed() {
    this.#head ??= new ResponseHead(this.#text);
    return this.#head;
  }

  /** `cors` if a redirect led to another origin: whose answer this is differs from who was asked. */
  get type() {
    return this.redirected && new URL(this.url).origin !== new URL(this.#askedUrl).origin ? 'cors' : 'basic';
  }

  get url() {
    return this.#parsed.url || this.#askedUrl;
  }

  get redirected() {
    return (this.#flags & REDIRECTED) !== 0;
  }

  get status() {
    return this.#status;
  }

  get ok() {
    return this.#status >= 200 && this.#status <= 299;
  }

  get statusText() {
    return this.#parsed.statusText;
  }

  get headers() {
    return this.#parsed.headers;
  }

  /** What it took to get this response: see `Recovery` in index.d.ts. */
  get recovery() {
    // A body that is still to come may break and go on: there is more to tell when it has come.
    const text = this.#body instanceof Incoming ? this.#body.call.recovery : this.#recoveryText;
    if (this.#recovery === undefined || text !== this.#recoveryText) this.#recovery = JSON.parse(text);
    this.#recoveryText = text;
    return this.#recovery;
  }

  get body() {
    if (this.#body === null) return null;
    if (this.#stream === undefined) {
      this.#stream = this.#used ? usedStream() : streamOf(this.#body);
      // The stream has the bytes now, and gives their memory away.
      if (isInMemory(this.#body)) this.#body = '';
    }
    return this.#stream;
  }

  get bodyUsed() {
    return this.#used || (this.#stream !== undefined && isDisturbed(this.#stream));
  }

  async text() {
    const body = this.#take();
    return this.#textOf(isInMemory(body) ? body : await body);
  }

  async json() {
    const body = this.#take();
    return JSON.parse(this.#textOf(isInMemory(body) ? body : await body));
  }

  async bytes() {
    const taken = this.#take();
    const body = isInMemory(taken) ? taken : await taken;
    return typeof body === 'string' ? bytesOf(body) : new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  }

  async arrayBuffer() {
    const taken = this.#take();
    const body = isInMemory(taken) ? taken : await taken;
    const { buffer, byteOffset, byteLength } = typeof body === 'string' ? bytesOf(body) : body;
    return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
  }

  async blob() {
    return (await this.#builtIn()).blob();
  }

  async formData() {
    return (await this.#builtIn()).formData();
  }

  clone() {
    if (this.bodyUsed || this.#stream?.locked) {
      throw new TypeError('Response.clone: Body has already been consumed.');
    }
    const twin = new UnresetResponse({
      flags: this.#flags,
      status: this.#status,
      head: this.#text,
      url: this.#askedUrl,
      recovery: this.#recoveryText,
      // Each of the two may hand out its bytes to be written to.
      body: isBytes(this.#body) ? Uint8Array.prototype.slice.call(this.#body) : this.#body,
    });
    const inMemory = this.#body === null || (this.#stream === undefined && isInMemory(this.#body));
    if (!inMemory) [this.#stream, twin.#stream] = this.body.tee();
    return twin;
  }

  /** The body in a built-in Response, which knows media types and forms. */
  async #builtIn() {
    const type = this.headers.get('content-type');
    const bytes = await this.bytes();
    return new Response(bytes, type === null ? undefined : { headers: { 'content-type': type } });
  }

  /** The whole body, once: a one-byte string or bytes, or a promise of them. */
  #take() {
    // No body, as of a HEAD request, is never used up.
    if (this.#body === null) return '';
    if (this.bodyUsed || this.#stream?.locked) {
      throw new TypeError('Body is unusable: Body has already been read');
    }
    this.#used = true;
    if (this.#stream !== undefined) return readAll(this.#stream);
    const body = this.#body;
    if (!isInMemory(body)) return body.collect();
    // Let go of it: a response that is kept for its status does not keep its body.
    this.#body = '';
    return body;
  }

  #textOf(body) {
    if (typeof body !== 'string') return decoder.decode(body);
    return this.#flags & ASCII ? body : decoder.decode(Buffer.from(body, 'latin1'));
  }
}

if (typeof Response !== 'function') {
  throw new TypeError('unreset.fetch needs the global Response of Node; this environment has none (--no-experimental-fetch, or a test environment such as jsdom)');
}
Object.setPrototypeOf(UnresetResponse.prototype, Response.prototype);
// Whoever makes another one like it (`new response.constructor(...)`) gets one that takes what a Response takes.
Object.defineProperty(UnresetResponse.prototype, 'constructor', { value: Response });
// What `util.inspect` and stack traces call it: it is a Response to whoever looks at it.
Object.defineProperty(UnresetResponse, 'name', { value: 'Response' });

function isInMemory(body) {
  return typeof body === 'string' || isBytes(body);
}

function isBytes(body) {
  return ArrayBuffer.isView(body);
}

function streamOf(body) {
  if (!isInMemory(body)) return body.stream();
  const bytes = typeof body === 'string' ? bytesOf(body) : body;
  return new ReadableStream({
    type: 'bytes',
    start(controller) {
      if (bytes.byteLength > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}

function usedStream() {
  const stream = new ReadableStream({ type: 'bytes' });
  stream.cancel();
  stream.getReader();
  return stream;
}

/** In a buffer of its own: a slice of Node's shared pool would show others' bytes through `.buffer`. */
function bytesOf(latin1) {
  const bytes = new Uint8Array(latin1.length);
  Buffer.from(bytes.buffer).latin1Write(latin1, 0);
  return bytes;
}

async function readAll(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  const all = Buffer.concat(chunks);
  // In a buffer of its own, for the same reason.
  return all.byteLength === all.buffer.byteLength ? all : Uint8Array.prototype.slice.call(all);
}

module.exports = { UnresetResponse };
