/** The portraits of one element: the one on its canvas, and the one that will replace it. */

import { readAttributes, readManifest } from "./manifest.js";
import { Portrait } from "./portrait.js";

/** Attributes of numbers that say what the source is. */
export const NUMBERS = ["grid", "width", "height"];

export class Loader {
  /** @type {Portrait | null} the one on the canvas */
  portrait = null;
  /** Whether what the element asks for is not being loaded yet. */
  isDue = true;
  /** The canvas as a texture of a PixiJS scene, where the element asks for it. */
  texture = null;
  /** @type {Portrait | null} the one that will replace it as soon as it has something to show */
  #next = null;
  #isRestarting = false;
  /** Settles when the texture is there, if there is to be one. */
  #pixi;
  #widget;

  /** @param {import("./widget.js").Widget} widget whose portraits they are */
  constructor(widget) {
    this.#widget = widget;
  }

  get player() {
    return this.portrait?.player;
  }

  get loaded() {
    return !this.#next && (this.player?.loaded ?? false);
  }

  /** Loads anew once all changes of this turn are made: `src`, `mode` and `grid` often change together. */
  restart() {
    this.isDue = true;
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
    const widget = this.#widget;
    const { manifest, view } = widget;
    const src = widget.get("src")?.trim();
    if (!manifest && !src) return this.release();
    if (!widget.host.isConnected || !(widget.isNear || widget.get("loading") === "eager")) return;
    this.isDue = false;
    const [grid, width, height] = NUMBERS.map((name) => Number(widget.get(name)) || undefined);
    const attributes = { src, mode: widget.get("mode") || undefined, grid, width, height };
    const poster = widget.get("poster");
    if (poster) view.poster(poster);
    this.#next = new Portrait({
      pixels: () => view.pixels,
      isForWebGL: widget.get("renderer") === "pixi",
      follower: widget.follower,
      onshape: (portrait) => (portrait === this.portrait || !this.portrait) && view.reshape(portrait),
      onpicture: (portrait) => this.#show(portrait),
      ondrop: (portrait) => portrait === this.portrait && view.blank(),
      onposter: (url) => !poster && !this.portrait && view.poster(url),
      onprogress: (loaded, total) => widget.progress(loaded, total),
      onerror: (message, url) => widget.fail(message, url),
    });
    this.#next.load(async (signal) => {
      await this.#pixi;
      return manifest ? readManifest(manifest) : readAttributes(attributes, signal);
    });
  }

  release() {
    this.#next?.release();
    this.portrait?.release();
    this.#next = this.portrait = null;
    this.#widget.view.blank();
  }

  #show(portrait) {
    const isNew = portrait === this.#next;
    if (isNew) {
      // A poster is no match for a face that follows, nor is a face that looks elsewhere for a moment.
      if (this.portrait && !portrait.player.isMatch(...this.#widget.cell(portrait.player))) return;
      this.portrait?.release();
      this.portrait = portrait;
      this.#next = null;
    }
    this.#widget.show(portrait, isNew);
  }

  /** Asks for frames of the portrait on the canvas and, so that it can take over at any look, of the next one. */
  want(isWhole) {
    this.player?.want(isWhole);
    this.#next?.player?.want(isWhole);
  }

  /** Makes the texture, where the element asks for one. */
  offerTexture() {
    const widget = this.#widget;
    if (widget.get("renderer") === "pixi") this.#pixi = widget.more(({ takeTexture }) => takeTexture(widget));
  }
}
