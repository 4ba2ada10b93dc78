/** Decodes single frames of a pack of version 1, when they are wanted. */

import { answers } from "../patience.js";

const MAX_CHAIN = 8; // decodes for one frame, at most (docs/format.md)
const OTHER_SIZE = "its frames are not of the size that it says";

/**
 * The picture of a video frame. Its alpha, if it has any, is a grey picture under the colour. By way of its pixels,
 * which is four times faster than createImageBitmap alone where no GPU helps.
 */
async function framePicture(frame, width, height, hasAlpha) {
  const even = [width + (width % 2), (height + (height % 2)) * (hasAlpha ? 2 : 1)];
  if (frame.visibleRect.width !== even[0] || frame.visibleRect.height !== even[1]) throw new Error(OTHER_SIZE);
  const pixels = await readPixels(frame);
  const half = pixels.data.length / 2;
  for (let i = 0; hasAlpha && i < half; i += 4) {
    const alpha = pixels.data[half + i];
    // Lossy, but what is opaque stays so, and what is not does not show the seam to the colour above.
    pixels.data[i + 3] = alpha < 20 ? 0 : alpha > 247 ? 255 : alpha;
  }
  return createImageBitmap(pixels, 0, 0, width, height);
}

async function readPixels(frame) {
  const { width, height } = frame.visibleRect;
  const data = new Uint8ClampedArray(width * height * 4);
  const options = { format: "RGBA" };
  try {
    if (frame.allocationSize(options) === data.length) {
      await frame.copyTo(data, options);
      return new ImageData(data, width, height);
    }
  } catch {
    // a browser that cannot convert
  }
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(frame, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** Decodes the stills of a pack. */
export class StillsDecoder {
  constructor(payload) {
    this.payload = payload;
  }

  async decode(cell, put) {
    const { data, width, height } = this.payload;
    const frame = await createImageBitmap(new Blob([data(cell)], { type: "image/webp" }));
    if (frame.width !== width || frame.height !== height) {
      frame.close();
      throw new Error(OTHER_SIZE);
    }
    put(cell, frame);
  }

  close() {}
}

/** Decodes the video of a pack: from where the decoder is, if that is on the way to the cell, else from the key. */
export class ChainDecoder {
  #decoder = null;
  #at = -1;
  #time = 0;
  #isOver = false;
  /** Cells whose pictures are still to come, and what to do with each. */
  #expected = [];
  #fail = () => {};

  /** @returns {Promise<ChainDecoder | null>} null where the browser cannot decode it */
  static async for(payload) {
    const { codec, codedWidth, codedHeight, colorSpace } = payload;
    const config = { codec, codedWidth, codedHeight, colorSpace, optimizeForLatency: true };
    const answer = await window.VideoDecoder?.isConfigSupported(config).catch(() => null);
    return answer?.supported ? new ChainDecoder(payload, config) : null;
  }

  constructor(payload, config) {
    this.payload = payload;
    this.config = config;
  }

  /**
   * @param {(cell: number, frame: ImageBitmap) => void} put
   * @param {(cell: number) => boolean} wants whether a frame on the way is of use, too
   */
  async decode(cell, put, wants) {
    try {
      await this.#decode(cell, put, wants);
    } catch (error) {
      if (this.#isOver) throw error;
      this.#reset(); // browsers take decoders away from pages that rest: once more with a new one
      await this.#decode(cell, put, wants);
    }
  }

  #decode(cell, put, wants) {
    this.#open();
    const { payload } = this;
    const { width, height, alpha } = payload;
    if (this.#at === cell) this.#at = -1;
    const way = [];
    for (let step = cell; step >= 0 && step !== this.#at; step = payload.parent(step)) {
      if (way.unshift(step) > MAX_CHAIN) throw new Error("its frames depend on each other");
    }
    this.#at = cell;
    let watch;
    const done = new Promise((resolve, reject) => {
      this.#fail = reject;
      watch = answers(reject);
      for (const step of way) {
        this.#expected.push(async (frame) => {
          watch.heard();
          try {
            if (step === cell || wants(step)) put(step, await framePicture(frame, width, height, alpha));
            if (step === cell) resolve();
          } catch (error) {
            reject(error);
          } finally {
            frame.close();
          }
        });
        const type = payload.parent(step) < 0 ? "key" : "delta";
        this.#decoder.decode(new EncodedVideoChunk({ type, timestamp: this.#time++, data: payload.data(step) }));
      }
    });
    return done.finally(watch.stop);
  }

  #open() {
    if (this.#decoder) return;
    const expected = (this.#expected = []);
    this.#decoder = new VideoDecoder({
      output: (frame) => (expected.length ? expected.shift()(frame) : frame.close()),
      error: (error) => this.#fail(error),
    });
    this.#decoder.configure(this.config);
    this.#at = -1;
  }

  #reset() {
    if (this.#decoder?.state !== "closed") this.#decoder?.close();
    this.#decoder = null;
  }

  close() {
    this.#isOver = true;
    this.#reset();
    this.#fail(new Error("closed"));
  }
}
