/**
 * `<gaze-group>`: portraits that stand together have one pair of buttons. All follow the tilt of the phone, and all fill
 * the screen. The portraits in it have `hide-controls`. A classic script, which pages opened from files need.
 */
(() => {
  const ICONS = {
    fullscreen: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
    tilt: "M8 5h8v14H8zM3 8c-1.5 2.5-1.5 5.5 0 8M21 8c1.5 2.5 1.5 5.5 0 8",
  };
  const STYLE = `
    .buttons { position: absolute; right: 12px; bottom: 12px; display: flex; gap: 6px; opacity: 0; transition: opacity 0.2s; }
    :host(:hover) .buttons, .buttons:focus-within { opacity: 1; }
    @media (hover: none) { .buttons { opacity: 1; } }
    button { width: 40px; height: 40px; padding: 8px; border: 0; border-radius: 50%; color: #fff; background: rgb(0 0 0 / 0.55); cursor: pointer; }
    button:focus-visible { outline: var(--gaze-focus-ring, 3px solid #4c8dff); outline-offset: 1px; }
    button[aria-pressed="true"] { box-shadow: inset 0 0 0 2px currentColor; }
    button[hidden] { display: none; }
    svg { display: block; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
  `;

  function makeButton(name, label, act) {
    const [drawing, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
    drawing.setAttribute("viewBox", "0 0 24 24");
    drawing.setAttribute("aria-hidden", "true");
    path.setAttribute("d", ICONS[name]);
    drawing.append(path);
    const button = document.createElement("button");
    button.type = "button";
    button.title = label;
    button.setAttribute("aria-label", label);
    button.append(drawing);
    button.addEventListener("click", act);
    return button;
  }

  class GazeGroup extends HTMLElement {
    #isTilting = false;
    #tilt = makeButton("tilt", "Follow the tilt of the phone", () => this.#follow(!this.#isTilting));

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet(); // a style element would need leave from strict pages
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      const full = makeButton("fullscreen", "Full screen", () => {
        const done = document.fullscreenElement === this ? document.exitFullscreen() : this.requestFullscreen();
        done.catch((error) => console.warn("gaze-group:", error));
      });
      this.#tilt.hidden = !(window.DeviceOrientationEvent && matchMedia("(pointer: coarse)").matches);
      this.#tilt.setAttribute("aria-pressed", false);
      full.hidden = !document.fullscreenEnabled;
      const slot = document.createElement("slot");
      slot.addEventListener("slotchange", () => this.#isTilting && this.#follow(true)); // others stand here now
      const buttons = document.createElement("div");
      buttons.className = "buttons";
      buttons.append(this.#tilt, full);
      root.append(slot, buttons);
    }

    /** Where a phone asks its owner, it asks once. */
    async #follow(isWanted) {
      const [first, ...others] = this.querySelectorAll("gaze-tracker");
      this.#isTilting = Boolean(await first?.followTilt(isWanted));
      await Promise.all(others.map((tracker) => tracker.followTilt(this.#isTilting)));
      this.#tilt.setAttribute("aria-pressed", this.#isTilting);
    }
  }

  if (!customElements.get("gaze-group")) customElements.define("gaze-group", GazeGroup);
})();
