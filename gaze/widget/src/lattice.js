/** Which keys a look lies between, and where the mesh is for it (docs/format.md, "The morph"). Pure. */

import { clamp } from "./numbers.js";

/** The one at or before a look on an axis (never the last), and how far it is to the next, in 0 to 1. */
function before(looks, look) {
  let i = 0;
  while (i < looks.length - 2 && looks[i + 1] <= look) i++;
  return [i, looks.length > 1 ? clamp((look - looks[i]) / (looks[i + 1] - looks[i]), 0, 1) : 0];
}

/** A coordinate of a look, 0 to size - 1, in units of keys, 0 to n - 1. `looks`: those of the keys, ascending. */
export const keyUnits = (looks, look) => before(looks, look).reduce((a, b) => a + b);

/**
 * Shares of the keys of an axis in a cubic Hermite curve through them: tangents of central differences, one-sided at the
 * ends.
 *
 * @param {number[]} looks of the keys, ascending
 * @returns {[number, number][]} key and share, of those whose share may differ from 0
 */
export function cubicShares(looks, look) {
  const last = looks.length - 1;
  const [i, f] = before(looks, look);
  if (!last) return [[0, 1]];
  const [f2, f3, span] = [f * f, f * f * f, looks[i + 1] - looks[i]];
  const shares = new Map();
  const add = (key, share) => shares.set(key, (shares.get(key) ?? 0) + share);
  add(i, 2 * f3 - 3 * f2 + 1);
  add(i + 1, 3 * f2 - 2 * f3);
  for (const [at, share] of [
    [i, f3 - 2 * f2 + f],
    [i + 1, f3 - f2],
  ]) {
    const [low, high] = [Math.max(at - 1, 0), Math.min(at + 1, last)];
    const slope = (share * span) / (looks[high] - looks[low]);
    add(high, slope);
    add(low, -slope);
  }
  return [...shares];
}

/**
 * How far each field is applied for a look.
 *
 * @param {Float32Array} coefficients n² × rank, by key
 * @param {number[]} looks of the keys along one axis
 * @param {Float32Array} out of at least `rank` numbers
 */
export function positions(coefficients, rank, looks, row, col, out) {
  out.fill(0);
  const across = cubicShares(looks, col);
  for (const [i, down] of cubicShares(looks, row)) {
    for (const [j, share] of across) {
      const start = (i * looks.length + j) * rank;
      for (let r = 0; r < rank; r++) out[r] += down * share * coefficients[start + r];
    }
  }
  return out;
}

/** The two of `axis` (ascending) around u, and the share of the second. */
function around(axis, u) {
  const [i, share] = before(axis, u);
  return [axis[i], axis[Math.min(i + 1, axis.length - 1)], share];
}

/**
 * The four keys around a look, in units of keys, and their bilinear shares.
 *
 * @param {number[]} axis the keys along one axis whose pictures come at all
 * @param {(key: number) => boolean} has whether a key's picture is there; the nearest one that is stands in
 * @returns {{keys: number[], shares: number[], isFinal: boolean}} top left, top right, bottom left, bottom right;
 *   whether none that counts stands in
 */
export function corners(axis, n, row, col, has) {
  const [top, bottom, down] = around(axis, row);
  const [left, right, across] = around(axis, col);
  const places = [
    [top, left],
    [top, right],
    [bottom, left],
    [bottom, right],
  ];
  const shares = [(1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across];
  const keys = places.map(([r, c]) => nearest(axis, n, r, c, has));
  return { keys, shares, isFinal: places.every(([r, c], i) => !shares[i] || keys[i] === r * n + c) };
}

/** The key nearest to a place among those whose pictures are there; the middle one where there are none. */
export function nearest(axis, n, row, col, has) {
  let [best, least] = [(n * n - 1) / 2, Infinity];
  for (const r of axis) {
    for (const c of axis) {
      const distance = (r - row) ** 2 + (c - col) ** 2;
      if (distance < least && has(r * n + c)) [best, least] = [r * n + c, distance];
    }
  }
  return best;
}
