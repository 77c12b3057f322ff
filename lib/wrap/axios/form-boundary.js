'use strict';

/**
 * The boundary of a web FormData. axios's http adapter draws one for each attempt, unless the headers name one; a repeated
 * request is to be the same request, byte for byte, for servers that recognise one by its content.
 */

const { randomUUID } = require('node:crypto');

/**
 * @param {object} config its headers get the boundary
 * @param {(config: object) => boolean} isHttp whether axios's http adapter will send it. Over fetch the platform draws the
 *   boundary, and a header that names another would contradict the body
 */
function fixBoundary(config, isHttp) {
  const { data, headers } = config;
  if (!isWebForm(data) || !isHttp(config)) return;
  const type = headers.get('Content-Type');
  if (type === false || /boundary=/i.test(type ?? '')) return;
  headers.set('Content-Type', `multipart/form-data; boundary=unreset-${randomUUID()}`);
}

function isWebForm(data) {
  return typeof data === 'object' && data?.[Symbol.toStringTag] === 'FormData' && typeof data.entries === 'function';
}

module.exports = { fixBoundary };
