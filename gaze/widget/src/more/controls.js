/** The buttons of an element. They come when somebody is near: until then nobody sees them. */

import STYLE from "./controls.css";
import { isTilting } from "./tilt.js";

const LEAST_WIDTH = 140; // CSS pixels of an element that has room for buttons

const ICONS = {
  fullscreen: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  tilt: "M8 5h8v14H8zM3 8c-1.5 2.5-1.5 5.5 0 8M21 8c1.5 2.5 1.5 5.5 0 8",
};

/** A round button with an icon. Built node by node: strict pages refuse markup in strings. */
function makeButton(name, label, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.part = `button ${name}-button`;
  button.title = label;
  button.setAttribute("aria-label", label);
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  button.append(svg);
  button.addEventListener("click", act);
  return button;
}

/**
 * Puts the buttons into an element.
 *
 * @param {import("../widget.js").Widget} widget
 * @returns {() => void} to be called when the size or the tilt has changed
 */
export function addControls(widget) {
  const { host } = widget;
  const root = host.shadowRoot;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  const controls = document.createElement("div");
  controls.className = controls.part = "controls";
  const tilt = makeButton("tilt", "Follow the tilt of the phone", () => host.followTilt(!isTilting(widget)));
  const fullscreen = makeButton("fullscreen", "Full screen", () => {
    const done = host.matches(":fullscreen") ? document.exitFullscreen() : host.requestFullscreen();
    done.catch((error) => widget.fail(`Full screen was refused: ${error.message}.`, ""));
  });
  tilt.hidden = !(window.DeviceOrientationEvent && matchMedia("(pointer: coarse)").matches);
  fullscreen.hidden = !document.fullscreenEnabled;
  controls.append(tilt, fullscreen);
  root.append(controls);
  const update = () => {
    const { clientWidth, clientHeight } = host;
    const side = Math.min(clientWidth, clientHeight);
    controls.classList.toggle("small", side < LEAST_WIDTH);
    controls.style.setProperty("--side", `${Math.min(40, Math.round(side / 6))}px`);
    tilt.setAttribute("aria-pressed", isTilting(widget));
  };
  update();
  return update;
}
