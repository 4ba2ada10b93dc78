/** Defines the element, once; does nothing where there is no window. */

import { GazeTracker } from "./element.js";

if (globalThis.customElements && !customElements.get("gaze-tracker"))
  customElements.define("gaze-tracker", GazeTracker);

export { GazeTracker };
