/** `require`, as TypeScript checks it in a CommonJS file. */

import unreset = require('unreset');
import testing = require('unreset/testing');
import { classify, fetch } from 'unreset';

const same: typeof unreset.fetch = fetch;
void same;
unreset.classify(new Error('x')).code.toUpperCase();
classify(null).kind satisfies string;
testing.FaultProxy satisfies typeof unreset.FaultProxy;
testing.resetServer({ times: 1 }) satisfies Promise<testing.Origin>;
