'use strict';

const { Idleness } = require('../../../lib/persistent/idleness');

describe('after how much silence a connection is tested', () => {
  test('at first after what the option says', () => {
    const idleness = new Idleness(15_000);
    expect([14_999, 15_000].map((idle) => idleness.isDue(idle))).toEqual([false, true]);
  });

  test('a death halves the silence that it came after, and never asks for more than the option', () => {
    const idleness = new Idleness(15_000);
    idleness.died(600_000);
    expect(idleness.after).toBe(15_000);
    idleness.died(10_000);
    expect(idleness.after).toBe(5_000);
    idleness.died(14_000);
    expect(idleness.after).toBe(5_000);
  });

  test('it never pings more often than after a second, whatever dies', () => {
    const idleness = new Idleness(15_000);
    idleness.died(1_000);
    expect(idleness.after).toBe(1_000);
  });

  test('a death without a silence before it teaches nothing', () => {
    const idleness = new Idleness(15_000);
    idleness.died(999);
    expect(idleness.after).toBe(15_000);
  });

  test('a silence that was survived is trusted half way, up to the option', () => {
    const idleness = new Idleness(15_000);
    idleness.died(4_000);
    idleness.survived(6_000);
    expect(idleness.after).toBe(4_000);
    idleness.survived(3_000);
    expect(idleness.after).toBe(4_000);
    idleness.survived(1_000_000);
    expect(idleness.after).toBe(15_000);
  });

  test('where something forgets connections after ten seconds, it settles below them', () => {
    const idleness = new Idleness(15_000);
    const limit = 10_000;
    let found = 0;
    for (let round = 0; round < 200; round += 1) {
      const idle = (round * 3_701) % 14_000;
      if (idle <= limit) idleness.survived(idle);
      else if (idleness.isDue(idle)) {
        idleness.died(idle);
        found += 1;
      } else idleness.died(idle);
      expect(idleness.after).toBeLessThanOrEqual(round === 0 || found === 0 ? 15_000 : limit);
    }
    expect(found).toBeGreaterThan(0);
  });

  test('with an option of 0 it asks always, with Infinity only after it was taught', () => {
    expect(new Idleness(0).isDue(0)).toBe(true);
    const trusting = new Idleness(Infinity);
    expect(trusting.isDue(1e12)).toBe(false);
    trusting.died(60_000);
    expect(trusting.after).toBe(30_000);
    trusting.survived(50_000);
    expect(trusting.after).toBe(40_000);
  });
});
