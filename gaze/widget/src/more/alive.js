/** What a face does while nothing happens. */

import { randomBetween } from "../numbers.js";

const IDLE_AFTER = 4000; // ms without any input
const IDLE_PAUSE = [1200, 4000]; // ms between two glances

let timer = 0;

const idle = (page) => [...page.widgets].filter((widget) => widget.host.hasAttribute("idle"));

/** Somebody did something: glances end, and idle life begins anew after a while. */
export function stir(page) {
  rest();
  for (const widget of page.widgets) widget.glance(0, 0);
  if (idle(page).length) timer = setTimeout(() => glances(page), IDLE_AFTER);
}

/** Nobody sees it. */
export function rest() {
  clearTimeout(timer);
}

function glances(page) {
  for (const widget of idle(page)) {
    const away = Math.random() < 0.6; // else back to where it looked
    widget.glance(away * randomBetween(-0.5, 0.5), away * randomBetween(-0.25, 0.25));
  }
  timer = setTimeout(() => glances(page), randomBetween(...IDLE_PAUSE));
}
