'use strict';

/**
 * The slope of the straight line that lies closest to the points (least squares). Not the difference of last and first:
 * one sample that a collector of garbage came too late for would decide.
 *
 * @param {{ x: number, y: number }[]} points at least two, not all above one another
 */
function slope(points) {
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const middle = { x: mean(({ x }) => x), y: mean(({ y }) => y) };
  let together = 0;
  let spread = 0;
  for (const { x, y } of points) {
    together += (x - middle.x) * (y - middle.y);
    spread += (x - middle.x) ** 2;
  }
  return together / spread;
}

module.exports = { slope };
