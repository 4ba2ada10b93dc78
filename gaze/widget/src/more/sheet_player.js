/** Sheets of frames: for portraits without a pack, and where a pack cannot be played. */

import { within } from "../numbers.js";
import { download } from "./download.js";
import { Frames } from "./frames.js";
import { sheetLayout } from "./layout.js";
import { bytesPerWidget, isSmall, takeTurn } from "./memory.js";

const MAX_GRID = 60; // rows and columns
const SLICE = 6; // ms of cutting after which the page may breathe
const GUESSED = 20; // rows of the small set of folders that do not say that they have one

const pause = () => window.scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve));

/**
 * @typedef {object} SheetSet
 * @property {number | undefined} size rows and columns of the whole grid, where known
 * @property {string[]} sheets URLs: four quadrants (top left, top right, bottom left, bottom right) or one sheet
 * @property {boolean} [guessed] nothing says that it is there
 *
 * @param {object} manifest with `base`, an absolute URL
 * @returns {{full: SheetSet, small: SheetSet | null}} `small`: the 20×20 set for phones
 */
export function sheetSets(manifest) {
  const at = (name) => new URL(name, manifest.base).href;
  const names = (suffix) =>
    manifest.mode === "single" ? [`sheet${suffix}.webp`] : [0, 1, 2, 3].map((i) => `q${i}${suffix}.webp`);
  const list = (given, usual) => {
    if (![undefined, null].includes(given) && !(Array.isArray(given) && [0, 1, 4].includes(given.length))) {
      throw new Error("The manifest's sheets are not a list of one or four names.");
    }
    return (given ?? names(usual)).map(at);
  };
  const guessed = !("mobileGridSize" in manifest);
  const small = guessed ? GUESSED : within(manifest.mobileGridSize, 1, MAX_GRID);
  const smallSheets = list(manifest.mobileSheets, `_${small}`);
  return {
    full: { size: within(manifest.gridSize, 1, MAX_GRID), sheets: list(manifest.sheets, "") },
    small: small && smallSheets.length ? { size: small, sheets: smallSheets, guessed } : null,
  };
}

/**
 * Sheets come one after the other, the one with the centre first; each is decoded whole, cut into frames of the size
 * that is shown, and let go. (Frames cannot be cut from an encoded sheet one by one: browsers decode the whole sheet for
 * every cut.)
 */
export class SheetPlayer extends Frames {
  /** Whether all sheets were tried: what is not there by now does not come. */
  #tried = false;
  /** @type {SheetSet} */
  #set;
  #manifest;
  #isFitting = false;
  #abort = new AbortController();
  #owner;

  /**
   * @param {import("../manifest.js").Source} source
   * @param {object} owner
   * @param {() => number} owner.pixels width of the picture on the screen, in device pixels
   * @param {boolean} owner.isForWebGL pictures must be ones that WebGL accepts
   * @param {(shape: {width: number, height: number}) => void} owner.onshape
   * @param {() => void} owner.onpicture there is something new to draw
   * @param {(loaded: number, total: number) => void} owner.onprogress in sheets
   * @param {(message: string, url: string) => void} owner.onerror
   */
  constructor({ manifest, width, height }, owner) {
    super();
    this.scale = NaN;
    this.#manifest = manifest;
    this.width = width;
    this.height = height;
    this.#owner = owner;
  }

  isMatch(row, col) {
    return this.#tried ? this.isReady : this.layers(row, col) !== null;
  }

  release() {
    this.#abort.abort();
    super.release();
  }

  /** Settles when all sheets were tried. */
  async load() {
    const { full, small } = sheetSets(this.#manifest);
    this.#set = this.#choose(full, small);
    let first = this.#download(0);
    if (this.#set !== full && (await first.catch(() => null)) === null) {
      this.#set = full; // a small set that is not there
      first = this.#download(0);
    }
    await this.#cutSheets(first, (done, total) => this.#owner.onprogress(done, total));
    this.#tried = true;
    if (!this.#abort.signal.aborted) this.#owner.onpicture();
  }

  /** Cuts the frames anew when they have become too small for the picture on the screen, or too large for memory. */
  async fit() {
    if (!this.loaded || this.#isFitting) return;
    const before = this.scale;
    const wanted = this.#bestScale();
    const isTooLarge = this.#bytes(before) > bytesPerWidget() * 1.1;
    if (wanted < before * 1.1 && !isTooLarge) return;
    this.#isFitting = true;
    this.scale = wanted;
    if (wanted > before) await this.#cutSheets(this.#download(0), () => {});
    else await takeTurn(() => this.#shrink());
    this.#isFitting = false;
  }

  /** The full set, or the small one where the full one costs too much: data, or memory at the size shown. */
  #choose(full, small) {
    if (!small) return full;
    const { width, height } = this;
    const bytes = (full.size * this.#shown(width)) ** 2 * width * height * 4;
    const room = bytesPerWidget();
    const fits = bytes <= room; // false too where the full set's size is not known
    const mustSave = navigator.connection?.saveData || bytes > room;
    return mustSave || (isSmall && !(small.guessed && fits)) ? small : full;
  }

  /** The sheets in the order of loading: the one with the centre cell first, then the one that completes its rows. */
  get #order() {
    return this.#set.sheets.length === 4 ? [3, 2, 1, 0] : [0];
  }

  #download(i) {
    const sheet = download(this.#set.sheets[this.#order[i]], this.#abort.signal, this.#owner.isForWebGL);
    sheet.catch(() => {}); // reported when its turn comes, and not as unhandled before
    return sheet;
  }

  /**
   * @param {Promise<Blob | HTMLImageElement>} ahead the first sheet, on its way
   * @param {(done: number, total: number) => void} report
   */
  async #cutSheets(ahead, report) {
    const order = this.#order;
    const total = order.length;
    let done = 0;
    report(done, total);
    for (const [i, index] of order.entries()) {
      try {
        const encoded = await ahead.finally(() => {
          if (i + 1 < total) ahead = this.#download(i + 1); // travels while this one is cut
        });
        await takeTurn(() => this.#cut(encoded, index));
        done += 1;
        if (this.#abort.signal.aborted) return;
        this.loaded ||= done === total;
        report(done, total);
      } catch (error) {
        const url = this.#set.sheets[index];
        const why = error.name === "InvalidStateError" ? "not a picture this browser can decode" : error.message;
        this.#fail(`The sheet ${url} could not be loaded (${why}). Check that it is there, beside the others.`, url);
      }
    }
  }

  async #cut(encoded, index) {
    const { signal } = this.#abort;
    if (signal.aborted) return;
    const sheet = await createImageBitmap(encoded);
    try {
      const { size: declaredSize, sheets } = this.#set;
      const quadrants = sheets.length === 4;
      const declared = { cells: quadrants ? declaredSize / 2 : declaredSize, width: this.width, height: this.height };
      const layout = sheetLayout(declared, sheet.width, sheet.height);
      if (!layout) {
        const [across, tall] = [sheet.width, sheet.height];
        throw new Error(`${across}×${tall} pixels do not divide into ${declared.cells}×${declared.cells} frames`);
      }
      const { cells, width, height } = layout;
      const size = quadrants ? cells * 2 : cells;
      if (!this.frames.length) {
        this.size = size;
        this.width = width;
        this.height = height;
        this.#owner.onshape(layout);
        this.scale = this.#bestScale();
      } else if (size !== this.size) {
        throw new Error("its frames are not of the size of the others'");
      }
      const top = quadrants && index >= 2 ? cells : 0;
      const left = quadrants && index % 2 ? cells : 0;
      const middle = (size - 1) / 2;
      const places = Array.from({ length: cells ** 2 }, (_, i) => [Math.floor(i / cells), i % cells]);
      const fromMiddle = ([row, col]) => (row + top - middle) ** 2 + (col + left - middle) ** 2;
      places.sort((a, b) => fromMiddle(a) - fromMiddle(b));
      const resize = this.#resize();
      await this.#inSlices(places, async ([row, col]) => {
        const frame = await createImageBitmap(sheet, col * width, row * height, width, height, resize);
        this.#put((row + top) * size + col + left, frame);
      });
    } finally {
      sheet.close();
    }
  }

  /** Makes the frames held smaller, without their sheets. */
  #shrink() {
    const resize = this.#resize();
    return this.#inSlices([...this.frames.entries()], async ([i, frame]) => {
      this.#put(i, await createImageBitmap(frame, resize));
    });
  }

  #put(i, frame) {
    if (this.#abort.signal.aborted) return frame.close();
    this.frames[i]?.close();
    this.frames[i] = frame;
  }

  /** Does a job for each item; every few milliseconds it shows what there is and lets the page breathe. */
  async #inSlices(items, job) {
    let since = performance.now();
    for (const item of items) {
      if (this.#abort.signal.aborted) return;
      await job(item);
      if (performance.now() - since < SLICE) continue;
      this.#owner.onpicture();
      await pause();
      since = performance.now();
    }
    if (!this.#abort.signal.aborted) this.#owner.onpicture();
  }

  /** Memory that all frames take at a scale. */
  #bytes(scale) {
    return (this.size * scale) ** 2 * this.width * this.height * 4;
  }

  /** The size of the picture on the screen, as far as the sheets and memory allow. */
  #bestScale() {
    return Math.min(this.#shown(this.width), Math.sqrt(bytesPerWidget() / this.#bytes(1)));
  }

  /** Width of the picture on the screen as a share of a frame's, at most 1. */
  #shown(width) {
    return Math.min(1, (this.#owner.pixels() || width) / width);
  }

  #resize() {
    if (this.scale === 1) return {};
    const pixels = (side) => Math.max(1, Math.round(side * this.scale));
    return { resizeWidth: pixels(this.width), resizeHeight: pixels(this.height), resizeQuality: "high" };
  }

  #fail(message, url) {
    if (!this.#abort.signal.aborted) this.#owner.onerror(message, url);
  }
}
