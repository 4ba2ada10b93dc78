/** The arrow keys turn the face, Home and Escape bring it back. */

import { clamp } from "../numbers.js";

const STEP = 0.2; // of the range from -1 to 1, for one press
const STEPS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

/** @param {import("../widget.js").Widget} widget */
export function press(widget, key) {
  const step = STEPS[key];
  const turned = () => widget.follower.aimed().map((value, axis) => clamp(value + step[axis], -1, 1));
  widget.look(step ? { look: turned() } : null);
}
