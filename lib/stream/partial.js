'use strict';

/**
 * What there is of a file that is being downloaded: `path.part`, a state file beside it that says what it is a part of,
 * and a lock. A process that dies leaves them behind, and the next one goes on with them.
 *
 * The state is written once, before the first byte of a part: how much there is of it the part's own length says.
 */

const fs = require('node:fs/promises');
const { constants } = require('node:fs');
const { createHash } = require('node:crypto');
const { dirname } = require('node:path');
const native = require('../native');
const { invalidValue } = require('../validate');
const faults = require('./faults');

/** Of the state file. One of another form is none. */
const FORM = 1;
/** What a 200 said that is needed to go on with its body and to check it. */
const KEPT = [
  'etag', 'last-modified', 'date', 'content-encoding', 'content-length', 'content-type', 'content-md5', 'content-digest',
  'repr-digest', 'digest',
];
/** Not through a link that somebody else has put there; Windows has no such flag. */
const OPEN = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
/** Of a header: visible latin1, space and tab (RFC 9110, section 5.5). */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Bytes that are read at once of what is there. */
const PIECE = 1024 * 1024;

class Partial {
  #path;
  #lock;
  #id;
  /** @type {import('node:fs/promises').FileHandle} */
  #file;
  /** What the part is of. */
  #state;

  /**
   * @param {string} path of the file that is to be
   * @param {string} id says what the file is: a part of something else is not gone on with
   * @throws with the code `ERR_DOWNLOAD_LOCKED`, a TypeError for what cannot be replaced, or what the file system says
   */
  static async open(path, id) {
    await checkTarget(path);
    const partial = new Partial(path, id);
    await partial.#begin();
    return partial;
  }

  constructor(path, id) {
    this.#path = path;
    this.#id = createHash('sha256').update(id).digest('hex');
    /** Bytes that are there. */
    this.length = 0;
  }

  /** Where it is. */
  get path() {
    return `${this.#path}.part`;
  }

  /** Where what is made of it goes, if something is. */
  get decoded() {
    return `${this.path}.decoded`;
  }

  /** Of the whole, in encoded bytes; `null` where nobody has said it. */
  get total() {
    return this.#state?.total ?? null;
  }

  /** Of the response that brought the first bytes. @type {[string, string][]} */
  get headers() {
    return this.#state?.headers ?? [];
  }

  /** Whether there is something for the next call to go on with. */
  get isKept() {
    return this.#state !== undefined && this.length > 0;
  }

  /** What a call is to go on behind. @returns {import('../fetch/transfer').Start | undefined} */
  get start() {
    if (this.#state === undefined || this.length === 0) return undefined;
    return { passed: this.length, length: this.total, headers: this.headers };
  }

  /** Begins anew, with what this response brings. */
  async restart(response) {
    this.#state = undefined;
    await this.#onDisk(this.#file.truncate(0));
    this.length = 0;
    const headers = KEPT.filter((name) => response.headers.has(name)).map((name) => [name, response.headers.get(name)]);
    const length = response.headers.get('content-length');
    await this.#write({ form: FORM, id: this.#id, total: length === null ? null : Number(length), headers });
  }

  /** Adds what follows. */
  async append(bytes) {
    let written = 0;
    while (written < bytes.byteLength) {
      const { bytesWritten } = await this.#onDisk(this.#file.write(bytes, written, bytes.byteLength - written, this.length));
      written += bytesWritten;
      this.length += bytesWritten;
    }
  }

  /** All that is there, in pieces that are gone with the next one. */
  async *pieces() {
    const buffer = Buffer.allocUnsafeSlow(PIECE);
    for (let position = 0; position < this.length;) {
      const { bytesRead } = await this.#file.read(buffer, 0, Math.min(PIECE, this.length - position), position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /** How long the file is on the disk. */
  async measured() {
    return (await this.#file.stat()).size;
  }

  /** Writes to the disk what the system still has in memory. */
  async sync() {
    await this.#onDisk(this.#file.sync());
  }

  /** It is whole: it, or what was made of it, becomes the file. */
  async finish(made = this.path) {
    await this.#file.close();
    await this.#onDisk(fs.rename(made, this.#path));
    await syncDirectory(dirname(this.#path));
    await this.#clear();
  }

  /** It is of no use to anybody. */
  async discard() {
    this.#state = undefined;
    await this.#file.close();
    await this.#clear();
  }

  /** Lets go of it. What is there stays. */
  async close() {
    try {
      await this.#file?.close();
      // One that was never begun is nothing to go on with.
      const isEmpty = this.#file !== undefined && this.#state === undefined && (await sizeOf(this.path)) === 0;
      if (isEmpty) await fs.rm(this.path, { force: true });
    } finally {
      this.#lock?.release();
    }
  }

  /** The state first: a part without one is begun anew. */
  async #clear() {
    for (const path of [this.#statePath, this.path, this.decoded]) await fs.rm(path, { force: true });
  }

  get #statePath() {
    return `${this.path}.json`;
  }

  async #begin() {
    const lock = `${this.path}.lock`;
    await touch(lock);
    this.#lock = native.lockFile(lock) ?? undefined;
    if (this.#lock === undefined) throw await lockedBy(lock, this.#path);
    try {
      this.#file = await fs.open(this.path, OPEN, 0o666);
      const state = await this.#readState();
      const size = await this.measured();
      if (state === undefined || (state.total !== null && size > state.total)) return;
      this.#state = state;
      this.length = size;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #readState() {
    try {
      const state = JSON.parse(await fs.readFile(this.#statePath, 'utf8'));
      return isState(state) && state.id === this.#id ? state : undefined;
    } catch {
      return undefined;
    }
  }

  /** At once or not at all: half a state would be one of something else. */
  async #write(state) {
    const temporary = `${this.#statePath}.new`;
    const file = await fs.open(temporary, OPEN | constants.O_TRUNC, 0o600);
    try {
      await this.#onDisk(file.writeFile(JSON.stringify(state)));
      await this.#onDisk(file.sync());
    } finally {
      await file.close();
    }
    await fs.rename(temporary, this.#statePath);
    this.#state = state;
  }

  async #onDisk(work) {
    try {
      return await work;
    } catch (error) {
      throw faults.ofTheDisk(error, this.path);
    }
  }
}

/** Said before anything is transferred. A device would be replaced, by a file that has its name. */
async function checkTarget(path) {
  const found = await fs.stat(path).catch(() => undefined);
  if (found !== undefined && !found.isFile()) throw invalidValue('path', 'the path of a file, not of a directory or a device', path);
}

/** What a file says that anything may have happened to. What a response cannot have said would be no header. */
function isState(state) {
  const isPair = (pair) => Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string' && VALUE.test(part));
  return state !== null && typeof state === 'object' && state.form === FORM
    && (state.total === null || (Number.isSafeInteger(state.total) && state.total >= 0))
    && Array.isArray(state.headers) && state.headers.every(isPair)
    && state.headers.every(([name]) => KEPT.includes(name));
}

/** What a URL leads to, as far as it can be told: without its fragment and who asks. */
function identityOf(url) {
  if (!URL.canParse(url)) return url;
  const { origin, pathname, search } = new URL(url);
  return `${origin}${pathname}${search}`;
}

async function lockedBy(lock, path) {
  const owner = await fs.readFile(lock, 'utf8').catch(() => '');
  return faults.locked(path, /^\d+$/.test(owner) ? Number(owner) : undefined);
}

/** What is wrong with the directory is said by Node, in the words that programs know. */
async function touch(lock) {
  try {
    await (await fs.open(lock, OPEN)).close();
  } catch (error) {
    // On Windows nobody else can open a lock that is held.
    if (process.platform !== 'win32') throw error;
  }
}

async function sizeOf(path) {
  const found = await fs.stat(path).catch(() => undefined);
  return found?.size;
}

/** The name of a file is in its directory: without this a power failure may take back the rename. */
async function syncDirectory(path) {
  // Windows has no such thing.
  if (process.platform === 'win32') return;
  const directory = await fs.open(path, constants.O_RDONLY).catch(unlessHidden);
  if (directory === undefined) return;
  try {
    await directory.sync();
  } catch (error) {
    // Some file systems have no such thing either.
    if (error.code !== 'EINVAL' && error.code !== 'ENOTSUP') throw error;
  } finally {
    await directory.close();
  }
}

/** A directory may be written to and not be read: then it cannot be opened, and the file is there all the same. */
function unlessHidden(error) {
  if (error.code !== 'EACCES' && error.code !== 'EPERM') throw error;
  return undefined;
}

module.exports = { Partial, identityOf };
