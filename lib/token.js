'use strict';

/** What HTTP takes as a method or the name of a header (RFC 9110, section 5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The same, for messages. */
const TOKEN_CHARACTERS = "letters, digits and !#$%&'*+-.^_`|~";

module.exports = { TOKEN, TOKEN_CHARACTERS };
