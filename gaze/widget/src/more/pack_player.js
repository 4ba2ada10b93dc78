/** Plays a pack of version 1: all cells, decoded when they are wanted. */

import { clamp } from "../numbers.js";
import { partsOf } from "../pack.js";
import { openPack } from "../transfer.js";
import { ChainDecoder, StillsDecoder } from "./decoders.js";
import { Frames } from "./frames.js";
import { framesKept } from "./memory.js";

const AHEAD = 0.1; // seconds of motion for which frames are decoded ahead

/**
 * Takes a pack in from the middle of the grid outwards, decodes the frames that are wanted, and keeps few. Of the
 * payloads it takes the first that the browser can decode, and the next one if that fails.
 */
export class PackPlayer extends Frames {
  #url;
  #abort = new AbortController();
  #signal = this.#abort.signal;
  #owner;
  #header;
  /** What arrived with the header, and the rest. */
  #begun;
  #transfer;
  #payloads;
  #decoder = null;
  #bytes = new Uint8Array();
  #index;
  #filled = 0;
  #progress = [0, NaN];
  /** @type {number[]} cells, the most urgent first */
  #wanted = [];
  /** Cells of the frames held, the one that was not wanted for longest first. */
  #held = new Set();
  #isDecoding = false;

  /**
   * @param {import("../transfer.js").Transfer} transfer whose header is there; closed by `release`, or at once where
   *   somebody else takes its bytes
   * @param {object} owner
   * @param {import("../follower.js").Follower} owner.follower where the face looks
   * @param {() => void} owner.onpicture
   * @param {(loaded: number, total: number) => void} owner.onprogress in bytes
   * @param {(error: Error) => void} owner.onfail after it was loaded
   */
  constructor(transfer, owner) {
    super();
    this.#url = transfer.url;
    this.#header = transfer.header;
    this.#begun = transfer.old;
    transfer.old = null;
    if (this.#begun) this.#transfer = transfer;
    else transfer.close();
    this.#owner = owner;
    this.size = transfer.header.gridSize;
  }

  /** Settles when all bytes are there. */
  async load() {
    this.#payloads = [...this.#header.payloads];
    const { head, parts } = this.#begun ?? {};
    await this.#playNext(parts, head?.subarray(this.#payloads[0].start));
  }

  isMatch(row, col) {
    return this.layers(row, col) !== null;
  }

  release() {
    this.#abort.abort();
    this.#transfer?.close();
    this.#decoder?.close();
    this.#decoder = null;
    super.release();
    this.#held.clear();
  }

  /** It is loaded when there is something to see, too. */
  #report() {
    const [loaded, total] = this.#progress;
    if (this.loaded || (loaded === total && !this.frames.length)) return;
    this.loaded = loaded === total;
    this.#owner.onprogress(loaded, total);
  }

  /** @param {boolean} isWhole whether only whole cells are shown */
  want(isWhole) {
    const { size } = this;
    const cells = this.#places(isWhole).flatMap(([row, col]) => {
      const both = (value) => [Math.floor(value), Math.ceil(value)];
      const around = both(row).flatMap((r) => both(col).map((c) => [r, c]));
      const distance = ([r, c]) => (r - row) ** 2 + (c - col) ** 2;
      return around.sort((a, b) => distance(a) - distance(b)).map(([r, c]) => r * size + c);
    });
    this.#wanted = [...new Set(cells)];
    for (const cell of this.#wanted) if (this.#held.delete(cell)) this.#held.add(cell);
    this.#decodeWanted();
  }

  /** Rows and columns where frames are needed: here, where it will look in a moment, and in the end. */
  #places(isWhole) {
    const { follower } = this.#owner;
    const { x, y } = follower;
    const looks = [[y.at, x.at], [y, x].map((axis) => axis.at + axis.speed * AHEAD), follower.target().reverse()];
    const cells = looks.map((look) => look.map((value) => ((clamp(value, -1, 1) + 1) / 2) * (this.size - 1)));
    return cells.map((cell, i) => (isWhole || i === 1 ? cell.map(Math.round) : cell));
  }

  /** @param {AsyncGenerator} [parts] where the first payload is coming from already, and what came of it */
  async #playNext(parts, first) {
    const payload = this.#payloads.shift();
    if (!payload) throw new Error("nothing in it can be decoded");
    const { gridSize, imageWidth: width, imageHeight: height } = this.#header;
    const read = { data: (cell) => this.#data(cell), parent: (cell) => this.#entry(cell)[2] };
    const about = { ...payload, width, height, ...read };
    const decoder = payload.kind === "stills" ? new StillsDecoder(about) : await ChainDecoder.for(about);
    if (!decoder) {
      parts?.return();
      return this.#playNext();
    }
    this.#decoder = decoder;
    const bytes = (this.#bytes = new Uint8Array(payload.length));
    this.#index = new Int32Array(bytes.buffer, 0, gridSize ** 2 * 3);
    this.#filled = 0;
    const fill = (part) => {
      const room = bytes.length - this.#filled;
      bytes.set(part.subarray(0, room), this.#filled);
      this.#filled += Math.min(room, part.length);
      this.#progress = [this.#filled, bytes.length];
      this.#report();
      this.#decodeWanted();
      if (this.#filled < bytes.length) return false;
      const isThere = (_, cell) => this.#entry(cell)[0] >= this.#index.byteLength && this.#isThere(cell);
      if (!Array.from({ length: gridSize ** 2 }, isThere).every(Boolean)) throw new Error("its index makes no sense");
      return true;
    };
    if (first && fill(first)) return parts.return();
    for await (const part of parts ?? this.#partsFrom(payload.start)) {
      if (bytes !== this.#bytes || fill(part)) return; // complete, or given up for the next payload
    }
    throw new Error("it is cut off");
  }

  /** The bytes of the file from `start` on; servers may ignore that: what comes before is passed over. */
  async *#partsFrom(start) {
    const headers = start ? { Range: `bytes=${start}-` } : {};
    const response = await openPack(this.#url, { signal: this.#signal, headers });
    let skip = response.status === 206 ? 0 : start;
    for await (const part of partsOf(response.body)) {
      if (skip < part.length) yield part.subarray(Math.max(0, skip));
      skip -= part.length;
    }
  }

  #entry(cell) {
    return this.#index.subarray(cell * 3, cell * 3 + 3);
  }

  #data(cell) {
    const [offset, length] = this.#entry(cell);
    return this.#bytes.subarray(offset, offset + length);
  }

  /** Whether the bytes of a cell are there. Its parents lie before it. */
  #isThere(cell) {
    const [offset, length] = this.#entry(cell);
    return this.#filled >= this.#index.byteLength && offset + length <= this.#filled;
  }

  async #decodeWanted() {
    if (this.#isDecoding) return;
    this.#isDecoding = true;
    const decoder = this.#decoder;
    try {
      for (let cell; decoder && !this.#signal.aborted && (cell = this.#mostUrgent()) >= 0; ) {
        await decoder.decode(
          cell,
          (...frame) => this.#put(...frame),
          (other) => this.#wanted.includes(other),
        );
      }
    } catch {
      if (!this.#signal.aborted) this.#giveUp(decoder);
    } finally {
      this.#isDecoding = false;
    }
  }

  #giveUp(decoder) {
    decoder.close();
    this.#decoder = null;
    this.loaded = false;
    this.#playNext().catch((error) => this.#signal.aborted || this.#owner.onfail(error));
  }

  /** The first cell wanted whose frame is not held; -1 if there is none. While it has not arrived, the nearest to it. */
  #mostUrgent() {
    for (const cell of this.#wanted) {
      const best = this.#isThere(cell) ? cell : this.#nearestThere(cell);
      if (best >= 0 && !this.frames[best]) return best;
    }
    return -1;
  }

  #nearestThere(cell) {
    const size = this.#header.gridSize;
    let [best, least] = [-1, Infinity];
    for (let i = 0; i < size ** 2; i++) {
      const distance = (Math.floor(i / size) - Math.floor(cell / size)) ** 2 + ((i % size) - (cell % size)) ** 2;
      if (distance < least && this.#isThere(i)) [best, least] = [i, distance];
    }
    return best;
  }

  #put(cell, frame) {
    if (this.#signal.aborted) return frame.close();
    this.frames[cell]?.close();
    this.frames[cell] = frame;
    this.#held.delete(cell);
    this.#held.add(cell);
    const most = framesKept(frame.width, frame.height);
    for (const old of this.#held) {
      if (this.#held.size <= most) break;
      this.frames[old].close();
      delete this.frames[old];
      this.#held.delete(old);
    }
    this.#owner.onpicture();
    this.#report();
  }
}
