/** A program that has the DOM's types and not Node's. */

import { fetch, type FetchResponse } from 'unreset';

const response: FetchResponse = await fetch('http://localhost/', { headers: { a: 'b' }, retry: false });
const base: Response = response;
void base;
