/** Frames of whole cells, drawn alone or blended with their neighbours. */

const FLOOR = Math.floor;

/**
 * Shares of 255 for the four cells around a fractional place. They are whole numbers that add up to 255, so that
 * opaque frames added together are opaque again, without a flicker.
 *
 * @returns {number[]} top left, top right, bottom left, bottom right
 */
export function blendWeights(down, across) {
  const [up, back] = [1 - down, 1 - across];
  const exact = [up * back, up * across, down * back, down * across].map((share) => share * 255);
  const weights = exact.map(FLOOR);
  const byRemainder = [0, 1, 2, 3].sort((a, b) => exact[b] - weights[b] - (exact[a] - weights[a]));
  const missing = 255 - weights.reduce((a, b) => a + b);
  for (const i of byRemainder.slice(0, missing)) weights[i] += 1;
  return weights;
}

/** What players of frames have in common. */
export class Frames {
  isMorph = false;
  /** @type {(ImageBitmap | undefined)[]} by row · size + column */
  frames = [];
  size = NaN;
  /** Size of the frames held, as a share of the size they have in the file. */
  scale = 1;
  loaded = false;

  get isReady() {
    return this.frames.length > 0;
  }

  get resolution() {
    return Math.min(1, this.scale || 1);
  }

  want() {}

  fit() {}

  /** The look of the whole cell nearest to a look. */
  snap = (look) => {
    const steps = this.size - 1;
    return steps > 0 ? look.map((value) => (Math.round(((value + 1) / 2) * steps) / steps) * 2 - 1) : look;
  };

  /** The frame of the cell nearest to a place, of those that are there. */
  nearest(row, col) {
    const { frames, size } = this;
    const wanted = frames[Math.round(row) * size + Math.round(col)];
    if (wanted) return wanted;
    let best;
    let least = Infinity;
    frames.forEach((frame, i) => {
      if (!frame) return;
      const distance = (FLOOR(i / size) - row) ** 2 + ((i % size) - col) ** 2;
      if (distance < least) [best, least] = [frame, distance];
    });
    return best;
  }

  /** @returns {[ImageBitmap, number][] | null} frames and their shares of 255; null where one is not there */
  layers(row, col) {
    const { frames, size } = this;
    const [top, left] = [FLOOR(row), FLOOR(col)];
    const layers = blendWeights(row - top, col - left)
      .map((weight, i) => [frames[(top + (i >> 1)) * size + left + (i & 1)], weight])
      .filter(([, weight]) => weight > 0);
    return layers.length && layers.every(([frame]) => frame) ? layers : null;
  }

  draw({ target: context, row, col }, done) {
    const frame = this.frames.length ? this.nearest(row, col) : null;
    const layers = this.layers(row, col) ?? (frame ? [[frame, 255]] : []);
    if (!layers.length) return;
    const { width, height } = context.canvas;
    context.clearRect(0, 0, width, height);
    // Adding premultiplied colours and alpha, each with its share, is the exact mean: transparent stays transparent.
    context.globalCompositeOperation = "lighter";
    context.imageSmoothingQuality = "medium";
    for (const [picture, weight] of layers) {
      context.globalAlpha = weight / 255;
      context.drawImage(picture, 0, 0, width, height);
    }
    // As whoever draws on it next expects it.
    context.globalCompositeOperation = "source-over";
    context.globalAlpha = 1;
    done();
  }

  release() {
    for (const frame of this.frames) frame?.close();
    this.frames.length = 0;
  }
}
