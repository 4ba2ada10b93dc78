/** What a face does while nothing happens. */

import { randomBetween } from "../numbers.js";

const IDLE_AFTER = 4000; // ms without any input
const IDLE_PAUSE = [1200, 4000]; // ms between two glances

const BLINK_PAUSE = [2500, 7000]; // ms between two blinks of a face

let timer = 0;
let blinkTimer = 0;

const idle = (page) => [...page.widgets].filter((widget) => widget.host.hasAttribute("idle"));

/** Somebody did something: glances end, and idle life begins anew after a while. */
export function stir(page) {
  clearTimeout(timer);
  for (const widget of page.widgets) widget.glance(0, 0);
  if (!idle(page).length) return;
  timer = setTimeout(() => glances(page), IDLE_AFTER);
  blinkTimer ||= setTimeout(() => blinks(page), pause(page));
}

/** Nobody sees it. */
export function rest() {
  clearTimeout(timer);
  clearTimeout(blinkTimer);
  blinkTimer = 0;
}

/** Of all faces of the page together, each of which blinks for itself. */
const pause = (page) => randomBetween(...BLINK_PAUSE) / Math.max(1, idle(page).length);

function blinks(page) {
  const widgets = idle(page);
  blinkTimer = widgets.length && setTimeout(() => blinks(page), pause(page));
  widgets[Math.floor(Math.random() * widgets.length)]?.blink();
}

function glances(page) {
  for (const widget of idle(page)) {
    const away = Math.random() < 0.6; // else back to where it looked
    widget.glance(away * randomBetween(-0.5, 0.5), away * randomBetween(-0.25, 0.25));
  }
  timer = setTimeout(() => glances(page), randomBetween(...IDLE_PAUSE));
}
