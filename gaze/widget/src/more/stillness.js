/** Whether a visitor wants less motion. */

/** @param {import("../widget.js").Widget} widget */
export const isStill = ({ host }) =>
  host.getAttribute("motion") !== "always" && matchMedia("(prefers-reduced-motion: reduce)").matches;
