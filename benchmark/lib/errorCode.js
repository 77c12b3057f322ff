'use strict';

/** What tells one failure from another, whichever client it comes from. */
function errorCode(error) {
  const status = error.response?.statusCode ?? error.response?.status ?? error.statusCode;
  return error.code ?? error.cause?.code ?? (status ? `HTTP_${status}` : error.name);
}

module.exports = { errorCode };
