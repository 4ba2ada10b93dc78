/** A portrait, whichever way it is played: it reads the source, takes a player, and another when that one fails. */

import { facePoint } from "./numbers.js";
import { MorphPlayer } from "./player.js";
import { second } from "./second.js";
import { isOnline, Transfer } from "./transfer.js";

export class Portrait {
  /** Of a frame; undefined before they are known. */
  width;
  height;
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
      await this.play(await read(signal));
    } catch (error) {
      this.fail(error.message, "");
    }
  }

  /**
   * Plays a source: its pack, or its stills where the browser has no video decoder; where there is none, or it fails, what
   * is left (src/more/left.js).
   *
   * @param {{error: Error, url: string} | null} [before] what failed first, which tells more than what failed then
   * @param {string[]} [tried] packs that failed
   */
  async play(source, before = null, tried = []) {
    const { signal } = this.#abort;
    if (signal.aborted) return undefined;
    const { stills, poster } = source;
    this.#shape(source);
    this.face = source.face ?? this.face;
    if (poster) this.#owner.onposter(poster);
    const packs = [source.pack, stills];
    if (stills && !globalThis.VideoDecoder && isOnline(stills)) packs.reverse();
    const url = packs.find((it) => it && !tried.includes(it));
    const left = async (error, isMorph) => {
      const { playLeft } = await second();
      return signal.aborted || playLeft(this, source, { before, tried, error, isMorph, url }, signal);
    };
    let hasFailed = false;
    const next = (error, isMorph) => {
      if (hasFailed || signal.aborted) return undefined;
      hasFailed = true;
      this.#drop();
      this.#owner.ondrop(this);
      return left(error, isMorph);
    };
    return url ? this.#playPack(url, source, next).catch(next) : left();
  }

  /** @param {(error: Error, isMorph: boolean) => Promise} fail when it fails later on */
  async #playPack(url, source, fail) {
    const { signal } = this.#abort;
    const transfer = Transfer.open(url);
    let Player = MorphPlayer;
    try {
      await transfer.begun;
      if (transfer.header.version === 1) Player = (await second()).PackPlayer;
      signal.throwIfAborted();
    } catch (error) {
      transfer.close();
      throw error;
    }
    const { header } = transfer;
    this.face = source.face ?? facePoint(header.face) ?? this.face;
    const owner = this.ownerOf((error) =>
      fail(error, header.version > 1).catch(({ message }) => this.fail(message, "")),
    );
    this.player = new Player(transfer, owner);
    this.#shape({ width: header.imageWidth, height: header.imageHeight });
    this.player.want();
    return this.player.load?.();
  }

  /** What a player calls. @param {(error: Error) => void} [onfail] */
  ownerOf(onfail) {
    return {
      ...this.#owner,
      onfail,
      onshape: (shape) => this.#shape(shape),
      onpicture: () => this.#owner.onpicture(this),
      onerror: (...error) => this.fail(...error),
    };
  }

  #shape({ width, height }) {
    if (!(width > 0 && height > 0)) return;
    this.width = width;
    this.height = height;
    this.#owner.onshape(this);
  }

  fail(message, url) {
    if (!this.#abort.signal.aborted) this.#owner.onerror(message, url);
  }
}
