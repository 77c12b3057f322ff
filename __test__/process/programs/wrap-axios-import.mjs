/** An instance of the axios that `import` gives: which differs from that of `require`, and is in no cache. */

import axios from 'axios';
import unreset from '../../../index.js';

const QUICK = { retry: { backoff: { base: 1, cap: 2 } } };

const api = unreset.wrapAxios(axios.create({ baseURL: process.argv[2] }), QUICK);
// The first call leaves before the module can be known, the others do not.
const first = await outcomeOf(api);
await import('axios');
const second = await outcomeOf(api);
console.log(JSON.stringify([first, second]));

async function outcomeOf(client) {
  const { data, recovery } = await client.get('/stock');
  const refused = await client.post('/orders').catch((error) => error);
  const aborted = await client.get('/busy', { signal: AbortSignal.timeout(100) }).catch((error) => error);
  return {
    data,
    attempts: recovery.attempts.length,
    ownError: refused instanceof axios.AxiosError && refused.recovery.gaveUp,
    ownAbort: aborted instanceof axios.CanceledError && aborted.recovery.gaveUp,
  };
}
