'use strict';

/** Request headers: the guard, how values are normalised, what is added. */

const { whole } = require('../run');

const NODE = Number(process.versions.node.split('.')[0]);

const ODD = 'Headers given as something unusual';
const LENGTHS = 'A Content-Length of one\'s own is held against the body';
const refused = { threw: 'TypeError', seen: [] };
const taken = { returned: { status: 200 } };

const sent = (name, headers, more) => ({
  name,
  run: async (fetch, at) => whole(await fetch(at.url, { method: 'POST', headers: typeof headers === 'function' ? headers() : headers })),
  ...more,
});

module.exports = [
  sent('none', undefined),
  sent('null', null),
  sent('a record', { 'X-A': '1', 'x-b': '2' }),
  sent('a record with two spellings of one name', { 'X-A': '1', 'x-a': '2' }),
  sent('pairs', [['x-a', '1'], ['X-A', '2'], ['x-b', '3']]),
  sent('no pairs', []),
  sent('Headers', () => new Headers([['x-a', '1'], ['x-a', '2']])),
  sent('Headers of a subclass', () => new (class Own extends Headers {})({ 'x-a': '1' })),
  sent('a Map', () => new Map([['x-a', '1']])),
  sent('a generator of pairs', () => (function* pairs() {
    yield ['x-a', '1'];
    yield new Set(['x-b', '2']);
  })()),
  sent('an object without prototype', Object.assign(Object.create(null), { 'x-a': '1' })),
  sent('an object that inherits', Object.create({ 'x-a': '1' })),
  sent('an object with a getter', {
    get 'x-a'() {
      return 'got';
    },
  }),
  sent('members that are not enumerable', Object.defineProperty({}, 'x-a', { value: '1' }), { differs: { as: ODD, ours: taken } }),
  sent('a symbol as a name', { [Symbol('x')]: '1' }, { differs: { as: ODD, ours: taken } }),
  sent('URLSearchParams', () => new URLSearchParams('x-a=1')),
  sent('pairs of three', [['x-a', '1', '2']]),
  sent('pairs of one', [['x-a']]),
  sent('pairs that are strings', ['ab']),
  sent('an array of strings', ['x-a', '1']),
  sent('a string', 'x-a: 1'),
  sent('a number', 7),
  sent('a function', () => () => {}, { differs: { as: ODD, ours: taken } }),
  sent('numbers, booleans, null, undefined', { a: 1, b: true, c: null, d: undefined }),
  sent('an array as a value', { 'x-a': ['1', '2'] }),
  sent('an object as a value', { 'x-a': {} }),
  sent('a symbol as a value', { 'x-a': Symbol('v') }),
  sent('a value with white space around', { 'x-a': ' \t\r\n1 2\t\n ' }),
  sent('an empty value', { 'x-a': '' }),
  sent('a value of white space', { 'x-a': ' \t' }),
  sent('a tab inside', { 'x-a': 'a\tb' }),
  sent('latin1', { 'x-a': 'caf\u00e9 \u0080\u00ff' }),
  sent('a character beyond latin1', { 'x-a': '\u20ac' }),
  sent('a line feed inside', { 'x-a': 'a\nb' }),
  sent('a carriage return inside', { 'x-a': 'a\rb' }),
  sent('a NUL inside', { 'x-a': 'a\0b' }),
  sent('another control character', { 'x-a': 'a\u0001b' }),
  sent('DEL', { 'x-a': 'a\u007fb' }),
  sent('an empty name', { '': '1' }),
  sent('a name with a space', { 'x a': '1' }),
  sent('a name with a colon', { 'x:a': '1' }),
  sent('a name beyond ASCII', { 'x-\u00e4': '1' }),
  sent('every character a name may have', { "!#$%&'*+-.^_`|~09AZaz": '1' }),
  sent('__proto__ as a name', JSON.parse('{"__proto__":"1"}')),
  sent('constructor as a name', { constructor: '1' }),
  sent('a long value', { 'x-a': 'a'.repeat(8000) }),
  sent('sixty headers', () => Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`x-${index}`, String(index)]))),
  ...['host', 'accept', 'accept-language', 'user-agent', 'sec-own', 'proxy-own', 'proxy-authorization',
    'authorization', 'cookie', 'cookie2', 'date', 'dnt', 'origin', 'referer', 'te', 'trailer', 'via', 'access-control-request-method',
    'range', 'if-none-match', 'content-type', 'x-http-method-override', 'set-cookie', 'priority', 'pragma', 'cache-control',
  ].map((name) => sent(`${name} of one's own`, { [name]: 'own' })),
  ...['if-none-match', 'if-modified-since', 'range', 'if-match'].map((name) => ({
    name: `${name} with GET`,
    run: async (fetch, at) => whole(await fetch(at.url, { headers: { [name]: 'own' } })),
  })),
  sent('sec-fetch-mode of one\'s own', { 'sec-fetch-mode': 'own' }, {
    differs: { as: 'sec-fetch-mode can be set', ours: { seen: [{ headers: { 'sec-fetch-mode': 'own' } }] } },
  }),
  sent('connection: own', { connection: 'own' }, {
    differs: { as: 'The connection header is "close" or "keep-alive"', here: NODE >= 24, ours: refused },
  }),
  ...['transfer-encoding', 'keep-alive', 'upgrade', 'expect', 'content-length'].map((name) => (
    sent(`${name}: own, refused`, { [name]: 'own' }))),
  sent('expect: 100-continue, refused', { expect: '100-continue' }),
  sent('connection: close', { connection: 'close' }),
  sent('connection: Keep-Alive', { connection: 'Keep-Alive' }),
  sent('cookie twice', [['cookie', 'a=1'], ['cookie', 'b=2']]),
  sent('content-length that is too large', { 'content-length': '5' }, {
    differs: { as: LENGTHS, ours: refused },
  }),
  sent('content-length: 0', { 'content-length': '0' }),
];
