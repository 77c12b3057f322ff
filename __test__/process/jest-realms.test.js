'use strict';

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');

// The addon stays loaded while Jest goes from file to file; a callback kept from the first would never be heard
// of again in the second.
test('several Jest files in one process', () => {
  const jest = spawnSync(
    process.execPath,
    [
      path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'),
      '--runInBand',
      '--ci',
      '--rootDir', path.join(__dirname, 'realm-suite'),
      '--roots', path.join(__dirname, 'realm-suite'),
      '--testMatch', '**/*.suite.js',
      '--config', '{}',
    ],
    { cwd: ROOT, encoding: 'utf8', timeout: 60_000 },
  );
  expect(`${jest.stdout}${jest.stderr}`).toContain('Tests:       3 passed, 3 total');
  expect(jest.status).toBe(0);
});
