/** What a face does while nothing happens. */

import { randomBetween } from "../numbers.js";

const IDLE_AFTER = 4000; // ms without any input
const IDLE_PAUSE = [1200, 4000]; // ms between two glances

const BLINK_PAUSE = [2500, 7000]; // ms between two blinks of a face

const BREATH = 4500; // ms from one breath to the next
const BREATH_DEPTH = 0.5; // rows of the grid by which the head goes up and down
const BREATH_STEP = 80; // ms from one picture of it to the next

let timer = 0;
let blinkTimer = 0;
let breathTimer = 0;

const idle = (page) => [...page.widgets].filter((widget) => widget.host.hasAttribute("idle"));

/** Somebody did something: glances end, and idle life begins anew after a while. */
export function stir(page) {
  clearTimeout(timer);
  for (const widget of page.widgets) widget.glance(0, 0);
  if (!breathTimer) breathe(page);
  if (!idle(page).length) return;
  timer = setTimeout(() => glances(page), IDLE_AFTER);
  blinkTimer ||= setTimeout(() => blinks(page), pause(page));
}

/** Nobody sees it. */
export function rest() {
  clearTimeout(timer);
  clearTimeout(blinkTimer);
  clearTimeout(breathTimer);
  blinkTimer = breathTimer = 0;
}

/** Of all faces of the page together, each of which blinks for itself. */
const pause = (page) => randomBetween(...BLINK_PAUSE) / Math.max(1, idle(page).length);

function blinks(page) {
  const widgets = idle(page);
  blinkTimer = widgets.length && setTimeout(() => blinks(page), pause(page));
  widgets[Math.floor(Math.random() * widgets.length)]?.blink();
}

/** How far the head is lifted so many milliseconds after a breath began, in rows of the grid. */
export const breathAt = (time) => BREATH_DEPTH * Math.sin((time / BREATH) * 2 * Math.PI);

/** Each face breathes in a time of its own; one that is idle no more lets go of its breath. */
function breathe(page) {
  let i = 0;
  for (const widget of page.widgets) {
    const breathes = widget.host.hasAttribute("idle") && !widget.isStill;
    const breath = breathes ? breathAt(performance.now() + i++ * 0.37 * BREATH) : 0;
    if (breath === widget.breath) continue;
    widget.breath = breath;
    widget.redraw();
  }
  breathTimer = idle(page).length && setTimeout(() => breathe(page), BREATH_STEP);
}

function glances(page) {
  for (const widget of idle(page)) {
    const away = Math.random() < 0.6; // else back to where it looked
    widget.glance(away * randomBetween(-0.5, 0.5), away * randomBetween(-0.25, 0.25));
  }
  timer = setTimeout(() => glances(page), randomBetween(...IDLE_PAUSE));
}
