// The desk: the controls, the faces to choose from, the portraits of this browser.

import { $, make } from "./dom.js";
import { kept, madeAt } from "./words.js";

const SLIDERS = ["strength", "head", "eyes", "brows"];

export class Desk {
  /**
   * The picture that is to stand behind the person: its `file`, its address `still` in the page, and its `path` once it
   * was sent; null if there is none.
   */
  behind = null;
  #before;
  #part = "";

  /** @param onMove called when a control was moved, told whether in one step; the others with the example, or the portrait, that was chosen. */
  constructor({ config, onMove, onExample, onOpen, onClear }) {
    this.form = $("controls");
    this.#before = "keep";
    this.onOpen = onOpen;
    this.onClear = onClear;
    this.form.addEventListener("input", ({ target }) => {
      this.#paint(target);
      if (target.value === "picture" && !this.behind) $("pick-behind").click();
      else this.#moved(onMove, !["range", "color"].includes(target.type));
    });
    $("pick-behind").addEventListener("change", () => this.#picked(onMove));
    $("pick-behind").addEventListener("cancel", () => this.#unpicked());
    $("another-behind").onclick = () => $("pick-behind").click();
    $("behind-picture").hidden = Boolean(config.remote); // which would have to be sent there
    $("edges").hidden = !config.finest;
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.#examples(config.examples, onExample);
    this.#promise(config);
    this.set(this.choice());
  }

  /** What the controls say, as the app takes it. */
  choice() {
    const values = new FormData(this.form);
    return {
      ...Object.fromEntries(SLIDERS.map((name) => [name, Number(values.get(name)) / 100])),
      background: values.get("background"),
      colour: values.get("colour"),
      picture: this.behind?.path ?? null,
      matting: values.get("matting"),
      framing: values.get("framing"),
      frame_size: Number(values.get("frame_size")) || "auto",
      straighten: values.get("straighten") !== null,
      blinking: values.get("blinking") !== null,
    };
  }

  /** Puts the controls where they were. */
  set(choice) {
    for (const [name, value] of Object.entries(choice)) {
      const field = this.form.elements[name];
      if (name === "picture") this.behind = this.behind?.path === value ? this.behind : value && { path: value };
      else if (SLIDERS.includes(name)) field.value = Math.round(value * 100);
      else if (name === "colour") field.value = value;
      else if (field instanceof RadioNodeList) field.value = String(value);
      else field.checked = value;
    }
    this.#repaint();
  }

  /** As when the page was opened. */
  reset() {
    this.form.reset();
    this.behind = null;
    this.#repaint();
    this.fault("");
  }

  /** Shows one part of the desk; frozen controls stay where they are, pale, and cannot be moved. `notes`: what was chosen or changed by itself. */
  show(part, { frozen = false, mine = false, current = "", notes = [] } = {}) {
    for (const section of document.querySelectorAll("[data-desk]")) section.hidden = section.dataset.desk !== part;
    if (part !== this.#part) $("desk").scrollTop = 0; // in a low window it is scrolled by itself
    this.#part = part;
    this.form.classList.toggle("still-off", frozen);
    this.form.inert = frozen;
    $("notes").hidden = !notes.length;
    $("notes").replaceChildren(...notes.map((note) => make("p", { className: "note" }, note)));
    $("mine").hidden = !mine || !$("mine-list").children.length;
    for (const thumb of $("mine-list").querySelectorAll(".thumb"))
      thumb.toggleAttribute("aria-current", thumb.dataset.session === current);
  }

  /** What is wrong with a choice, beneath the controls. */
  fault(text) {
    $("fault").hidden = !text;
    $("fault").lastElementChild.textContent = text;
    if (text) $("fault").scrollIntoView({ block: "nearest" });
  }

  /** The faces of a photo, as buttons with their pictures. */
  faces(faces, choose) {
    $("crops").replaceChildren(
      ...faces.map((face, at) =>
        make(
          "button",
          { type: "button", onclick: () => choose(face.number) },
          make("img", { src: face.picture, alt: "" }),
          `Face ${at + 1}`,
        ),
      ),
    );
  }

  /** The portraits of this browser. */
  mine(entries, root) {
    const thumbs = entries.map((entry) => {
      const when = entry.made ? `made ${madeAt(entry.made)}` : "made earlier";
      const picture = make("img", {
        src: new URL(`gradio_api/gaze/${entry.session}/poster.webp`, root).href,
        alt: "",
        width: 56,
        height: 56,
      });
      const thumb = make(
        "button",
        { type: "button", className: "thumb", title: `Portrait ${when}`, onclick: () => this.onOpen(entry) },
        picture,
      );
      thumb.setAttribute("aria-label", `Portrait ${when}`);
      thumb.dataset.session = entry.session;
      return thumb;
    });
    if (thumbs.length)
      thumbs.push(make("button", { type: "button", className: "quiet", onclick: this.onClear }, "Delete all"));
    $("mine-list").replaceChildren(...thumbs);
  }

  #picked(onMove) {
    const [file] = $("pick-behind").files;
    $("pick-behind").value = ""; // so that the same can be chosen again
    if (!file) return this.#unpicked();
    if (this.behind?.still) URL.revokeObjectURL(this.behind.still);
    this.behind = { file, path: null, still: URL.createObjectURL(file) };
    this.form.elements.background.value = "picture";
    this.#moved(onMove, true);
  }

  /** None was chosen: what was chosen before stays. */
  #unpicked() {
    if (!this.behind) this.form.elements.background.value = this.#before;
  }

  #moved(onMove, isStep) {
    this.#repaint();
    onMove(isStep);
  }

  /** What belongs to some choices alone is seen with them. */
  #repaint() {
    for (const name of SLIDERS) this.#paint(this.form.elements[name]);
    const { background, colour, matting } = this.form.elements;
    this.#before = background.value;
    $("tint").hidden = background.value !== "colour";
    $("tint-name").textContent = colour.value;
    $("another-behind").hidden = background.value !== "picture";
    $("edges-note").hidden = $("edges").hidden || matting.value !== "finest";
  }

  #paint(field) {
    if (field.type === "range")
      field.style.setProperty("--v", ((field.value - field.min) / (field.max - field.min)) * 100);
  }

  #examples(examples, choose) {
    const thumbs = examples.map(({ name, picture }, at) => {
      const thumb = make(
        "button",
        { type: "button", className: "thumb", title: `Example: ${name}`, onclick: () => choose(at) },
        make("img", { src: picture, alt: "", width: 56, height: 56 }),
      );
      thumb.setAttribute("aria-label", `Example: ${name}`);
      return thumb;
    });
    const words = examples.length > 1 ? "No photo? Try one of these." : "No photo? Try this one.";
    $("examples").replaceChildren(...thumbs, make("p", {}, words));
  }

  #promise({ days, remote }) {
    const place = remote
      ? `To make the portrait, your photo is sent to ${remote}.`
      : "No other visitor can see your photo.";
    $("fine-print").textContent =
      `${place} Your portrait is kept for ${kept(days)}, and you can delete it at any time.`;
  }
}
