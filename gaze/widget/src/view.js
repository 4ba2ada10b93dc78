/** What is inside the element: the poster, the canvas, and where they lie. */

import STYLE from "./style.css";

const LABEL = "Portrait that looks at the pointer";
const CALM = 150; // ms without a new picture, after which a face is worth a sharp one that may cost much
const MOST_DENSE = 2; // device pixels in a CSS pixel that a canvas follows

const make = (tag, name) => {
  const element = document.createElement(tag);
  if (name) element.className = element.part = name;
  return element;
};

export class View {
  canvas = make("canvas", "canvas");
  stage = make("div", "stage");
  status = make("div", "status");
  /** Size of a frame. */
  shape = { width: 4, height: 5 };
  /** Width of the picture on the screen, in device pixels as far as a canvas follows them. */
  pixels = 0;
  /** Whether what is shown was drawn with the better filter. */
  isSharp = false;
  /** What the canvas holds of the whole portrait: 0 nothing, 1 some picture, 2 one that was drawn with the better filter. */
  #holds = 0;
  #context = null;
  #poster = make("img");
  #slot = make("slot");
  #hostStyle;
  #host;
  #reshaped;
  /** When a sharp picture is worth it; 0: not told yet. */
  #calmAt = 0;
  /** Whether the size of a frame is told, and not only the poster's. */
  #hasShape = false;

  /**
   * @param {HTMLElement} host
   * @param {object} acts
   * @param {(event: KeyboardEvent) => void} acts.key
   * @param {(message: string, url: string) => void} acts.fail
   * @param {() => void} acts.reshaped the portrait has another shape
   */
  constructor(host, acts) {
    this.#host = host;
    this.#reshaped = acts.reshaped;
    const root = host.attachShadow({ mode: "open", delegatesFocus: true });
    const sheet = new CSSStyleSheet(); // unlike a style element, allowed by a strict Content-Security-Policy
    sheet.replaceSync(STYLE);
    this.#hostStyle = sheet.cssRules[0].style;
    root.adoptedStyleSheets = [sheet];
    this.status.setAttribute("role", "status");
    this.#poster.part = "poster";
    this.#poster.alt = "";
    this.#poster.onload = () =>
      this.#hasShape || this.reshape({ width: this.#poster.naturalWidth, height: this.#poster.naturalHeight });
    this.#poster.onerror = () => {
      const { src } = this.#poster;
      this.#poster.removeAttribute("src");
      acts.fail(`The poster ${src} could not be loaded. Check its name.`, src);
    };
    this.#slot.name = "poster";
    this.#slot.append(this.#poster);
    this.stage.append(this.#slot, this.canvas);
    root.append(this.stage, this.status);
    this.stage.addEventListener("keydown", acts.key);
  }

  /** Shows a poster, unless the page has put one into the element. */
  poster(url) {
    if (!this.given && this.#poster.getAttribute("src") !== url) this.#poster.src = url;
  }

  /** The poster that the page has put into the element. */
  get given() {
    return this.#slot.assignedElements()[0];
  }

  /** Says what the portrait shows to those who do not see it. */
  describe() {
    const alt = this.#host.getAttribute("alt");
    const told = { role: "img", "aria-label": alt ?? LABEL, tabindex: 0, "aria-hidden": true };
    for (const name in told) {
      if ((name === "aria-hidden") === (alt === "")) this.stage.setAttribute(name, told[name]);
      else this.stage.removeAttribute(name);
    }
  }

  /** Takes the shape that the attributes tell, or the poster of the page. */
  shapeFromAttributes() {
    const [width, height] = ["width", "height"].map((name) =>
      Number(this.#host.getAttribute(name) ?? this.given?.getAttribute(name)),
    );
    if (height > 0) this.reshape({ width, height });
  }

  reshape({ width, height }) {
    if (!(width > 0)) return;
    this.#hasShape = true;
    this.shape = { width, height };
    this.#hostStyle.aspectRatio = `${width} / ${height}`;
    this.#reshaped();
  }

  /** Where a point of the picture is in the viewport; given in shares of it, the middle by default. */
  pointAt({ x = 0.5, y = 0.5 } = {}) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return { x: left + width * x, y: top + height * y };
  }

  /**
   * Places the canvas where the frame lies in the box, on whole device pixels.
   *
   * @param {number} resolution most pixels of the canvas, as a share of the frame's
   * @returns {boolean} whether its size changed, which empties it
   */
  layOut(resolution) {
    const { width, height } = this.shape;
    const { canvas, stage } = this;
    const box = [stage.clientWidth, stage.clientHeight];
    const contain = this.#host.getAttribute("fit") === "contain" || this.#host.matches(":fullscreen");
    const zoom = (contain ? Math.min : Math.max)(box[0] / width, box[1] / height);
    const density = window.devicePixelRatio || 1;
    const drawn = [width, height].map((side) => Math.round(side * zoom * density));
    if (!Math.min(...drawn)) return false; // hidden: it will come back as it was
    drawn.forEach((pixels, i) => {
      canvas.style[i ? "height" : "width"] = `${pixels / density}px`;
      canvas.style[i ? "top" : "left"] = `${Math.round((box[i] * density - pixels) / 2) / density}px`;
    });
    const share = Math.min(1, MOST_DENSE / density);
    this.pixels = drawn[0] * share;
    // No more pixels than there are in the frames: the browser enlarges a canvas for free.
    const scale = Math.min(this.pixels / width, resolution) || 1;
    const isWhole = share === 1 && scale < resolution; // then a pixel is one of the screen
    const pixels = isWhole ? drawn : [width, height].map((side) => Math.max(1, Math.round(side * scale)));
    if (canvas.width === pixels[0] && canvas.height === pixels[1]) return false;
    [canvas.width, canvas.height] = pixels;
    this.forget();
    return true;
  }

  /** What the canvas holds is of no use any more. */
  forget() {
    this.#holds = 0;
  }

  /** Takes the face off the canvas; the poster is seen again. */
  blank() {
    this.#context?.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.forget();
    this.stage.classList.remove("playing");
  }

  /** Whether nothing new was shown for a while, at a time of the page's clock. */
  isCalm(now) {
    return now > (this.#calmAt ||= now + CALM);
  }

  /**
   * Shows a look.
   *
   * @param {object} player whose frames are there
   * @param {number[]} place row and column
   * @param {boolean} rests whether the face is at rest
   * @param {boolean} isSharp whether to take time for the better filter
   * @param {() => void} done when it is drawn
   */
  draw(player, place, rests, isSharp, done) {
    this.isSharp = isSharp;
    this.#calmAt = 0;
    // Half floats, where the browser has them: sums of 8-bit shares would be up to 3 levels off, a visible shimmer.
    this.#context ??= this.canvas.getContext("2d", player.isMorph ? {} : { colorType: "float16" });
    const [row, col] = place;
    const picture = { target: this.#context, row, col, isEmpty: this.#holds < 1 + isSharp, rests, isSharp };
    player.draw(picture, () => {
      this.stage.classList.add("playing");
      done();
    });
    if (picture.isEmpty) this.#holds = 1 + isSharp;
  }
}
