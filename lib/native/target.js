'use strict';

/**
 * Which addon fits this process. An addon is bound to an operating system, a processor and, on Linux, a C
 * library: one built for glibc cannot be loaded by a Node that was built for musl (Alpine), and the reverse.
 */

const fs = require('node:fs');
const path = require('node:path');

/** The ELF program headers, and with them the interpreter's path, lie at the start of the file. */
const ELF_HEAD_BYTES = 4096;

/**
 * @typedef {object} Target
 * @property {string} platform as `process.platform`
 * @property {string} arch as `process.arch`
 * @property {'gnu' | 'musl' | undefined} libc on Linux only
 * @property {string} name `linux-x64-gnu`, `darwin-arm64`, ...
 */

/** @returns {Target} the target of the running process */
function currentTarget() {
  const { platform, arch } = process;
  const libc = platform === 'linux' ? currentLibc() : undefined;
  return { platform, arch, libc, name: [platform, arch, libc].filter(Boolean).join('-') };
}

/**
 * Where the addon for `target` lies in the package at `root`.
 * @param {string} root
 * @param {Target} target
 */
function addonPath(root, target) {
  return path.join(root, 'native', `unreset.${target.name}.node`);
}

/**
 * The C library that this Node was linked against, which on a machine with both is the one that counts.
 * The name of the dynamic loader says it and costs one small read; a diagnostic report, the documented source,
 * takes longer than loading the addon and serves where the loader has an unusual name.
 */
function currentLibc() {
  const head = readHead(process.execPath);
  if (head.includes('/ld-linux')) return 'gnu';
  if (head.includes('/ld-musl-')) return 'musl';
  return libcFromReport();
}

function readHead(file) {
  let descriptor;
  try {
    descriptor = fs.openSync(file, 'r');
    const head = Buffer.alloc(ELF_HEAD_BYTES);
    return head.toString('latin1', 0, fs.readSync(descriptor, head, 0, ELF_HEAD_BYTES, 0));
  } catch {
    // An unreadable executable is no reason to fail: the report knows too.
    return '';
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

function libcFromReport() {
  const { excludeNetwork } = process.report;
  // Without this a report looks up the names of the network interfaces, which can take seconds.
  process.report.excludeNetwork = true;
  try {
    return process.report.getReport().header.glibcVersionRuntime ? 'gnu' : 'musl';
  } finally {
    process.report.excludeNetwork = excludeNetwork;
  }
}

module.exports = { currentTarget, addonPath, libcFromReport };
