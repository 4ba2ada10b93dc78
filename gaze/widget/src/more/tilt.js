/** Following the tilt of the phone. */

import { clamp } from "../numbers.js";

const TILT_RANGE = 20; // degrees from how the phone was held to the end of the range
const RADIANS = Math.PI / 180;

/**
 * Roll (right edge down) and pitch (top edge up), in degrees, as the screen is turned now. By way of the direction of
 * gravity, because beta and gamma themselves jump where a phone stands upright.
 *
 * @param {number} beta, @param {number} gamma of a deviceorientation event
 * @param {number} angle of the screen, in degrees
 */
export function attitude(beta, gamma, angle) {
  const [b, g, a] = [beta * RADIANS, gamma * RADIANS, angle * RADIANS];
  const down = { x: Math.cos(b) * Math.sin(g), y: -Math.sin(b), z: -Math.cos(b) * Math.cos(g) };
  const right = down.x * Math.cos(a) - down.y * Math.sin(a);
  const top = down.x * Math.sin(a) + down.y * Math.cos(a);
  return { roll: Math.asin(clamp(right, -1, 1)) / RADIANS, pitch: Math.atan2(-top, -down.z) / RADIANS };
}

/** An angle from -180 to 180 degrees. */
const turned = (degrees) => ((degrees + 540) % 360) - 180;

/** Widgets that follow, each with how the phone was held when it began: straight ahead. */
const tilting = new Map();
let isAllowed = false; // once for the whole page

function onTilt({ beta, gamma }) {
  if (beta === null || gamma === null) return; // no sensor
  const angle = screen.orientation?.angle ?? window.orientation ?? 0;
  const now = { ...attitude(beta, gamma, angle), angle };
  for (const [widget, before] of tilting) {
    if (!widget.host.isConnected) {
      stopTilt(widget);
      continue;
    }
    const start = before?.angle === angle ? before : now;
    tilting.set(widget, start);
    const degrees = [now.roll - start.roll, turned(now.pitch - start.pitch)];
    widget.look({ look: degrees.map((value) => clamp(value / TILT_RANGE, -1, 1)) });
  }
}

export const isTilting = (widget) => tilting.has(widget);

/** The sensor runs only while somebody listens. */
function stopTilt(widget) {
  tilting.delete(widget);
  if (!tilting.size) window.removeEventListener("deviceorientation", onTilt);
}

/**
 * Lets a widget follow the tilt, or no longer. iOS asks the visitor for permission, once, in answer to a tap.
 *
 * @param {import("../widget.js").Widget} widget
 * @returns {Promise<boolean>} whether it follows now
 */
export async function followTilt(widget, isWanted) {
  stopTilt(widget);
  if (!isWanted) widget.look(null);
  const ask = () => window.DeviceOrientationEvent?.requestPermission?.().catch(() => "denied");
  const answer = isWanted && !isAllowed ? await ask() : "granted";
  if (answer === "denied") {
    widget.fail("This device does not let the page know its tilt. Allow motion access.", "");
  } else if (isWanted && widget.host.isConnected) {
    isAllowed = true;
    tilting.set(widget, null);
    window.addEventListener("deviceorientation", onTilt);
  }
  widget.controls?.();
  return isTilting(widget);
}
