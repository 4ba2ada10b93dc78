// The bar while a portrait is made: how far it is, and how much time is left.

import { make } from "./dom.js";

export class Progress {
  #label = make("span");
  #left = make("span", { id: "left" });
  element = make("div", { className: "progress", id: "progress", role: "progressbar" }, this.#label, this.#left);

  constructor() {
    this.element.setAttribute("aria-valuemin", 0);
    this.element.setAttribute("aria-valuemax", 100);
  }

  /** @param {object} told `label`: what is done; `left`: the time, in words, or ""; `share`: how much is done, 0 to 1. */
  show({ label, left, share }) {
    this.element.style.setProperty("--p", share);
    this.element.setAttribute("aria-valuenow", Math.round(share * 100));
    this.element.setAttribute("aria-label", label);
    if (left) this.element.setAttribute("aria-valuetext", left);
    this.#label.textContent = label;
    this.#left.textContent = left;
  }
}
