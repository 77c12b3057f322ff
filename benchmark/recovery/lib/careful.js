'use strict';

/**
 * What a careful caller does with an answer, whoever brought it: a status that is not 2xx is a failure. The clients
 * that throw for such a status themselves do not come here.
 */

/**
 * @param {Response} response of anything with the interface of `fetch`
 * @returns {Promise<Uint8Array>}
 */
async function bytesIfOk(response) {
  requireOk(response.status);
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * @param {number} status
 * @throws with `code: 'HTTP_503'`
 */
function requireOk(status) {
  if (status < 200 || status > 299) throw Object.assign(new Error(`HTTP ${status}`), { code: `HTTP_${status}` });
}

module.exports = { bytesIfOk, requireOk };
