'use strict';

/**
 * What the built-in fetch does, ours does. Every difference fails, unless `docs/differences.md` has a heading for it;
 * and every heading there that names a case has to be one that is still seen.
 */

const { readFileSync } = require('node:fs');
const path = require('node:path');

const { closeAll } = require('../../../../testing');
const { compare } = require('./run');

const TOPICS = {
  'input and Request objects': require('./cases/input'),
  'request headers': require('./cases/request-headers'),
  'bodies out': require('./cases/bodies-out'),
  redirects: require('./cases/redirects'),
  responses: require('./cases/responses'),
  'reading bodies': require('./cases/reading'),
  'URL schemes and ports': require('./cases/schemes'),
  'options without meaning outside a browser': require('./cases/ignored-options'),
  'signals': require('./cases/signals'),
  'uploads while the answer comes': require('./cases/duplex'),
  'realms': require('./cases/realms'),
};

const DOCUMENTED = [...readFileSync(path.join(__dirname, '../../../../docs/differences.md'), 'utf8').matchAll(/^### (.+)$/gm)]
  .map(([, heading]) => heading);

afterEach(closeAll);

describe.each(Object.entries(TOPICS))('%s', (topic, cases) => {
  test.each(cases.map((row) => [row.name, row]))('%s', async (name, row) => {
    const { theirs, ours } = await compare(row);
    const { differs } = row;
    if (differs === undefined || differs.here === false) {
      expect(ours).toEqual(theirs);
      return;
    }
    expect(DOCUMENTED).toContain(differs.as);
    expect(ours).not.toEqual(theirs);
    expect(ours).toMatchObject(typeof differs.ours === 'function' ? differs.ours(theirs) : differs.ours);
  });
});

test('names are unique within a topic, and no documented difference is without its case', () => {
  for (const cases of Object.values(TOPICS)) {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  }
  const named = Object.values(TOPICS).flat().map(({ differs }) => differs?.as);
  expect([...new Set(named.filter(Boolean))].sort()).toEqual([...DOCUMENTED].sort());
});
