'use strict';

/**
 * One client, one case, in a process of its own: reads the file a few times and prints what it took, as JSON.
 *
 * A client that cannot go on is told of by how far it came: `bytes` of the file, and the code that it ended with.
 */

const { Writable } = require('node:stream');
const { pipeline } = require('node:stream/promises');

const { loopSource, perCall, readClocks } = require('../lib/clocks');
const { FILE_SIZE, MIB } = require('./options');
const { peers } = require('./peers');

async function main({ peer, url, transfers, serverPid }) {
  const open = await peers[peer].setup();
  const warm = await transfer(open, url);
  if (warm.code !== undefined) return { ended: warm };
  const begin = readClocks(serverPid);
  for (let each = 1; each < transfers; each += 1) {
    const { bytes, code } = await transfer(open, url);
    if (bytes !== FILE_SIZE) return { ended: { bytes, code } };
  }
  const mebibytes = ((transfers - 1) * FILE_SIZE) / MIB;
  return { figures: perCall(begin, readClocks(serverPid), mebibytes), peakMemory: process.resourceUsage().maxRSS / 1024, loopSource };
}

/** @returns {Promise<{ bytes: number, code?: string }>} */
async function transfer(open, url) {
  let bytes = 0;
  const sink = new Writable({
    write(chunk, encoding, callback) {
      bytes += chunk.length;
      callback();
    },
  });
  try {
    await pipeline(await open(url), sink);
    return { bytes };
  } catch (error) {
    return { bytes, code: error.cause?.code ?? error.code ?? error.name };
  }
}

main(JSON.parse(process.argv[2])).then((result) => {
  console.log(JSON.stringify(result));
  process.exit();
});
