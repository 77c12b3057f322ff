'use strict';

const { runProgram } = require('../support/program');

/** A crash shows as a signal, a hang as the test's own timeout. */
async function expectSuccess(name, args) {
  const ended = await runProgram(name, args);
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  return ended.stdout.trim();
}

describe('environments', () => {
  test('workers are created and terminated with requests in flight', async () => {
    const outcome = JSON.parse(await expectSuccess('workers.js'));
    expect(outcome).toEqual({ started: 300, answered: 200, last: {} });
  }, 120_000);

  test('the package is loaded in several realms, and one of them is forgotten', async () => {
    const outcome = JSON.parse(await expectSuccess('realms.js'));
    expect(outcome).toEqual({
      distinct: 3,
      inOrder: true,
      last: '/forgotten',
      after: '/after',
      collected: true,
    });
  });
});

describe('the life of the process', () => {
  test.each([
    ['waits', 'later'],
    ['waitsForBody', 'body'],
    ['waitsForRetry', 'recovered'],
    ['forgetsBody', '200'],
    ['waitsForUpload', '200 5'],
    ['waitsForLookup', 'later'],
    ['waitsForClose', 'body'],
    ['needsResponse', expect.stringContaining('needs the global Response')],
  ])('%s', async (name, printed) => {
    expect(await expectSuccess('lifetime.js', [name])).toEqual(printed);
  });

  test('process.exit with requests in flight', async () => {
    const ended = await runProgram('lifetime.js', ['exits']);
    expect(ended).toMatchObject({ code: 7, signal: null, stdout: 'exiting\n', stderr: '' });
  });

  test("an exception in the user's code does not disturb other calls", async () => {
    const lines = (await expectSuccess('lifetime.js', ['uncaught'])).split('\n').sort();
    expect(lines).toEqual(['caught mine', 'others 20', 'unhandled ECONNRESET']);
  });
});

test('nothing stays behind of calls that failed, were aborted or dropped', async () => {
  expect(JSON.parse(await expectSuccess('leaks.js'))).toEqual({ settled: 3000, open: 0 });
}, 60_000);
