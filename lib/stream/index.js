'use strict';

/** Streams that go on where they broke. */

const { download } = require('./download');
const { downloadTo } = require('./download-to');
const { resumable } = require('./resumable');

module.exports = { download, downloadTo, resumable };
