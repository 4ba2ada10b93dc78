// The buttons of several faces that stand together: all follow the tilt of the phone, and all fill the screen.

import { make } from "./dom.js";

const ICONS = {
  fullscreen: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  tilt: "M8 5h8v14H8zM3 8c-1.5 2.5-1.5 5.5 0 8M21 8c1.5 2.5 1.5 5.5 0 8",
};

function round(name, label, act) {
  const [drawing, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  return make("button", { type: "button", title: label, "aria-label": label, onclick: act }, drawing);
}

/** Puts the buttons into a box of players, which have none of their own: one that tilts would leave the others behind. */
export function together(box) {
  let isTilting = false;
  const tilt = round("tilt", "Follow the tilt of the phone", async () => {
    const [first, ...others] = box.querySelectorAll("gaze-tracker");
    isTilting = await first.followTilt(!isTilting); // where a phone asks its owner, it asks once
    await Promise.all(others.map((tracker) => tracker.followTilt(isTilting)));
    tilt.setAttribute("aria-pressed", isTilting);
  });
  tilt.setAttribute("aria-pressed", false);
  tilt.hidden = !(window.DeviceOrientationEvent && matchMedia("(pointer: coarse)").matches);
  const full = round("fullscreen", "Full screen", () => {
    if (document.fullscreenElement === box) document.exitFullscreen();
    else box.requestFullscreen().catch((error) => console.warn("Gaze:", error));
  });
  full.hidden = !document.fullscreenEnabled;
  box.append(make("div", { className: "together" }, tilt, full));
}
