/**
 * The face without WebGL2: the nearest key alone, moved to the look on a coarse mesh of triangles. Two keys blended
 * without a fine mesh would show two irises.
 */

import { movingRect } from "../geometry.js";
import { keyUnits, nearest, positions } from "../lattice.js";

const MOST_LINES = 13; // of the coarse mesh, in each direction
const OVERLAP = 0.7; // pixels by which triangles reach over each other, so that no seams show

/** Some of the lines of a mesh, the first and the last among them. */
const thinned = (count) => {
  const cells = Math.min(count, MOST_LINES) - 1;
  return Array.from({ length: cells + 1 }, (_, i) => Math.round((i * (count - 1)) / cells));
};

export class FlatBoard {
  #set;
  #motion;
  #pictures = [];
  #still;
  #shift = new Float32Array(16);

  /** @param {import("../keyset.js").KeySet} set */
  constructor(set, motion) {
    this.#set = set;
    this.#motion = motion;
    this.rect = movingRect(set.header);
    const { columns, rows } = set.header.mesh;
    this.lines = [thinned(columns.length), thinned(rows.length)];
  }

  put(key, picture, payload) {
    const { header, n } = this.#set;
    const { imageWidth: width, imageHeight: height } = header;
    this.#pictures[key] = this.#cut(picture, payload, this.rect);
    if (key === (n * n - 1) / 2) this.#still = this.#cut(picture, payload, { x: 0, y: 0, width, height });
  }

  /** A part of a picture, at the scale of the set, as a canvas. */
  #cut(picture, payload, { x, y, width, height }) {
    const { header, scale } = this.#set;
    const isVideo = payload.kind === "video";
    const whole = isVideo
      ? [payload.codedWidth, payload.codedHeight] // one to one with the frame, but for a pixel that makes a side even
      : [header.imageWidth, header.imageHeight];
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const context = canvas.getContext("2d", { willReadFrequently: isVideo && header.hasAlpha });
    const zoom = [canvas.width / width, canvas.height / height];
    // All of it, most of it beside the canvas: of a part of a VideoFrame, WebKit draws the whole.
    const take = (top) =>
      context.drawImage(picture, -x * zoom[0], -top * zoom[1], whole[0] * zoom[0], whole[1] * zoom[1]);
    take(y);
    if (isVideo && header.hasAlpha) {
      const colour = context.getImageData(0, 0, canvas.width, canvas.height);
      take(y + payload.codedHeight / 2);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      for (let i = 3; i < data.length; i += 4) {
        const alpha = data[i - 2];
        colour.data[i] = alpha < 20 ? 0 : alpha > 247 ? 255 : alpha;
      }
      context.putImageData(colour, 0, 0);
    }
    return canvas;
  }

  draw({ target, row, col }, done) {
    const { header, n, axis, has } = this.#set;
    const { width, height } = target.canvas;
    const [down, across] = [row, col].map((value) => keyUnits(header.looks, value));
    const { rank } = header.motion;
    const { coefficients } = this.#motion;
    const key = nearest(axis, n, down, across, has);
    positions(coefficients, rank, header.looks, row, col, this.#shift);
    const zoom = [width / header.imageWidth, height / header.imageHeight];
    target.clearRect(0, 0, width, height);
    target.drawImage(this.#still, 0, 0, width, height);
    if (header.hasAlpha) target.clearRect(...this.#meshOn(zoom)); // else what lies below hides the seams
    const corner = (i, j) => this.#corner(i, j, key, rank, zoom);
    const [columns, rows] = this.lines;
    for (let j = 0; j < rows.length - 1; j++) {
      for (let i = 0; i < columns.length - 1; i++) {
        const [a, b, c, d] = [
          ...[corner(columns[i], rows[j]), corner(columns[i + 1], rows[j])],
          ...[corner(columns[i], rows[j + 1]), corner(columns[i + 1], rows[j + 1])],
        ];
        this.#triangle(target, this.#pictures[key], a, b, c);
        this.#triangle(target, this.#pictures[key], d, c, b);
      }
    }
    done();
  }

  /** The rectangle of the mesh on the canvas; its border does not move. */
  #meshOn(zoom) {
    const { columns, rows } = this.#set.header.mesh;
    const [x, y] = [columns[0] * zoom[0], rows[0] * zoom[1]];
    return [x, y, columns.at(-1) * zoom[0] - x, rows.at(-1) * zoom[1] - y];
  }

  /** A vertex: where it is on the canvas, and where in the key's picture. */
  #corner(i, j, key, rank, zoom) {
    const { mesh } = this.#set.header;
    const { fields, coefficients } = this.#motion;
    const count = mesh.columns.length * mesh.rows.length;
    const v = j * mesh.columns.length + i;
    const place = [mesh.columns[i], mesh.rows[j]];
    const [at, from] = [[...place], [...place]];
    for (let r = 0; r < rank; r++) {
      for (const axis of [0, 1]) {
        const field = fields[(r * 2 + axis) * count + v];
        at[axis] += this.#shift[r] * field;
        from[axis] += coefficients[key * rank + r] * field;
      }
    }
    const { scale } = this.#set;
    return [at[0] * zoom[0], at[1] * zoom[1], (from[0] - this.rect.x) * scale, (from[1] - this.rect.y) * scale];
  }

  #triangle(target, picture, ...corners) {
    const [[x0, y0, u0, v0], [x1, y1, u1, v1], [x2, y2, u2, v2]] = corners;
    const area = (u1 - u0) * (v2 - v0) - (u2 - u0) * (v1 - v0);
    if (!area) return;
    // The affine map that takes the three places in the picture to those on the canvas.
    const map = (p0, p1, p2) => {
      const across = ((p1 - p0) * (v2 - v0) - (p2 - p0) * (v1 - v0)) / area;
      const down = ((p2 - p0) * (u1 - u0) - (p1 - p0) * (u2 - u0)) / area;
      return [across, down, p0 - across * u0 - down * v0];
    };
    const [a, c, e] = map(x0, x1, x2);
    const [b, d, f] = map(y0, y1, y2);
    const middle = [(x0 + x1 + x2) / 3, (y0 + y1 + y2) / 3];
    target.save();
    target.beginPath();
    for (const [x, y] of corners) {
      const [dx, dy] = [x - middle[0], y - middle[1]];
      const reach = 1 + OVERLAP / (Math.hypot(dx, dy) || 1);
      target.lineTo(middle[0] + dx * reach, middle[1] + dy * reach);
    }
    target.clip();
    target.transform(a, b, c, d, e, f);
    target.drawImage(picture, 0, 0);
    target.restore();
  }

  close() {
    this.#pictures.length = 0;
  }
}
