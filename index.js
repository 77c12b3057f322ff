'use strict';

/**
 * The public entry; `index.d.ts` describes it. Written out as one literal so that the names can be imported:
 * `import { fetch } from 'unreset'` works because Node finds them in the text of this file.
 */

// First: without the addon nothing works, and this says so before anything else can fail in another way.
require('./lib/native');

const { fetch, createFetch } = require('./lib/fetch');
const { classify, isTransient, isReset, explain } = require('./lib/fault');
const { FaultProxy } = require('./lib/proxy');

module.exports = { fetch, createFetch, classify, isTransient, isReset, explain, FaultProxy };
