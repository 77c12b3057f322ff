'use strict';

/**
 * Which proxies a client has: from its `proxy` option, or from the environment where Node's own fetch would take them
 * from there. Which URL goes through them is decided in Rust (`src/http/transport/proxies.rs`), for each exchange.
 *
 * A proxy's URL may carry a password. No message here repeats one.
 */

const { checkArray, checkOptions, invalidArgument, invalidSecret, invalidType, invalidValue } = require('../validate');
const { isUrl } = require('./brands');
const { headerPairs, inHeaders } = require('./headers');

const ACCEPTED = 'a proxy\'s URL, an object with one as url, true for those of the environment, or false for none';
const PROXY_URL = 'a URL that begins with http:// or https://, or for SOCKS with socks5://, socks5h://, socks4:// or socks4a://';
const AUTHORIZATION = 'proxy-authorization';

const HTTP = new Set(['http:', 'https:']);
/** By what each has a place for in its own handshake. */
const SOCKS = new Map([
  ['socks5:', { credentials: true }],
  ['socks5h:', { credentials: true }],
  ['socks4:', { credentials: false }],
  ['socks4a:', { credentials: false }],
]);
/** Bytes of a user name or a password of SOCKS 5: the length is one byte (RFC 1929). */
const LONGEST_CREDENTIAL = 255;

/**
 * @typedef {{ url: string, headers: [string, string][], credentials?: [string, string] }} Proxy `headers` are for the
 *   proxy alone; `credentials` are those of SOCKS, those of HTTP are a header
 * @typedef {{ http?: Proxy, https?: Proxy, noProxy: string }} Proxies by the scheme of a URL, as native code reads them
 */

/**
 * @param {import('../..').CreateFetchOptions['proxy']} value
 * @param {string} name
 * @returns {Proxies | undefined} `undefined`: no proxy
 * @throws {TypeError} ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE; ERR_PROXY_INVALID_CONFIG for the environment
 */
function parseProxy(value, name) {
  if (value === undefined) return environmentCounts() ? proxiesOfEnvironment(process.env) : undefined;
  if (value === true) return proxiesOfEnvironment(process.env);
  if (value === false) return undefined;
  if (typeof value === 'string' || isUrl(value)) return forBoth(parseUrl(value, name), '');

  const { url, headers, noProxy } = checkOptions(value, name, ['url', 'headers', 'noProxy'], ACCEPTED);
  if (typeof url !== 'string' && !isUrl(url)) throw invalidType(`${name}.url`, PROXY_URL, typeof url);
  const proxy = parseUrl(url, `${name}.url`);
  return forBoth(withHeaders(proxy, headers, `${name}.headers`), parseNoProxy(noProxy, `${name}.noProxy`));
}

function forBoth(proxy, noProxy) {
  return { http: proxy, https: proxy, noProxy };
}

/** The credentials in the URL of an HTTP proxy become a header. */
function parseUrl(value, name) {
  const url = parsed(value, name);
  if (SOCKS.has(url.protocol)) return parseSocksUrl(url, name);
  const { protocol, host, username, password } = url;
  const proxy = { url: `${protocol}//${host}`, headers: [] };
  if (username !== '' || password !== '') {
    const credentials = `${decoded(username, name)}:${decoded(password, name)}`;
    proxy.headers.push([AUTHORIZATION, `Basic ${Buffer.from(credentials).toString('base64')}`]);
  }
  return proxy;
}

function parsed(value, name) {
  let url;
  try {
    url = new URL(value);
  } catch {
    // Its message, and the property `input` of the error, hold what was given.
    throw invalidSecret(name, PROXY_URL);
  }
  if (!HTTP.has(url.protocol) && !SOCKS.has(url.protocol)) throw invalidSecret(name, PROXY_URL);
  return url;
}

function parseSocksUrl({ protocol, hostname, port, username, password }, name) {
  const proxy = { url: `${protocol}//${checkHost(hostname, name)}:${port || 1080}`, headers: [] };
  if (username !== '' || password !== '') {
    if (!SOCKS.get(protocol).credentials) {
      throw invalidSecret(name, 'a URL without credentials, for which SOCKS 4 has no place (socks5:// has)');
    }
    proxy.credentials = [username, password].map((part) => checkCredential(decoded(part, name), name));
  }
  return proxy;
}

/** For a scheme that it does not know, `new URL` takes nearly anything as the host, and also none. */
function checkHost(hostname, name) {
  try {
    return new URL(`http://${hostname}`).hostname;
  } catch {
    throw invalidSecret(name, PROXY_URL);
  }
}

function checkCredential(part, name) {
  if (Buffer.byteLength(part) <= LONGEST_CREDENTIAL) return part;
  throw invalidSecret(name, `a URL whose user name and password have at most ${LONGEST_CREDENTIAL} bytes each, as SOCKS has room for`);
}

function decoded(part, name) {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalidSecret(name, 'a URL in whose credentials "%" is written as "%25"');
  }
}

function withHeaders(proxy, init, name) {
  if (init === undefined) return proxy;
  if (isSocks(proxy)) throw invalidArgument(`${name} must be left out: SOCKS has no headers.`);
  const headers = headerPairs(init, name);
  for (const [header] of headers) {
    if (header === 'host') throw invalidArgument(`${inHeaders(header, name)} must be left out: it names the server.`);
    if (header === AUTHORIZATION && proxy.headers.length > 0) {
      throw invalidArgument(`${inHeaders(header, name)} must be left out: the proxy's URL has credentials as well.`);
    }
  }
  return { url: proxy.url, headers: [...proxy.headers, ...headers] };
}

function parseNoProxy(value, name) {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) throw invalidType(name, 'a list as in NO_PROXY, or an array of its entries', value);
  return checkArray(value, name, 'hosts', (host, place) => {
    if (typeof host !== 'string' || /[,\s]/.test(host)) throw invalidValue(place, 'one host, perhaps with a port', host);
    return host;
  }).join();
}

/**
 * Node's rule. Exactly `1`, and the flag has the last word; the flags of the command line come behind those of
 * `NODE_OPTIONS`.
 */
function environmentCounts() {
  const options = `${process.env.NODE_OPTIONS ?? ''} ${process.execArgv.join(' ')}`;
  const flags = options.match(/(?<=^|\s)--(no-)?use-env-proxy(?=$|\s)/g);
  if (flags !== null) return flags.at(-1) === '--use-env-proxy';
  return process.env.NODE_USE_ENV_PROXY === '1';
}

/** As the EnvHttpProxyAgent of undici: lower case first, an empty one counts, and HTTP_PROXY stands in for HTTPS_PROXY. */
function proxiesOfEnvironment(env) {
  const http = proxyOfEnvironment(env, 'http_proxy');
  const https = proxyOfEnvironment(env, 'https_proxy') ?? http;
  if (http === undefined && https === undefined) return undefined;
  return { http, https, noProxy: env.no_proxy ?? env.NO_PROXY ?? '' };
}

function proxyOfEnvironment(env, lowerCase) {
  const name = env[lowerCase] === undefined ? lowerCase.toUpperCase() : lowerCase;
  const value = env[name];
  if (!value) return undefined;
  try {
    return parseUrl(value, `The environment variable ${name}`);
  } catch (error) {
    throw Object.assign(error, { code: 'ERR_PROXY_INVALID_CONFIG' });
  }
}

function isSocks({ url }) {
  return SOCKS.has(url.slice(0, url.indexOf('//')));
}

/**
 * What connects through SOCKS keeps its connections by itself and does not count them.
 *
 * @param {import('../..').CreateFetchOptions} given
 * @param {Proxies | undefined} proxies
 * @throws {TypeError} ERR_INVALID_ARG_VALUE
 */
function checkPoolOfProxies({ connections }, proxies) {
  if (connections === undefined || connections === false || connections === Infinity) return;
  if ([proxies?.http, proxies?.https].some((proxy) => proxy !== undefined && isSocks(proxy))) {
    throw invalidArgument('connections must be left out with a SOCKS proxy: its connections are not counted.');
  }
}

module.exports = { parseProxy, checkPoolOfProxies };
