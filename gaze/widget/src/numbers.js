/** Small functions of numbers, pure. */

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** A number of a manifest or a header, which may hold anything; undefined where it is none between the bounds. */
export const within = (value, low, high) =>
  typeof value === "number" && value >= low && value <= high ? value : undefined;

/** Whether a value is a whole number between the bounds. */
export const whole = (value, low, high) => Number.isInteger(within(value, low, high));

export const randomBetween = (low, high) => low + Math.random() * (high - low);

/** The point between the eyes, as fractions of a frame; null where there is none. */
export function facePoint(face) {
  const [x, y] = [within(face?.x, -1, 2), within(face?.y, -1, 2)];
  return x === undefined || y === undefined ? null : { x, y };
}

/**
 * One axis of a look, in [-1, 1]: 0 at the face, ±1 at the ends of the view, however far off centre the face is, and
 * towards the point where the face is outside.
 *
 * @param {number} point where to look, @param {number} face where the face is
 * @param {number} low, @param {number} high the ends of the view
 */
export function lookAlong(point, face, low, high) {
  const range = point > face ? high - face : face - low;
  return clamp((point - face) / Math.max(1, range), -1, 1);
}
