/** `<gaze-tracker>`: what pages see of it. What each name does stands in custom-elements.json and docs/widget.md. */

import { Widget } from "./widget.js";

const ATTRIBUTES = [
  ...["src", "mode", "grid", "width", "height", "poster", "alt", "fit", "blend", "smoothing", "follow", "motion"],
  ...["idle", "mood", "hide-controls", "loading", "bridge", "renderer", "pixi-src"],
];
const BOOLEANS = ["idle", "hide-controls"];

const propertyName = (attribute) => attribute.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

/** Where there is no window (a worker, a server), importing this must do nothing. */
const Base = globalThis.HTMLElement ?? class {};

export class GazeTracker extends Base {
  static observedAttributes = ATTRIBUTES;

  #widget = new Widget(this);

  connectedCallback() {
    for (const name of ["manifest", ...ATTRIBUTES.map(propertyName)]) {
      if (!Object.hasOwn(this, name)) continue; // set before the element was defined
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    this.#widget.connected();
  }

  disconnectedCallback() {
    this.#widget.disconnected();
  }

  attributeChangedCallback(name, old, value) {
    if (old !== value) this.#widget.changed(name);
  }

  get manifest() {
    return this.#widget.manifest;
  }

  set manifest(value) {
    if (JSON.stringify(value ?? null) === JSON.stringify(this.manifest)) return;
    this.#widget.manifest = value ?? null;
    this.#widget.loader.restart();
  }

  get row() {
    return this.#widget.place[0];
  }

  get col() {
    return this.#widget.place[1];
  }

  get loaded() {
    return this.#widget.loader.loaded;
  }

  get texture() {
    return this.#widget.loader.texture;
  }

  lookAt(x, y) {
    this.#widget.look({ x, y });
  }

  lookAtElement(element) {
    this.#widget.look({ element });
  }

  reset() {
    this.#widget.look(null);
  }

  blink(eye) {
    return this.#widget.blink(eye);
  }

  followTilt(enabled = true) {
    return this.#widget.followTilt(enabled);
  }
}

for (const attribute of ATTRIBUTES) {
  const isBoolean = BOOLEANS.includes(attribute);
  Object.defineProperty(GazeTracker.prototype, propertyName(attribute), {
    configurable: true,
    enumerable: true,
    get() {
      return isBoolean ? this.hasAttribute(attribute) : (this.getAttribute(attribute) ?? "");
    },
    set(value) {
      if (isBoolean ? value : (value ?? null) !== null) this.setAttribute(attribute, isBoolean ? "" : value);
      else this.removeAttribute(attribute);
    },
  });
}
