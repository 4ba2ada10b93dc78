/** One element's portrait: it loads, follows and draws. The element itself (element.js) is only what pages see. */

import { Follower } from "./follower.js";
import { Loader, NUMBERS } from "./loader.js";
import { page } from "./page.js";
import { second } from "./second.js";
import { smoothingMilliseconds, stiffness } from "./spring.js";
import { made } from "./stage.js";
import { View } from "./view.js";

export class Widget {
  manifest = null;
  follower;
  /** Rows of the grid by which the head is lower than its look asks for. */
  breath = 0;
  view;
  /** Whether it is in the viewport, or near it. */
  isNear = false;
  #isSeen = false;
  #lastStep = 0;
  #mustDraw = false;
  /** To be called when what the buttons show has changed. */
  controls = null;
  /** To be called when the canvas holds another picture. */
  drawn = null;
  loader = new Loader(this);

  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    this.view = new View(host, {
      key: (event) => this.#key(event),
      fail: (message, url) => this.fail(message, url),
      reshaped: () => this.#layOut(),
    });
    this.follower = new Follower(() => this.view.pointAt(this.loader.portrait?.face));
    this.view.describe();
    for (const type of ["pointerenter", "focus"])
      host.addEventListener(type, () => this.#addControls(), { once: true });
  }

  // -- What the element calls.

  connected() {
    page.add(this);
    if (!this.loader.portrait) this.view.shapeFromAttributes();
    if (page.pointer) this.pointed(page.pointer);
    if (this.loader.isDue) this.loader.restart();
    if (page.isCoarse) this.#addControls();
    this.#enliven();
    this.loader.offerTexture();
  }

  disconnected() {
    page.remove(this);
    this.#isSeen = this.isNear = false;
    this.controls?.();
    queueMicrotask(() => {
      if (this.host.isConnected) return; // it only moved to another place of the page
      this.loader.release();
      this.loader.isDue = true;
    });
  }

  /** An attribute has another value. */
  changed(name) {
    if (["src", "mode", ...NUMBERS].includes(name)) {
      if (!this.loader.portrait) this.view.shapeFromAttributes();
      if (!this.manifest) this.loader.restart();
    }
    if (name === "poster" || name === "renderer") this.loader.restart();
    if (name === "loading" && this.loader.isDue) this.loader.restart();
    if (name === "renderer" || name === "pixi-src") this.loader.offerTexture();
    if (name === "alt") this.view.describe();
    if (name === "hide-controls") this.#addControls();
    if (name === "fit") this.resized();
    if (name === "follow") this.#followAnew();
    if (name === "motion") this.calm();
    if (name === "idle") this.#enliven();
    if (name === "mood") this.#feel();
    this.redraw();
  }

  #enliven() {
    if (this.host.hasAttribute("idle")) this.more(() => page.enliven());
    else page.stir();
  }

  /** Does what the second file is needed for. */
  more(act) {
    return second()
      .then(act)
      .catch((error) => this.fail(error.message, ""));
  }

  get size() {
    return this.loader.player?.size ?? NaN;
  }

  get place() {
    return this.follower.place(this.size);
  }

  look(aim) {
    this.follower.aim = aim;
    this.wake();
    if (this.#isSeen) this.#want(); // now: decoding takes half a frame
  }

  async followTilt(isWanted) {
    return (await second()).followTilt(this, isWanted);
  }

  async blink(eye) {
    (await second()).blink(this, this.loader.player, eye);
  }

  #feel() {
    this.more(({ feel }) => feel(this, this.loader.player));
  }

  // -- What the page object calls.

  pointed(pointer) {
    if ((this.get("follow") ?? "pointer") === "pointer" && !this.isStill) this.look(pointer);
  }

  scrolled() {
    if (this.get("follow") === "scroll" && !this.isStill) this.look({ x: innerWidth / 2, y: innerHeight / 2 });
    else this.wake(); // the face moves under a pointer that rests
  }

  /** Looks a little beside the aim. */
  glance(x, y) {
    const { follower } = this;
    if (this.isStill) x = y = 0;
    if (x === follower.glance[0] && y === follower.glance[1]) return;
    follower.glance = [x, y];
    this.wake();
  }

  /** The visitor's wish for stillness changed. */
  calm() {
    this.follower.glance = [0, 0];
    this.look(this.isStill ? null : this.follower.aim);
  }

  seen(isSeen) {
    this.#isSeen = isSeen;
    if (isSeen) this.wake();
    else page.awake.delete(this);
  }

  near(isNear) {
    this.isNear = isNear;
    if (isNear && this.loader.isDue) this.loader.restart();
  }

  resized() {
    if (!this.host.isConnected) return;
    this.#layOut();
    if (this.#mustDraw) {
      this.#draw(); // at once: a canvas that changed its size is empty
      made?.drawAll();
    }
    this.wake(); // the face may now lie elsewhere
    page.refit();
  }

  fit() {
    this.loader.player?.fit();
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
    const omega = stiffness(this.isStill ? 0 : smoothingMilliseconds(this.get("smoothing")));
    const snap = this.get("blend") === "motion" && this.loader.player?.snap;
    const { moved, settled, goesOn } = follower.step(seconds, omega, size, snap);
    const plays = this.loader.player?.over?.step(now);
    if (moved || plays || this.#mustDraw) this.#draw(settled);
    const isBlurred = settled && !this.view.isSharp;
    const isCalm = this.view.isCalm(now);
    if (isBlurred && isCalm) this.#draw(true, true);
    if (moved && size) {
      const [row, col] = this.place;
      this.#fire("gazechange", { row, col, x: follower.x.at, y: follower.y.at });
    }
    return goesOn || plays || (isBlurred && !isCalm);
  }

  // -- What the loader calls.

  /** There is something new to draw of a portrait, which may be another than before. */
  show(portrait, isNew) {
    if (isNew) {
      this.view.forget();
      this.view.reshape(portrait);
      page.refit();
      if (this.get("mood")) this.#feel();
    }
    this.#layOut();
    this.redraw();
  }

  progress(loaded, total) {
    this.view.status.textContent = loaded < total ? "Loading the portrait" : "";
    this.#fire("progress", { loaded, total });
    if (loaded === total) this.#fire("load");
  }

  fail(message, url) {
    this.view.status.textContent = url ? "The portrait could not be loaded completely" : message;
    this.#fire("error", { message: `gaze-tracker: ${message}`, url });
  }

  #fire(type, detail) {
    this.host.dispatchEvent(new CustomEvent(type, { detail }));
  }

  get(name) {
    return this.host.getAttribute(name);
  }

  // -- Layout.

  #layOut() {
    this.controls?.();
    if (this.view.layOut(this.loader.player?.resolution || 1)) this.#mustDraw = true;
  }

  /** Buttons, once somebody is there who might press them. */
  async #addControls() {
    if (this.host.hasAttribute("hide-controls") || this.controls) return;
    this.controls = () => {};
    const { addControls } = await second().catch(() => ({}));
    if (addControls) this.controls = addControls(this);
  }

  // -- Looking.

  /** Whether the visitor wants less motion. */
  get isStill() {
    return page.stillness?.matches && this.get("motion") !== "always";
  }

  #followAnew() {
    if (this.get("follow") === "scroll") this.scrolled();
    else if (page.pointer) this.pointed(page.pointer);
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || !/^(Arrow|Home$|Escape$)/.test(event.key)) return;
    event.preventDefault();
    this.more(({ press }) => press(this, event.key));
  }

  // -- Drawing.

  redraw() {
    this.#mustDraw = true;
    this.wake();
  }

  #draw(rests = this.follower.rests, isCalm) {
    const { player } = this.loader;
    this.#want();
    if (!player?.isReady) return;
    this.#mustDraw = false;
    const isSharp = rests && (isCalm || !player.spares);
    this.view.draw(player, this.cell(player), rests, isSharp, () => this.drawn?.());
  }

  /** Asks for the frames that it takes. */
  #want() {
    this.loader.want(this.get("blend") === "none");
  }

  /** Row and column that are to be drawn now. */
  cell(player) {
    const place = this.follower.place(player.size);
    if (this.get("blend") === "none") return place.map(Math.round);
    if (player.isMorph) place[0] += this.breath; // cells of sheets would be blended, which is not as sharp
    return place;
  }
}
