/** `wrapHttp` in TypeScript: the module's own types, and ours beside them. */

import http from 'node:http';
import https from 'node:https';
import * as namespace from 'node:http';

import { createPolicy, wrapHttp } from 'unreset';
import type { HttpRequestOverrides, RecoveredMessage } from 'unreset';

const wrapped: typeof http = wrapHttp(http);
const secure: typeof https = wrapHttp(https, { retry: 5 });
wrapHttp(namespace).get('http://inventory.example');
wrapHttp(http, { retry: false });
wrapHttp(http, { retry: createPolicy({ breaker: true }) });
wrapHttp(http, { retry: { retries: 1, onRetry: ({ url }) => console.log(url.length) } });
wrapHttp(http, { onRequest: (headers, { method, url }) => { headers.set('traceparent', method + url); } });
wrapHttp({ request: (options: http.RequestOptions) => http.request(options) });

const request: http.ClientRequest = wrapped.get('http://inventory.example', (response: http.IncomingMessage & Partial<RecoveredMessage>) => {
  const attempts: number | undefined = response.recovery?.attempts.length;
  console.log(attempts);
});
request.on('response', (response) => response.resume());
secure.globalAgent = new https.Agent({ keepAlive: true });

const options: http.RequestOptions & HttpRequestOverrides = { method: 'PUT', unreset: { retry: { retries: 0 } } };
wrapped.request('http://inventory.example', options).end('body');

// @ts-expect-error no module
wrapHttp();
// @ts-expect-error nothing that makes requests
wrapHttp({ get() {} });
// @ts-expect-error the options of the policy are in `retry`
wrapHttp(http, { retries: 5 });
// @ts-expect-error a policy is for the module
const wrong: HttpRequestOverrides = { unreset: { retry: createPolicy() } };
console.log(wrong);
