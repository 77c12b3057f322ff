'use strict';

/**
 * `slow-consumer.js <url>`: reads a download a piece at a time, much slower than it comes, and prints by how much the memory
 * of the process grew meanwhile, in bytes. Ends when it has read what its second argument says.
 */

const { download } = require('../../..');

const [url, enough] = process.argv.slice(2);

async function main() {
  let read = 0;
  let before;
  let most = 0;
  const stream = download(url, { highWaterMark: 64 * 1024 });
  for await (const piece of stream) {
    read += piece.length;
    global.gc();
    const { rss } = process.memoryUsage();
    // Code and pools that the first pieces need are not what is measured.
    if (read > 4 * 1024 * 1024) before ??= rss;
    if (before !== undefined) most = Math.max(most, rss - before);
    if (read >= Number(enough)) break;
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
  process.stdout.write(JSON.stringify({ read, grew: most }));
}

main();
