'use strict';

/** What HTTP takes as a method or the name of a header (RFC 9110, section 5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

module.exports = { TOKEN };
