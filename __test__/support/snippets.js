'use strict';

/**
 * The code of a document, run as a reader runs it: in a project of his own that has the package installed. A snippet after
 * `<!-- runnable -->` is a program, and `//=> text` in it is a line that it prints; one after `<!-- file: name -->` is a
 * file of the project.
 */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFile } = require('node:child_process');
const { promisify } = require('node:util');

const { ROOT, run } = require('./packages');

/** @param {string} name of the document, relative to the package */
function readDocument(name) {
  const text = fs.readFileSync(path.join(ROOT, name), 'utf8');
  return {
    programs: [...text.matchAll(/<!-- runnable -->\n```js\n(.*?)```/gs)].map(([, code]) => code),
    files: [...text.matchAll(/<!-- file: (\S+) -->\n```js\n(.*?)```/gs)].map(([, file, code]) => ({ file, code })),
    /** The files it links to that are not there. */
    missing() {
      const links = [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target]) => target);
      const local = links.filter((target) => !/^https?:/.test(target));
      return local.filter((target) => !fs.existsSync(path.join(ROOT, path.dirname(name), target)));
    },
  };
}

/** What a program says that it prints. */
const promisedBy = (code) => [...code.matchAll(/\/\/=> (.*)$/gm)].map(([, line]) => line);

/** A project in which the package is installed. */
class Project {
  /** @param {string[]} [others] packages of this checkout that are installed besides */
  constructor(others = []) {
    this.directory = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'unreset-snippets-'));
    fs.mkdirSync(path.join(this.directory, 'node_modules'));
    const link = (from, name) => fs.symlinkSync(from, path.join(this.directory, 'node_modules', name), 'junction');
    link(ROOT, 'unreset');
    for (const name of others) link(path.join(ROOT, 'node_modules', name), name);
  }

  write(file, code) {
    fs.writeFileSync(path.join(this.directory, file), code);
  }

  /** The lines that a program prints. */
  async printedBy(code) {
    const file = `program.${/^import /m.test(code) ? 'mjs' : 'cjs'}`;
    this.write(file, code);
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { cwd: this.directory, timeout: 20_000 });
    if (stderr !== '') throw new Error(stderr);
    return stdout.trimEnd().split('\n');
  }

  /** Runs a test file with Jest, and returns how that ended. */
  jest(file) {
    const jest = path.join(ROOT, 'node_modules/jest/bin/jest.js');
    return run(process.execPath, [jest, '--ci', '--rootDir', '.', '--config', '{}', '--runTestsByPath', file], { cwd: this.directory });
  }

  remove() {
    fs.rmSync(this.directory, { recursive: true });
  }
}

module.exports = { Project, promisedBy, readDocument };
