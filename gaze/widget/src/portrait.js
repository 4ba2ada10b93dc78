/** A portrait, whichever way it is played: it reads the source, takes a player, and another when that one fails. */

import { facePoint } from "./numbers.js";
import { MorphPlayer } from "./player.js";
import { second } from "./second.js";
import { Transfer } from "./transfer.js";

export class Portrait {
  width = NaN;
  height = NaN;
  face = { x: 0.5, y: 0.5 };
  /** What plays it: `MorphPlayer`, or one of src/more; null before, and where none can. */
  player = null;
  #abort = new AbortController();
  #owner;

  /**
   * @param {object} owner who shows it
   * @param {() => number} owner.pixels width of the picture on the screen, in device pixels
   * @param {import("./follower.js").Follower} owner.follower where the face looks
   * @param {(portrait: Portrait) => void} owner.onshape its width and height are known
   * @param {(portrait: Portrait) => void} owner.onpicture there is something new to draw
   * @param {(portrait: Portrait) => void} owner.ondrop there is nothing to draw any more
   * @param {(url: string) => void} owner.onposter it has a poster
   * @param {(loaded: number, total: number) => void} owner.onprogress
   * @param {(message: string, url: string) => void} owner.onerror
   */
  constructor(owner) {
    this.#owner = owner;
  }

  /** Lets go of everything and stops loading. */
  release() {
    this.#abort.abort();
    this.#drop();
  }

  #drop() {
    this.player?.release();
    this.player = null;
  }

  /** @param {(signal: AbortSignal) => import("./manifest.js").Source | Promise} read */
  async load(read) {
    const { signal } = this.#abort;
    try {
      const source = await read(signal);
      if (signal.aborted) return;
      this.#shape(source);
      this.face = source.face ?? this.face;
      if (source.poster) this.#owner.onposter(source.poster);
      await this.#play(source, this.#first(source));
    } catch (error) {
      this.#fail(error.message, "");
    }
  }

  /** The pack to begin with. */
  #first({ pack, stills }) {
    return stills && !globalThis.VideoDecoder && /^https?:/.test(stills) ? stills : (pack ?? stills);
  }

  /** Plays a pack; where that fails, its stills, then the sheets. */
  async #play(source, url, before = null) {
    const { signal } = this.#abort;
    let hasFailed = false;
    const next = (error, isMorph = false) => {
      if (hasFailed || signal.aborted) return undefined;
      hasFailed = true;
      this.#drop();
      this.#owner.ondrop(this);
      const beside = isMorph && /^https?:/.test(url) ? new URL("stills.pack", url).href : null;
      const stills = source.stills ?? beside;
      // What was wrong first tells more than that a file for others is missing.
      return this.#play(source, before || stills === url ? null : stills, before ?? { error, url });
    };
    if (url) {
      await this.#playPack(url, source, next).catch(next);
    } else if (source.hasSheets && !before?.error.isRefused) {
      await this.#playSheets(source);
    } else if (before) {
      const name = before.url.startsWith("data:") ? "of this page" : before.url;
      this.#fail(`The pack ${name} could not be played (${before.error.message}).`, before.url);
    }
  }

  /** @param {(error: Error, isMorph?: boolean) => void} fail when it fails later on */
  async #playPack(url, source, fail) {
    const { signal } = this.#abort;
    const transfer = Transfer.open(url);
    try {
      await transfer.begun();
      signal.throwIfAborted();
    } catch (error) {
      transfer.close();
      throw error;
    }
    const { header } = transfer;
    this.face = source.face ?? facePoint(header.face) ?? this.face;
    const owner = {
      pixels: this.#owner.pixels,
      follower: this.#owner.follower,
      onpicture: () => this.#owner.onpicture(this),
      onprogress: (...progress) => this.#owner.onprogress(...progress),
      onfail: fail,
    };
    if (header.version === 1) {
      const old = transfer.take();
      transfer.close();
      const { PackPlayer } = await second();
      signal.throwIfAborted();
      this.player = new PackPlayer(url, header, old, owner);
      this.#shape({ width: header.imageWidth, height: header.imageHeight });
      this.player.want();
      return this.player.load();
    }
    owner.onfail = (error) => fail(error, true);
    this.player = new MorphPlayer(transfer, owner);
    this.#shape({ width: header.imageWidth, height: header.imageHeight });
  }

  async #playSheets(source) {
    const { signal } = this.#abort;
    const { SheetPlayer } = await second();
    if (signal.aborted) return;
    const { manifest, width, height } = source;
    this.player = new SheetPlayer(manifest, width, height, {
      pixels: this.#owner.pixels,
      isForWebGL: this.#owner.isForWebGL,
      onshape: (shape) => this.#shape(shape),
      onpicture: () => this.#owner.onpicture(this),
      onprogress: (...progress) => this.#owner.onprogress(...progress),
      onerror: (...error) => this.#fail(...error),
    });
    await this.player.load();
  }

  #shape({ width, height }) {
    if (!(width > 0 && height > 0)) return;
    this.width = width;
    this.height = height;
    this.#owner.onshape(this);
  }

  #fail(message, url) {
    if (!this.#abort.signal.aborted) this.#owner.onerror(message, url);
  }
}
