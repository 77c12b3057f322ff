'use strict';

/** What keeps a download from becoming a file: errors with the fields of a fault. */

const { FaultError } = require('../errors');
const { classify } = require('../fault');
const { faultOfCode } = require('../fault/of-code');

/** What the disk says that a person has to act on; see the chapter of files in `docs/faults.md`. */
const OF_THE_DISK = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS']);

/**
 * @param {NodeJS.ErrnoException} error of the file system
 * @param {string} path of the file that it is about
 * @returns {Error} itself, unless it is one of the disk
 */
function ofTheDisk(error, path) {
  if (!OF_THE_DISK.has(error?.code)) return error;
  const fault = classify(error, { phase: 'receive', delivery: 'answered' });
  return Object.assign(new FaultError({ ...fault, syscall: error.syscall, errno: error.errno }, error), { path });
}

/**
 * @param {string} path that another download is writing to
 * @param {number} [owner] the number of its process
 */
function locked(path, owner) {
  const whose = owner === process.pid ? 'another download of this process' : `a download of process ${owner}`;
  const known = owner === undefined ? {} : { reason: `${path} is being written to by ${whose}.` };
  return Object.assign(new FaultError(faultOfCode('ERR_DOWNLOAD_LOCKED', known)), { path, owner });
}

/** @param {import('./digests').Expected & { actual: Buffer }} mismatch */
function wrongDigest({ algorithm, digests, source, actual }) {
  const [expected, found] = [digests.map((digest) => digest.toString('base64')).join(' or '), actual.toString('base64')];
  const reason = `${source} asks for ${algorithm} ${expected}, and what came has ${found}.`;
  return new FaultError(faultOfCode('ERR_DIGEST_MISMATCH', { reason }));
}

/** @param {number} written @param {number} found bytes */
function wrongSize(written, found) {
  const reason = `${written} bytes were written, and the file on the disk has ${found}.`;
  return new FaultError(faultOfCode('ERR_DOWNLOAD_SIZE', { reason }));
}

/** @param {Response} response whose status is no failure, and yet not that of a file: 204, 202, 304 */
function noFile(response) {
  return new FaultError({ ...classify(response), reason: `The server answered ${response.status}, which brings no file.` });
}

/** @param {Error} error of a decoder */
function damaged(error) {
  return new FaultError(faultOfCode('Z_DATA_ERROR', { phase: 'receive', delivery: 'answered', detail: error.message }), error);
}

module.exports = { damaged, noFile, ofTheDisk, locked, wrongDigest, wrongSize };
