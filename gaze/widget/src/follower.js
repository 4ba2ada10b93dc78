/** Where the face looks, and where it is to look. */

import { clamp, lookAlong } from "./numbers.js";
import { glide } from "./spring.js";

const CLOSE = 0.004; // of a cell: less than one of 255 shares of a blend

/**
 * @typedef {{x: number, y: number, view?: {left: number, top: number, right: number, bottom: number}}} Point of the
 *   viewport; `view`: what takes the viewport's place, where the pointer was seen by the page around an iframe
 */
export class Follower {
  /** Where the face looks now, each axis in [-1, 1]. */
  x = { at: 0, speed: 0 };
  y = { at: 0, speed: 0 };
  /**
   * Where it is to look: at a point, at an element, in a direction; null: straight ahead.
   * @type {Point | {element: Element} | {look: number[]} | null}
   */
  aim = null;
  /** What is added to it while nothing happens. */
  glance = [0, 0];
  /** Whether it has come to rest where it is to look. */
  rests = false;
  #wanted = "0,0";
  #face;

  /** @param {() => {x: number, y: number}} face where the face is in the viewport */
  constructor(face) {
    this.#face = face;
  }

  /** The look that is wanted, x and y in [-1, 1]. */
  target() {
    return this.aimed().map((value, axis) => clamp(value + this.glance[axis], -1, 1));
  }

  /** The same without glances. */
  aimed() {
    const { aim } = this;
    if (!aim) return [0, 0];
    if (aim.look) return aim.look;
    const box = aim.element?.getBoundingClientRect();
    const { x, y } = box ? { x: box.left + box.width / 2, y: box.top + box.height / 2 } : aim;
    const face = this.#face();
    const { left, top, right, bottom } = aim.view ?? { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
    return [lookAlong(x, face.x, left, right), lookAlong(y, face.y, top, bottom)];
  }

  /**
   * One step of the motion.
   *
   * @param {number} seconds since the last one
   * @param {number} omega of the spring
   * @param {number} size of the grid
   * @param {((look: number[]) => number[]) | undefined} snap where it comes to rest, if not everywhere
   * @returns {{moved: boolean, settled: boolean, goesOn: *}}
   */
  step(seconds, omega, size, snap) {
    const wanted = this.target();
    if (this.#wanted !== wanted.join()) this.rests = false;
    this.#wanted = wanted.join();
    const [x, y] = this.rests && snap ? snap(wanted) : wanted;
    const before = [this.x.at, this.y.at];
    glide(this.x, x, seconds, omega);
    glide(this.y, y, seconds, omega);
    const close = CLOSE / ((size || 30) - 1);
    const arrived = (axis, end) => Math.abs(axis.at - end) < close && Math.abs(axis.speed) < close * 10;
    const settled = arrived(this.x, x) && arrived(this.y, y);
    if (settled) {
      glide(this.x, x, 0, Infinity);
      glide(this.y, y, 0, Infinity);
    }
    const comesToRest = settled && !this.rests;
    this.rests ||= settled;
    const moved = this.x.at !== before[0] || this.y.at !== before[1];
    return { moved, settled, goesOn: !settled || (comesToRest && snap) };
  }

  /** Row and column of a grid for where it looks now. */
  place(size) {
    return [this.y, this.x].map((axis) => ((clamp(axis.at, -1, 1) + 1) / 2) * (size - 1));
  }
}
