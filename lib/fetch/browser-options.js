'use strict';

/**
 * Members of init that only mean something in a browser. They are accepted, so that code which is shared with a
 * browser runs as it is, and refused where the built-in fetch refuses them: a misspelt mode must not pass here and
 * fail there.
 */

const { invalidArgument, invalidValue } = require('../validate');

const MODES = ['cors', 'no-cors', 'same-origin'];
const CREDENTIALS = ['omit', 'same-origin', 'include'];
const CACHES = ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached'];
const POLICIES = [
  '', 'no-referrer', 'no-referrer-when-downgrade', 'same-origin', 'origin', 'strict-origin', 'origin-when-cross-origin',
  'strict-origin-when-cross-origin', 'unsafe-url',
];
/** The built-in fetch knows it from Node 24 on; before, it passes over whatever is there. */
const PRIORITIES = Number(process.versions.undici?.split('.')[0]) >= 7 ? ['high', 'low', 'auto'] : undefined;
/** What a page may ask of any other without its consent (Fetch standard, "CORS-safelisted method"). */
const WITHOUT_CONSENT = ['GET', 'HEAD', 'POST'];

/**
 * Spelt out option by option: a call that has none of them pays for reading the members and for nothing else.
 *
 * @param {import('../..').FetchInit} init
 * @throws {TypeError} ERR_INVALID_ARG_VALUE
 */
function checkBrowserOptions(init) {
  const { mode, credentials, cache, referrer, referrerPolicy, priority, window, duplex } = init;
  if (mode !== undefined) checkOneOf(mode, 'mode', MODES);
  if (credentials !== undefined) checkOneOf(credentials, 'credentials', CREDENTIALS);
  if (cache !== undefined) checkOneOf(cache, 'cache', CACHES);
  if (referrerPolicy !== undefined) checkOneOf(referrerPolicy, 'referrerPolicy', POLICIES);
  if (priority !== undefined && PRIORITIES !== undefined) checkOneOf(priority, 'priority', PRIORITIES);
  if (duplex !== undefined) checkOneOf(duplex, 'duplex', ['half']);
  if (referrer !== undefined) checkReferrer(String(referrer));
  if (window !== undefined && window !== null) throw invalidValue('window', 'null, or left out', window);
}

/**
 * What the mode asks of the rest of the request, wherever its parts come from.
 *
 * @param {{ mode?: string, cache?: string, method: string }} request
 */
function checkMode({ mode, cache, method }) {
  if (mode === 'no-cors' && !WITHOUT_CONSENT.includes(method)) {
    throw invalidArgument(`mode: "no-cors" is for ${WITHOUT_CONSENT.join(', ')} only, not for ${method}`);
  }
  if (cache === 'only-if-cached' && mode !== 'same-origin') {
    throw invalidArgument('cache: "only-if-cached" goes with mode: "same-origin" only');
  }
}

function checkOneOf(value, name, accepted) {
  if (!accepted.includes(String(value))) {
    throw invalidValue(name, `one of ${accepted.map((each) => JSON.stringify(each)).join(', ')}`, value);
  }
}

function checkReferrer(referrer) {
  if (referrer !== '' && !URL.canParse(referrer)) throw invalidValue('referrer', 'an absolute URL, or ""', referrer);
}

module.exports = { checkBrowserOptions, checkMode };
