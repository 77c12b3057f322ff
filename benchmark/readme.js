'use strict';

/** Writes the figures of the newest record into the project's README: `node benchmark/readme.js`, after a complete run. */

const fs = require('node:fs');

const { README, newestRecord, withSection } = require('./lib/readmeTable');

fs.writeFileSync(README, withSection(fs.readFileSync(README, 'utf8'), newestRecord()));
