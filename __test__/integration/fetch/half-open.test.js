'use strict';

/**
 * A peer that vanished without a word (power cut, dropped NAT entry) is found by TCP keepalive, whose probes it does not
 * answer. Packets cannot be dropped here without the rights of root, so what follows when a probe stays unanswered is
 * the system's word; what is tested is that the probes are on, and when the first is due.
 */

const fs = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');

const { createFetch } = require('../../..');
const { closeAll, ok, startOrigin } = require('../../../testing');

const onLinux = process.platform === 'linux' ? test : test.skip;

/** The first probe goes after this long a silence, in s. */
const SILENCE = 15;

afterEach(closeAll);

onLinux('an idle connection is probed', async () => {
  const origin = await startOrigin();
  await (await createFetch()(origin.url)).text();
  const { remotePort } = origin.requests[0].incoming.socket;
  const seconds = await keepaliveTimer(remotePort, origin.port);
  expect(seconds).toBeGreaterThan(SILENCE - 5);
  expect(seconds).toBeLessThanOrEqual(SILENCE);
});

onLinux('so is one on which an answer is waited for', async () => {
  let answer;
  const origin = await startOrigin((...exchange) => {
    answer = () => ok(...exchange);
  });
  const call = createFetch()(origin.url);
  const { incoming } = await origin.received(0);
  const seconds = await keepaliveTimer(incoming.socket.remotePort, origin.port);
  expect(seconds).toBeLessThanOrEqual(SILENCE);
  answer();
  expect(await (await call).text()).toBe('ok');
});

/** @returns {Promise<number>} s until the system sends the next keepalive probe on this connection of 127.0.0.1 */
async function keepaliveTimer(localPort, remotePort) {
  const hex = (port) => port.toString(16).toUpperCase().padStart(4, '0');
  const ends = `0100007F:${hex(localPort)} 0100007F:${hex(remotePort)}`;
  for (;;) {
    // proc_net_tcp: "st", queues, then the timer: 2 is keepalive, 1 waits for an acknowledgement; in 1/100 s.
    const line = fs.readFileSync('/proc/net/tcp', 'latin1').split('\n').find((entry) => entry.includes(ends));
    const [, timer, when] = / \w{2} \w{8}:\w{8} (\w{2}):(\w{8}) /.exec(line);
    if (timer !== '01') {
      expect(timer).toBe('02');
      return parseInt(when, 16) / 100;
    }
    await sleep(5);
  }
}
