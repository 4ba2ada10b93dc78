/** The decoded keys of one pack at one size, shared by all portraits of the page that show it so large. */

import { GlBoard } from "./board.js";
import { decodeVideo, playable } from "./decoder.js";
import { readMotion } from "./pack.js";
import { second } from "./second.js";
import { stage } from "./stage.js";

/** Sizes at which keys are decoded, as shares of the frame's: each at most a third larger than what is shown. */
const SCALES = [0.125, 0.1875, 0.25, 0.375, 0.5, 0.75, 1];

/** The scale at which keys are held for a picture so wide, in device pixels. */
export const scaleFor = (pixels, width) => SCALES.find((scale) => scale * width >= pixels * 0.99) ?? 1;

export class KeySet {
  /** Whether all pictures are there. */
  isWhole = false;
  board = null;
  #users = new Set();
  #abort = null;
  #have;

  /**
   * The set of a pack at a scale, from the page's; `player.changed()` and `player.failed(error)` are called.
   *
   * @param {import("./transfer.js").Transfer} transfer whose header is there
   * @param {object} header of the pack, or of one of its layers
   * @param {typeof GlBoard} [Board] what draws them
   */
  static open(transfer, header, scale, player, Board = GlBoard) {
    const name = `${header.name ?? ""} ${scale}`;
    let set = transfer.shared.get(name);
    if (!set) transfer.shared.set(name, (set = new KeySet(transfer, header, scale, name, Board)));
    set.#users.add(player);
    return set;
  }

  constructor(transfer, header, scale, name, Board) {
    Object.assign(this, { transfer, header, scale, name, Board });
    /** Of a layer, how many pictures each look has. */
    this.depth = header.values?.length ?? 1;
    this.n = header.looks.length;
    this.axis = header.looks.map((_, i) => i);
    this.#have = new Uint8Array(this.n ** 2 * this.depth);
    stage()?.owners.add(this);
    this.#start();
  }

  close(player) {
    this.#users.delete(player);
    if (this.#users.size) return;
    this.transfer.shared.delete(this.name);
    stage()?.owners.delete(this);
    this.#abort?.abort();
    this.board?.close();
    this.board = null;
  }

  has = (key) => this.#have[key] > 0;

  /** Whether there is anything to draw. */
  get isReady() {
    return this.board !== null && this.has((this.n ** 2 - 1) / 2);
  }

  lost() {
    this.#abort?.abort();
    this.board = null;
    this.isWhole = false;
    this.#have.fill(0);
  }

  restored() {
    this.#start();
  }

  async #start() {
    this.#abort?.abort(); // of one that was opened while the memory was lost
    const abort = (this.#abort = new AbortController());
    const { signal } = abort;
    try {
      const { header, transfer } = this;
      const { start, length } = header.motion;
      const motion = (this.motion ??= await readMotion(header, await transfer.bytes(start, start + length)));
      const { payload, config } = await this.#choose();
      signal.throwIfAborted();
      this.axis = payload.keys ?? this.axis;
      const gl = stage();
      const { FlatBoard } = gl ? {} : await second();
      signal.throwIfAborted();
      this.board = gl ? new this.Board(gl, this, motion) : new FlatBoard(this, motion);
      const count = this.axis.length ** 2 * this.depth;
      const put = (entry, picture) => this.#put(entry, picture, payload);
      if (config) await decodeVideo(transfer, payload, count, config, signal, put);
      else await (await second()).decodeStills(transfer, header, payload, count, signal, put);
      this.isWhole = true;
      this.#changed();
    } catch (error) {
      if (!signal.aborted) for (const player of [...this.#users]) player.failed(error);
    }
  }

  async #choose() {
    for (const payload of this.header.payloads) {
      const config = await playable(payload);
      if (config || payload.kind === "stills") return { payload, config };
    }
    throw new Error("it cannot be decoded");
  }

  #put(entry, picture, payload) {
    const m = this.axis.length;
    const [value, place] = [Math.floor(entry / m ** 2), entry % m ** 2];
    const key = value * this.n ** 2 + this.axis[Math.floor(place / m)] * this.n + this.axis[place % m];
    this.board.put(key, picture, payload);
    this.#have[key] = 1;
    this.#changed();
  }

  #changed() {
    for (const player of this.#users) player.changed();
  }
}
