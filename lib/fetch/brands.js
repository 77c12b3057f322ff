'use strict';

/**
 * What kind of web object something is, told by what it can do and not by `instanceof`: objects of other realms
 * (Jest, vm), of the undici package and of polyfills must work as those of this realm do.
 */

const tagOf = (value) => (typeof value === 'object' && value !== null ? value[Symbol.toStringTag] : undefined);

const isStream = (value) => tagOf(value) === 'ReadableStream' && typeof value.getReader === 'function';
const isBlob = (value) => {
  const tag = tagOf(value);
  return (tag === 'Blob' || tag === 'File') && typeof value.stream === 'function';
};
const isFormData = (value) => tagOf(value) === 'FormData' && typeof value.append === 'function';
const isSearchParams = (value) => tagOf(value) === 'URLSearchParams';
const isRequest = (value) => tagOf(value) === 'Request' && typeof value.url === 'string' && typeof value.clone === 'function';
const isUrl = (value) => tagOf(value) === 'URL' && typeof value.href === 'string';
const isAsyncIterable = (value) =>
  typeof value === 'object' && value !== null && typeof value[Symbol.asyncIterator] === 'function';

module.exports = { isStream, isBlob, isFormData, isSearchParams, isRequest, isUrl, isAsyncIterable };
