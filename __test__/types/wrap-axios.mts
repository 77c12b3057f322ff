/** `wrapAxios` with the types of the real axios. */

import axios, { Axios } from 'axios';
import type { AxiosError, AxiosInstance, AxiosResponse, AxiosStatic } from 'axios';
import { createPolicy, wrapAxios } from 'unreset';
import type { Recovery } from 'unreset';

// As the guide says it; then axios's own types know both.
declare module 'axios' {
  interface AxiosRequestConfig {
    unreset?: import('unreset').AxiosCallOptions;
  }
  interface AxiosResponse {
    recovery?: import('unreset').Recovery;
  }
  interface AxiosError {
    recovery?: import('unreset').Recovery;
  }
}

/** Fails to compile unless the two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : never;
const same = <A, B>(_: Same<A, B>): void => {};

// The same kind as what was given.
const wrapped = wrapAxios(axios);
same<typeof wrapped, AxiosStatic>(true);
const api = wrapAxios(axios.create({ baseURL: 'http://localhost' }), {
  retry: { retries: 5, backoff: { base: 50 } },
  timeout: { total: 10_000 },
  onRequest(headers, { method, url }) {
    headers.set('traceparent', `${method} ${url}`);
    if (headers.has('x-unwanted')) headers.delete('x-unwanted');
  },
});
same<typeof api, AxiosInstance>(true);
class Inventory extends Axios {
  stockOf(sku: string): Promise<AxiosResponse<{ stock: number }>> {
    return this.get(`/stock/${sku}`);
  }
}
same<ReturnType<typeof wrapAxios<Inventory>>, Inventory>(true);
(await wrapAxios(new Inventory()).stockOf('bolt')).data.stock satisfies number;

// What a call takes and gives.
const response = await api.get<{ stock: number }>('/stock', {
  unreset: { retry: { methods: ['POST'] }, timeout: { total: 500 } },
});
response.data.stock satisfies number;
response.recovery satisfies Recovery | undefined;
await api('/stock', { unreset: { retry: false } });
await api.post('/orders', {}, { unreset: { retry: createPolicy() } });
declare const error: AxiosError;
error.recovery?.gaveUp satisfies string | undefined;

// Policies
wrapAxios(axios, { retry: createPolicy({ breaker: true }) });
wrapAxios(axios, { retry: 5 });
wrapAxios(axios, { retry: false });

// @ts-expect-error nothing that is not axios
wrapAxios({});
// @ts-expect-error an instance, not a module
wrapAxios({ default: axios });
// @ts-expect-error a misspelt option
wrapAxios(axios, { retries: 3 });
// @ts-expect-error axios has a timeout of its own for attempts
wrapAxios(axios, { timeout: 500 });
// @ts-expect-error a misspelt option of a call
await api.get('/', { unreset: { retires: 3 } });
// @ts-expect-error no such limit
await api.get('/', { unreset: { timeout: { attempt: 3 } } });
