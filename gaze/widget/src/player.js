/** One portrait of a pack of version 2, at the size of one element. */

import { KeySet, scaleFor } from "./keyset.js";
import { stage } from "./stage.js";

export class MorphPlayer {
  /** Every look is drawn sharply, not only whole cells. */
  isMorph = true;
  loaded = false;
  /** Most pixels that a canvas for it may have, as a share of the frame's: more would show no more. */
  resolution = 2;
  /** @type {import("./more/layers.js").Overlay | null} what is drawn over it, once somebody asked for it */
  over = null;
  #set = null;
  /** The set of another size that will replace it once it is whole. */
  #next = null;
  #owner;
  /** The board that the canvas was filled from. */
  #drawn = null;
  /** Whether keys that are still to come would not change what is shown. */
  #isFinal = false;

  /**
   * @param {import("./transfer.js").Transfer} transfer whose header is there; closed by `release`
   * @param {object} owner
   * @param {() => number} owner.pixels width of the picture on the screen, in device pixels
   * @param {() => void} owner.onpicture there is something new to draw
   * @param {(loaded: number, total: number) => void} owner.onprogress in bytes
   * @param {(error: Error) => void} owner.onfail
   */
  constructor(transfer, owner) {
    this.transfer = transfer;
    this.#owner = owner;
    const { gridSize, imageWidth, imageHeight } = transfer.header;
    Object.assign(this, { size: gridSize, width: imageWidth, height: imageHeight });
    this.#set = KeySet.open(transfer, transfer.header, this.#scale(), this);
    this.#watch();
    if (this.#set.isWhole) queueMicrotask(() => this.changed());
  }

  #scale() {
    return scaleFor(this.#owner.pixels(), this.width);
  }

  async #watch() {
    const { transfer } = this;
    while (this.transfer && transfer.filled < transfer.header.end) {
      this.#owner.onprogress(transfer.filled, transfer.header.end);
      if (!(await transfer.more())) return;
    }
  }

  /** Called by the set. */
  changed() {
    if (this.#next?.isWhole) {
      this.#set.close(this);
      [this.#set, this.#next] = [this.#next, null];
    }
    const { isReady, isWhole } = this.#set ?? {};
    if (!isReady || (this.#isFinal && !isWhole)) return;
    const isNew = isWhole && !this.loaded;
    this.loaded ||= isWhole;
    this.#owner.onpicture();
    const { end } = this.transfer.header;
    if (isNew) this.#owner.onprogress(end, end);
  }

  /** Called by the set. */
  failed(error) {
    this.#owner.onfail(error);
  }

  /** Whether the better filter may cost too much for a face that may soon be drawn anew. */
  get spares() {
    return stage()?.trials < Infinity;
  }

  get isReady() {
    return this.#set?.isReady;
  }

  /** Whether it is a match for a portrait that follows already. */
  isMatch() {
    return this.loaded;
  }

  want() {}

  /** Holds the keys at the size that is shown now. */
  fit() {
    const scale = this.#scale();
    if (scale === (this.#next ?? this.#set).scale) return;
    this.#next?.close(this);
    this.#next = scale === this.#set.scale ? null : KeySet.open(this.transfer, this.transfer.header, scale, this);
    if (this.#next?.isWhole) this.changed();
  }

  /**
   * @typedef {object} Picture what is to be drawn
   * @property {CanvasRenderingContext2D} target
   * @property {number} row, @property {number} col the look
   * @property {boolean} isEmpty whether the canvas holds nothing of the portrait: else only what moves need be drawn
   * @property {boolean} rests whether the face is at rest
   * @property {boolean} isSharp whether to draw it with the better filter, which costs more
   *
   * @param {Picture} picture
   * @param {() => void} done when it is drawn
   */
  draw(picture, done) {
    if (!this.isReady) return; // the graphics memory is lost for the moment
    const { board } = this.#set;
    picture.isEmpty ||= this.#drawn !== board;
    this.#isFinal = board.draw(picture, done, this.over);
    this.#drawn = board;
  }

  /** The pictures of a layer, drawn by a `Board`; to be closed by the user. Null without WebGL2. */
  layer(header, user, Board) {
    return stage() && KeySet.open(this.transfer, header, 1, user, Board);
  }

  release() {
    this.over?.release();
    this.#next?.close(this);
    this.#set?.close(this);
    this.transfer?.close();
    this.#set = this.#next = this.transfer = null;
  }
}
