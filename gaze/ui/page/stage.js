// The stage: the face, or the photo while the face is searched.

import { $, columnsFor, make } from "./dom.js";

const LOOKS = [
  [0.86, 0.62, 1500],
  [0.86, 0.3, 1300],
  [0.5, 0.4, 1700],
  [0.06, 0.7, 1500],
  [0.3, 0.2, 1300],
  [0.5, 0.45, 2400],
];
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Stage {
  #root;
  #shown = "";
  #seen = false;
  #glancing = false;
  #timer = 0;
  #behind = [];
  /** Whether the photo is to leave as soon as there is something else to be seen. */
  #leaves = false;

  /** @param {string} root the app's address, which the folders of portraits are relative to. */
  constructor(root) {
    this.#root = root;
    addEventListener(
      "pointermove",
      () => {
        this.#seen = true;
      },
      { once: true },
    );
    const arrived = ({ target, type }) => {
      if (target.localName !== "gaze-tracker" || !this.#leaves) return;
      if (type === "error" || this.trackers.every((it) => it.loaded)) this.#cover("");
    };
    for (const type of ["load", "error"]) $("stage").addEventListener(type, arrived, true);
  }

  /** Shows what can be played: a manifest whose `base` is relative to the app. */
  play(manifest) {
    const key = JSON.stringify(manifest);
    if (key === this.#shown) return;
    this.#shown = key;
    const { faces = [], ...one } = { ...manifest, base: new URL(manifest.base, this.#root).href };
    $("all").hidden = !faces.length;
    $("stage").classList.toggle("many", faces.length > 0);
    $("face").manifest = faces.length ? null : one;
    this.#placeAll(faces.map((face) => ({ ...one, ...face })));
  }

  /** Plays the example. Until it is there its picture is seen, and nothing of what was there before. */
  playExample(manifest) {
    if (JSON.stringify(manifest) === this.#shown) return;
    const isFirst = !this.#shown && !this.#isCovered;
    if (!isFirst) this.arrange({ still: new URL(manifest.base + manifest.poster, this.#root).href });
    this.play(manifest);
    this.#leaves = !isFirst;
  }

  /** The players that are seen. */
  get trackers() {
    return $("all").hidden ? [$("face")] : [...$("all").querySelectorAll("gaze-tracker")];
  }

  /** Resolves when every face on the stage is there. */
  async whole() {
    while (!this.trackers.every((it) => it.loaded))
      await new Promise((done) => $("stage").addEventListener("load", done, { capture: true, once: true }));
  }

  /** What is behind what is transparent, as CSS writes it: one for all faces, one for each, or none, which is the page's own. */
  behind(backgrounds = []) {
    this.#behind = backgrounds;
    $("stage").style.setProperty("--behind", backgrounds[0] ?? "");
    this.#backAll();
  }

  #backAll() {
    const [, ...others] = this.#behind;
    const players = $("all").querySelectorAll("gaze-tracker");
    for (const [at, player] of players.entries())
      player.style.setProperty("--behind", others.length ? this.#behind[at] : "");
  }

  /**
   * @param {object} what
   *   still: address of a picture in place of the face; scan: whether a face is searched; chip: words in the corner;
   *   glance: whether the face looks about by itself; faces: whether there are buttons over the photo; where: a place in
   *   the photo, and its `width` and `height`, as the app tells them; instead: what to play where no browser can show
   *   the picture.
   */
  arrange({ still = "", scan = false, chip = "", glance = false, faces = null, where = null, instead = null } = {}) {
    if (still || scan) this.#rest();
    const isComing = this.#shown && !this.trackers.every((it) => it.loaded);
    this.#leaves = Boolean(!still && !scan && this.#isCovered && (this.#leaves || isComing));
    if (!this.#leaves) this.#cover(still, { isSearched: scan, instead });
    $("scan").hidden = !scan;
    $("chip").hidden = !chip;
    $("chip").textContent = chip;
    $("faces").hidden = !faces;
    $("where").hidden = !where;
    if (where)
      for (const [name, value] of Object.entries(inStage(where))) $("where").style.setProperty(`--${name}`, value);
    this.#glancing = glance && !calm.matches;
    clearTimeout(this.#timer);
    if (this.#glancing) this.#timer = setTimeout(() => this.#glance(0), 700);
  }

  /** Buttons over the faces of a photo. */
  offer({ faces, width, height }, choose) {
    const box = $("faces");
    box.replaceChildren(
      ...faces.map((face, at) => {
        const button = make(
          "button",
          { type: "button", onclick: () => choose(face.number) },
          make("span", {}, String(at + 1)),
        );
        button.setAttribute("aria-label", `Face ${at + 1} of ${faces.length}`);
        for (const name of ["x", "y", "w"]) button.style.setProperty(`--${name}`, face[name]);
        return button;
      }),
    );
    box.style.setProperty("--aspect", `${width} / ${height}`);
    box.style.setProperty("--ratio", width / height);
  }

  /** All faces of a photo, each in a square of its own, in which it follows the same pointer as the others. */
  #placeAll(manifests) {
    const box = $("all");
    const players = [...box.children];
    box.className = `all columns-${columnsFor(manifests.length)}`;
    if (players.length !== manifests.length)
      box.replaceChildren(
        ...manifests.map((manifest, at) => {
          const alt = `Portrait ${at + 1} of ${manifests.length}`;
          return make("gaze-tracker", { manifest, alt, fit: "contain", blend: "motion", hideControls: true });
        }),
      );
    // A player shows what it has until the next portrait is there; a new one shows nothing.
    else for (const [at, player] of players.entries()) player.manifest = manifests[at];
    this.#backAll();
  }

  /** What is hidden neither moves nor takes memory: the processor and the graphics have the new photo to do. */
  #rest() {
    this.#shown = "";
    $("face").manifest = null;
    $("all").hidden = true;
    $("all").replaceChildren();
  }

  get #isCovered() {
    return $("face").style.visibility === "hidden";
  }

  /** Puts a photo in place of the face; "" takes it away, but where a face is searched nothing else is seen yet. */
  #cover(still, { isSearched = false, instead = null } = {}) {
    const picture = $("still");
    const hide = (isHidden) => {
      for (const shown of [$("face"), $("all")]) shown.style.visibility = isHidden ? "hidden" : "";
    };
    this.#leaves = false;
    picture.hidden = !still;
    if (still && picture.getAttribute("src") !== still) picture.src = still;
    if (!still) picture.removeAttribute("src");
    hide(still || isSearched);
    picture.onerror = () => {
      picture.hidden = true;
      if (!instead) return; // such as HEIC, which many browsers cannot show, but the app can read
      this.play(instead);
      hide(false);
    };
    if (still && picture.complete && !picture.naturalWidth) picture.onerror(); // it was tried before
  }

  /** The hero looks about by itself until there is a pointer. */
  #glance(at) {
    if (this.#seen || !this.#glancing) return;
    const [x, y, pause] = LOOKS[at % LOOKS.length];
    $("face").lookAt(x * innerWidth, y * innerHeight);
    this.#timer = setTimeout(() => this.#glance(at + 1), pause);
  }
}

/** The mark in the head looks at the pointer. */
export function openEye(mark) {
  addEventListener("pointermove", ({ clientX, clientY }) => {
    if (calm.matches) return;
    const box = mark.getBoundingClientRect(),
      x = clientX - box.x - 13,
      y = clientY - box.y - 13;
    const far = Math.hypot(x, y) || 1,
      much = Math.min(1, far / 60);
    mark.style.setProperty("--look-x", (x / far) * much);
    mark.style.setProperty("--look-y", (y / far) * much);
  });
}

/** A place in a photo, in percent of it, as percent of the square in whose middle the photo lies. */
function inStage({ where, width, height }) {
  const [across, down] = [Math.min(1, width / height), Math.min(1, height / width)];
  return { x: 50 + (where.x - 50) * across, y: 50 + (where.y - 50) * down, w: where.w * across };
}
