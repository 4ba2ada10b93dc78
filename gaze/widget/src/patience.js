/** How long a video decoder may say nothing before it counts as broken. */

export const SILENT = "the video decoder does not answer";

const STEP = 250; // ms
const STEPS = 16; // without an answer

/**
 * Time counts in steps: while the page itself is busy it hears nothing, and such a while, however long, is one step.
 *
 * @param {(error: Error) => void} fail
 * @returns {{heard: () => void, stop: () => void}} `heard` begins the time anew
 */
export function answers(fail) {
  let silent = 0;
  const timer = setInterval(() => ++silent > STEPS && fail(new Error(SILENT)), STEP);
  return { heard: () => (silent = 0), stop: () => clearInterval(timer) };
}
