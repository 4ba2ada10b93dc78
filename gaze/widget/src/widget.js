/** One element's portrait: it loads, follows and draws. The element itself (element.js) is only what pages see. */

import { Follower } from "./follower.js";
import { readAttributes, readManifest } from "./manifest.js";
import { clamp } from "./numbers.js";
import { page } from "./page.js";
import { Portrait } from "./portrait.js";
import { second } from "./second.js";
import { smoothingMilliseconds, stiffness } from "./spring.js";
import { flush } from "./stage.js";
import { View } from "./view.js";

const KEY_STEP = 0.2; // of the range from -1 to 1, for one press of an arrow key
const LABEL = "Portrait that looks at the pointer";
const NUMBERS = ["grid", "width", "height"];

export class Widget {
  texture = null;
  manifest = null;
  follower;
  #view;
  #isSeen = false;
  #isNear = false;
  /** @type {Portrait | null} the one on the canvas */
  #portrait = null;
  /** @type {Portrait | null} the one that will replace it as soon as it has something to show */
  #next = null;
  #mustLoad = true;
  #isRestarting = false;
  /** src/more/tilt.js, once it was asked for. */
  #tilt = null;
  #lastStep = 0;
  #mustDraw = false;
  /** Whether the canvas holds nothing of the portrait, and whether what it shows was drawn with the better filter. */
  #isEmpty = true;
  #isSharp = false;
  #context = null;
  /** To be called when what the buttons show has changed. */
  #controls = null;
  /** Settles when the texture is there, if there is to be one. */
  #pixi;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    this.#view = new View(host, {
      key: (event) => this.#key(event),
      fail: (message, url) => this.fail(message, url),
      posterSize: (size) => !this.#hasShape && this.#reshape(size),
    });
    this.follower = new Follower(() => this.#facePlace());
    this.described();
    for (const type of ["pointerenter", "focus"])
      host.addEventListener(type, () => this.#addControls(), { once: true });
  }

  // -- What the element calls.

  connected() {
    page.add(this);
    this.#shapeFromAttributes();
    if (page.pointer) this.pointed(page.pointer);
    if (this.#mustLoad) this.restart();
    if (page.isCoarse) this.#addControls();
    this.#enliven();
    this.offerTexture();
  }

  disconnected() {
    page.remove(this);
    this.#isSeen = this.#isNear = false;
    this.#tilt?.stopTilt(this);
    this.#controls?.();
    queueMicrotask(() => {
      if (this.host.isConnected) return; // it only moved to another place of the page
      this.#release();
      this.#mustLoad = true;
    });
  }

  /** An attribute has another value. */
  changed(name) {
    if (["src", "mode", ...NUMBERS].includes(name)) {
      this.#shapeFromAttributes();
      if (!this.manifest) this.restart();
    }
    if (name === "poster" || name === "renderer") this.restart();
    if (name === "loading" && this.#mustLoad) this.restart();
    if (name === "renderer" || name === "pixi-src") this.offerTexture();
    if (name === "alt") this.described();
    if (name === "hide-controls" && page.isCoarse) this.#addControls();
    if (name === "fit") this.resized();
    if (name === "follow") this.#followAnew();
    if (name === "motion") this.calm();
    if (name === "idle") this.#enliven();
    this.#redraw();
  }

  described() {
    this.#view.describe(this.#get("alt"), LABEL);
  }

  #enliven() {
    if (this.host.hasAttribute("idle")) page.enliven().catch((error) => this.fail(error.message, ""));
    else page.stir();
  }

  get size() {
    return this.#portrait?.player?.size ?? NaN;
  }

  get place() {
    return this.follower.place(this.size);
  }

  get loaded() {
    return !this.#next && (this.#portrait?.player?.loaded ?? false);
  }

  look(aim) {
    this.follower.aim = aim;
    this.wake();
    if (this.#isSeen) this.#want(); // now: decoding takes half a frame
  }

  async followTilt(isWanted) {
    this.#tilt = (await second()).tilt;
    const follows = await this.#tilt.followTilt(this, isWanted);
    this.#controls?.();
    return follows;
  }

  async blink() {
    (await second()).blink(this, this.#portrait?.player);
  }

  // -- What the page object calls.

  pointed(pointer) {
    if ((this.#get("follow") ?? "pointer") === "pointer" && !this.#isStill) this.look(pointer);
  }

  scrolled() {
    if (this.#get("follow") === "scroll" && !this.#isStill) this.look({ x: innerWidth / 2, y: innerHeight / 2 });
    else this.wake(); // the face moves under a pointer that rests
  }

  /** Looks a little beside the aim. */
  glance(x, y) {
    const { follower } = this;
    if (this.#isStill) x = y = 0;
    if (x === follower.glance[0] && y === follower.glance[1]) return;
    follower.glance = [x, y];
    this.wake();
  }

  /** The visitor's wish for stillness changed. */
  calm() {
    this.follower.glance = [0, 0];
    this.look(this.#isStill ? null : this.follower.aim);
  }

  seen(isSeen) {
    this.#isSeen = isSeen;
    if (isSeen) this.wake();
    else page.awake.delete(this);
  }

  near(isNear) {
    this.#isNear = isNear;
    if (isNear && this.#mustLoad) this.restart();
  }

  resized() {
    if (!this.host.isConnected) return;
    this.#layOut();
    if (this.#mustDraw) {
      this.#draw(); // at once: a canvas that changed its size is empty
      flush();
    }
    this.wake(); // the face may now lie elsewhere
    page.refit();
  }

  fit() {
    this.#portrait?.player?.fit();
  }

  wake() {
    if (this.#isSeen) page.wake(this);
  }

  waking(now) {
    this.#lastStep = now;
  }

  /** One tick of the clock. @returns {boolean} whether the face still moves */
  step(now) {
    const seconds = Math.max(0, now - this.#lastStep) / 1000;
    this.#lastStep = now;
    const { follower, size } = this;
    const omega = stiffness(this.#isStill ? 0 : smoothingMilliseconds(this.#get("smoothing")));
    const isWhole = this.#get("blend") === "motion" && !this.#portrait?.player?.isMorph;
    const { moved, settled, goesOn } = follower.step(seconds, omega, size, isWhole);
    const plays = this.#portrait?.player?.over?.step(now);
    if (moved || plays || this.#mustDraw || (settled && !this.#isSharp)) this.#draw(settled);
    if (moved && size) {
      const [row, col] = this.place;
      this.#fire("gazechange", { row, col, x: follower.x.at, y: follower.y.at });
    }
    return goesOn || plays;
  }

  // -- Loading.

  /** Loads anew once all changes of this turn are made: `src`, `mode` and `grid` often change together. */
  restart() {
    this.#mustLoad = true;
    if (this.#isRestarting) return;
    this.#isRestarting = true;
    queueMicrotask(() => {
      this.#isRestarting = false;
      this.#start();
    });
  }

  #start() {
    this.#next?.release();
    this.#next = null;
    const { manifest } = this;
    const src = this.#get("src")?.trim();
    if (!manifest && !src) return this.#release();
    if (!this.host.isConnected || !(this.#isNear || this.#get("loading") === "eager")) return;
    this.#mustLoad = false;
    const attributes = { src, mode: this.#get("mode") || undefined };
    for (const name of NUMBERS) attributes[name] = Number(this.#get(name)) || undefined;
    const poster = this.#get("poster");
    if (poster) this.#view.poster(new URL(poster, document.baseURI).href);
    this.#next = new Portrait({
      pixels: () => this.#view.pixels,
      isForWebGL: this.#get("renderer") === "pixi",
      follower: this.follower,
      onshape: (portrait) => (portrait === this.#portrait || !this.#portrait) && this.#reshape(portrait),
      onpicture: (portrait) => this.#show(portrait),
      ondrop: (portrait) => portrait === this.#portrait && this.#blank(),
      onposter: (url) => !poster && !this.#portrait && this.#view.poster(url),
      onprogress: (loaded, total) => this.#progress(loaded, total),
      onerror: (message, url) => this.fail(message, url),
    });
    this.#next.load(async (signal) => {
      await this.#pixi;
      return manifest ? readManifest(manifest) : readAttributes(attributes, signal);
    });
  }

  #release() {
    this.#next?.release();
    this.#portrait?.release();
    this.#next = this.#portrait = null;
    this.#blank();
  }

  /** Takes the face off the canvas; the poster is seen again. */
  #blank() {
    this.#context?.clearRect(0, 0, this.#view.canvas.width, this.#view.canvas.height);
    this.#isEmpty = true;
    this.#view.isPlaying = false;
  }

  #show(portrait) {
    if (portrait === this.#next) {
      // A poster is no match for a face that follows, nor is a face that looks elsewhere for a moment.
      if (this.#portrait && !portrait.player.isMatch(...this.#cell(portrait.player))) return;
      this.#portrait?.release();
      this.#portrait = portrait;
      this.#next = null;
      this.#isEmpty = true;
      this.#reshape(portrait);
      page.refit();
    }
    this.#layOut();
    this.#redraw();
  }

  #progress(loaded, total) {
    this.#view.status.textContent = loaded < total ? "Loading the portrait" : "";
    this.#fire("progress", { loaded, total });
    if (loaded === total) this.#fire("load");
  }

  fail(message, url) {
    this.#view.status.textContent = url ? "The portrait could not be loaded completely" : message;
    this.#fire("error", { message: `gaze-tracker: ${message}`, url });
  }

  #fire(type, detail) {
    this.host.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #get(name) {
    return this.host.getAttribute(name);
  }

  // -- Layout.

  #hasShape = false;

  #shapeFromAttributes() {
    const given = this.#view.given;
    const [width, height] = ["width", "height"].map((name) => Number(this.#get(name) ?? given?.getAttribute(name)));
    if (!this.#portrait && height > 0) this.#reshape({ width, height });
  }

  #reshape(shape) {
    if (!(shape.width > 0)) return;
    this.#hasShape = true;
    this.#view.reshape(shape);
    this.#layOut();
  }

  #layOut() {
    this.#controls?.();
    if (!this.#view.layOut(this.#portrait?.player?.resolution || 1)) return;
    this.#isEmpty = true;
    this.texture?.source?.resize(this.#view.canvas.width, this.#view.canvas.height);
    this.#mustDraw = true;
  }

  /** Buttons, once somebody is there who might press them. */
  async #addControls() {
    if (this.host.hasAttribute("hide-controls") || this.#controls) return;
    this.#controls = () => {};
    const { addControls } = await second().catch(() => ({}));
    const isTilting = () => this.#tilt?.isTilting(this) ?? false;
    if (addControls) this.#controls = addControls(this.host, isTilting, (message) => this.fail(message, ""));
  }

  // -- Looking.

  get #isStill() {
    return page.stillness?.matches && this.#get("motion") !== "always";
  }

  #followAnew() {
    if (this.#get("follow") === "scroll") this.scrolled();
    else if (page.pointer) this.pointed(page.pointer);
  }

  /** Where the face is in the viewport. */
  #facePlace() {
    const box = this.#view.canvas.getBoundingClientRect();
    const { x, y } = this.#portrait?.face ?? { x: 0.5, y: 0.5 };
    return { x: box.left + box.width * x, y: box.top + box.height * y };
  }

  #key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (step) {
      const look = this.follower.aimed().map((value, axis) => clamp(value + step[axis] * KEY_STEP, -1, 1));
      this.look({ look });
    } else if (event.key === "Home" || event.key === "Escape") {
      this.look(null);
    } else {
      return;
    }
    event.preventDefault();
  }

  // -- Drawing.

  #redraw() {
    this.#mustDraw = true;
    this.wake();
  }

  #draw(rests = this.follower.rests) {
    const player = this.#portrait?.player;
    this.#want();
    if (!player?.isReady) return;
    this.#mustDraw = false;
    this.#isSharp = rests;
    // Half floats, where the browser has them: sums of 8-bit shares would be up to 3 levels off, a visible shimmer.
    this.#context ??= this.#view.canvas.getContext("2d", player.isMorph ? {} : { colorType: "float16" });
    player.draw(this.#context, ...this.#cell(player), this.#isEmpty, rests, () => {
      this.#view.isPlaying = true;
      this.texture?.source?.update();
    });
    this.#isEmpty = false;
  }

  /** Asks for frames of the portrait on the canvas and, so that it can take over at any look, of the next one. */
  #want() {
    for (const portrait of [this.#portrait, this.#next]) portrait?.player?.want(this.#get("blend") === "none");
  }

  /** Row and column that are to be drawn now. */
  #cell(player) {
    const place = this.follower.place(player.size);
    return this.#get("blend") === "none" ? place.map(Math.round) : place;
  }

  /** The canvas as a texture of a PixiJS scene, where the element asks for it. */
  offerTexture() {
    if (this.#get("renderer") !== "pixi" || this.texture || this.#pixi) return;
    this.#pixi = second()
      .then(({ textureOf }) => textureOf(this.#view.canvas, this.#get("pixi-src")))
      .then((texture) => (this.texture ??= texture))
      .catch((error) => {
        this.#pixi = null; // another pixi-src may be right
        this.fail(error.message, error.url ?? "");
      });
  }
}
