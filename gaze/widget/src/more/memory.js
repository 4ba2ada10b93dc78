/** What all portraits of a page share: the memory of their frames, and the line at the decoder. */

import { COUNT } from "../names.js";
import { clamp } from "../numbers.js";

/**
 * Bytes of decoded frames that all widgets of a page may hold together, each an equal share: room for 20×20 frames of
 * 512×512. Half of it on phones and where memory is short. The sheet that is being cut comes on top, one at a time.
 * (Of a pack, few frames are held at all.)
 */
const BUDGET = 400 * 2 ** 20;
const KEPT = [12, 40]; // decoded frames of a pack that are kept: at least, and at most where memory allows

export const isSmall = matchMedia("(pointer: coarse)").matches && Math.min(screen.width, screen.height) < 600;

/** @param {number} count of widgets on the page */
export function bytesPerWidget() {
  const isLittle = isSmall || navigator.deviceMemory <= 4;
  return BUDGET / (isLittle ? 2 : 1) / Math.max(1, globalThis[COUNT]?.() ?? 1);
}

/** How many frames of a pack one widget may keep. */
export const framesKept = (width, height) => clamp(Math.floor(bytesPerWidget() / (width * height * 4)), ...KEPT);

let line = Promise.resolve();

/** Runs jobs one after the other, so that no two sheets are held decoded at the same time. */
export function takeTurn(job) {
  const done = line.then(job);
  line = done.catch(() => {});
  return done;
}
