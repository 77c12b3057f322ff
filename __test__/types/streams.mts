/** Streams that go on where they broke, as a TypeScript program uses them. */

import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import {
  createFetch, createPolicy, download, downloadTo, resumable,
  type Download, type DownloadResult, type OpenSource, type ResumableStream, type StreamError,
} from 'unreset';

const stream: Download = download(new URL('https://a.test/'), {
  retry: { retries: Infinity, within: Infinity, onRetry: ({ offset }) => void (offset === undefined) },
  timeout: { body: 1000, total: false },
  resume: 'trusting',
  headers: { a: 'b' },
  signal: AbortSignal.timeout(1000),
  fetch: createFetch(),
  highWaterMark: 1024,
  decompress: false,
});
stream.on('progress', ({ bytes, total }) => void (bytes / (total ?? 1)));
stream.on('resume', ({ offset, fault, delay }) => void [offset + delay, fault.code]);
stream.once('response', (response) => void response.recovery.resumed);
stream.on('error', (error: StreamError) => void [error.offset, error.recovery?.gaveUp]);
await pipeline(stream, createWriteStream('file'));
for await (const piece of download('https://a.test/', { retry: createPolicy() })) void piece;
const web: ReadableStream<Uint8Array> = download('https://a.test/').web();
const status: number | undefined = stream.response?.status;
void [web, status, stream.recovery?.bytesRefetched];

const result: DownloadResult = await downloadTo('https://a.test/', new URL('file:///tmp/a'), {
  digest: 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  decompress: false,
  id: 'file 42',
  changed: 'restart',
  retry: false,
  onProgress: ({ bytes, total }) => void [bytes, total],
  onResume: ({ offset }) => void offset,
});
void [result.path, result.bytes, result.continuedAt, result.response.status, result.recovery.attempts];

const open: OpenSource = async ({ offset, validator, signal, attempt, lastFault }) => {
  void [attempt, lastFault?.transient];
  return { stream: createReadStream('file', { start: offset, signal }), validator: validator ?? 1, length: 10 };
};
const source: ResumableStream = resumable(open, {
  retry: 5, length: 10, validator: 'v1', timeout: { open: false, idle: 1000 }, highWaterMark: 10, signal: null,
});
source.on('resume', ({ offset }) => void offset).on('end', () => {}).pipe(process.stdout);
resumable(({ offset }) => createReadStream('file', { start: offset }));
resumable(() => new Blob(['a']).stream());
resumable(async function* pieces() {
  yield 'text';
});

// @ts-expect-error: there is no such rule.
await downloadTo('https://a.test/', 'file', { changed: 'ignore' });
// @ts-expect-error: a source is a stream.
resumable(() => 7);
// @ts-expect-error: it is downloadTo that checks digests.
download('https://a.test/', { digest: 'sha256-' });
