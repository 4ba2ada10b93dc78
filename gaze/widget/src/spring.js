/** The motion from one look to the next: a critically damped spring, solved exactly. Pure. */

const SMOOTHING = 300; // ms to cover 95 % of the way to a new look
const FRAMES_95 = -49.93; // ms of a frame at 60 Hz, times ln 0.05
const SETTLE_95 = 4.744; // q with (1 + q)·exp(-q) = 0.05: a critically damped spring gets there in q / ω seconds

/**
 * One step: the same motion at 30, 60 and 144 frames a second.
 *
 * @param {{at: number, speed: number}} axis changed in place
 * @param {number} target
 * @param {number} seconds since the last step
 * @param {number} omega 1 / seconds; Infinity jumps
 */
export function glide(axis, target, seconds, omega) {
  if (omega === Infinity) {
    axis.at = target;
    axis.speed = 0;
    return;
  }
  const offset = axis.at - target;
  const push = axis.speed + omega * offset;
  const decay = Math.exp(-omega * seconds);
  axis.at = target + (offset + push * seconds) * decay;
  axis.speed = (axis.speed - omega * push * seconds) * decay;
}

/** ω of a spring that covers 95 % of the way in so many milliseconds; 0 jumps. */
export const stiffness = (milliseconds) => (SETTLE_95 * 1000) / milliseconds;

/**
 * The value of `smoothing` in milliseconds. Values between 0 and 1 are how older pages write it: the share of the
 * way covered per frame at 60 Hz.
 */
export function smoothingMilliseconds(text) {
  const value = text === null || text.trim() === "" ? NaN : Number(text);
  if (!(value >= 0)) return SMOOTHING;
  if (value === 0 || value >= 1) return value;
  return FRAMES_95 / Math.log(1 - value);
}
