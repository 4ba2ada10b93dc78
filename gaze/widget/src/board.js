/** Keys as textures, and the morph drawn from them. */

import { movingRect, onCanvas } from "./geometry.js";
import { corners, keyUnits, positions } from "./lattice.js";
import { FIELD_PAIRS } from "./shaders.js";

const PART = 1152; // corners of triangles that are drawn at a time

export class GlBoard {
  #gl;
  #set;
  #motion;
  /**
   * Textures of the keys, and of the whole middle one. Three of each, where they are planes: of Y, U and V. These take
   * three octets for two pixels, colours take eight.
   */
  #keys = [];
  #stills = [];
  #trust = null;
  #mesh;
  #target = new Float32Array(FIELD_PAIRS * 2);
  #anchors = new Float32Array(FIELD_PAIRS * 8);

  /** @param {import("./keyset.js").KeySet} set */
  constructor(stage, set, motion) {
    const gl = (this.#gl = stage.gl);
    this.stage = stage;
    this.#set = set;
    this.#motion = motion;
    const { header, scale } = set;
    this.rect = movingRect(header);
    const pixels = (side) => 2 * Math.ceil((side * scale) / 2);
    this.size = [pixels(this.rect.width), pixels(this.rect.height)];
    this.whole = [pixels(header.imageWidth), pixels(header.imageHeight)];
    this.#mesh = stage.loadMesh(header, motion, scale);
    if (!motion.trust) return;
    const { columns, rows } = header.mesh;
    this.#trust = stage.newTexture(gl.TEXTURE_2D_ARRAY, gl.LINEAR);
    gl.texImage3D(
      ...[gl.TEXTURE_2D_ARRAY, 0, gl.R8, columns.length, rows.length, set.n ** 2, 0, gl.RED, gl.UNSIGNED_BYTE],
      new Uint8Array(motion.trust),
    );
  }

  /** Takes a decoded picture in, a VideoFrame, an ImageBitmap or planes (decoder.js), at the size of this board. */
  put(key, picture, payload) {
    const gl = this.#gl;
    const { stage } = this;
    const { header, n, scale } = this.#set;
    const isVideo = payload.kind === "video";
    // Of the whole texture, in frame pixels; stills are as large as the frame.
    const { codedWidth: across = header.imageWidth, codedHeight: down = header.imageHeight } = payload;
    const isMiddle = key === (n * n - 1) / 2;
    const planes = picture.length && picture;
    const isStacked = isVideo && header.hasAlpha;
    // Planes of a transparent picture become its colours; others have textures of their own.
    (isStacked && planes ? [planes] : (planes || [picture]).map((part) => [part])).forEach((parts, i) => {
      const isPlane = planes && !parts[1];
      const coded = i && 1;
      const isHalf = scale === 1 && coded; // smaller ones have room for all of U and V
      const half = (size) => size.map((side) => side >> isHalf);
      const stride = across >> coded;
      const inside = isPlane ? gl.R8 : gl.RGBA8;
      this.#keys[i] ??= stage.newTexture(gl.TEXTURE_2D_ARRAY, gl.LINEAR, inside, half(this.size), n ** 2);
      this.#stills[i] ??= stage.newTexture(gl.TEXTURE_2D, gl.LINEAR, inside, half(this.whole));
      if (isPlane && scale === 1) {
        // As they are: that takes far less memory for the moment than drawing.
        const [x, y] = half([this.rect.x, this.rect.y]);
        const bytes = [gl.RED, gl.UNSIGNED_BYTE, parts[0]];
        gl.pixelStorei(gl.UNPACK_ROW_LENGTH, stride);
        gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.#keys[i]);
        gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, 0, 0, 0, key, ...half(this.size), 1, ...bytes, y * stride + x);
        gl.bindTexture(gl.TEXTURE_2D, this.#stills[i]);
        if (isMiddle) gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, ...half(this.whole), ...bytes, 0);
        gl.pixelStorei(gl.UNPACK_ROW_LENGTH, 0);
        return;
      }
      // Firefox hands colours of half the resolution out as RGB, and did not filter them (Mozilla's bug 1969762).
      const alpha = isStacked || -(picture.format === "BGRX");
      stage.take(parts, [stride, down >> coded], alpha, scale < 1 || alpha < 0, (draw) => {
        // As many frame pixels as the texture has room for, so that its texels lie on them exactly.
        const cut = ({ x, y }, size) =>
          draw(half(size), [x / across, y / down, size[0] / scale / across, size[1] / scale / down]);
        gl.framebufferTextureLayer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, this.#keys[i], 0, key);
        cut(this.rect, this.size);
        if (!isMiddle) return;
        gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.#stills[i], 0);
        cut({ x: 0, y: 0 }, this.whole);
      });
    });
    if (planes) stage.wait(); // else what was handed over for one picture is still there when the next one comes
  }

  /**
   * Queues a picture for a canvas.
   *
   * @param {import("./player.js").Picture} picture
   * @param {() => void} done when it is drawn
   * @param {{draw: Function} | null} over what is drawn over it
   * @returns {boolean} whether pictures that are still to come would not change it
   */
  draw({ target, row, col, isEmpty, rests, isSharp }, done, over) {
    const { n, axis, has, header } = this.#set;
    const [down, across] = [row, col].map((value) => keyUnits(header.looks, value));
    const chosen = corners(axis, n, down, across, has);
    const zoom = this.stage.trials || rests ? 1 : 2;
    const [width, height] = [target.canvas.width, target.canvas.height].map((side) => Math.ceil(side / zoom));
    const region = isEmpty ? { x: 0, y: 0, width, height } : onCanvas(header, width, height);
    const draw = () => {
      this.#draw(row, col, isEmpty, isSharp, chosen, zoom > 1);
      over?.draw(row, col);
    };
    this.stage.queue({ target, width, height, zoom, region, done, draw });
    return chosen.isFinal;
  }

  #draw(row, col, all, isSharp, { keys, shares }, isCoarse) {
    const gl = this.#gl;
    const { stage } = this;
    const { header, scale } = this.#set;
    const { imageWidth, imageHeight, looks } = header;
    const { rank } = header.motion;
    const { coefficients } = this.#motion;
    positions(coefficients, rank, looks, row, col, this.#target);
    for (let r = 0; r < rank; r++) {
      for (let i = 0; i < 4; i++) this.#anchors[r * 4 + i] = coefficients[keys[i] * rank + r];
    }
    const reach = [(imageWidth * scale) / this.whole[0], (imageHeight * scale) / this.whole[1]]; // of the texture
    const isPlanar = this.#keys.length > 1;
    const bind = (unit, kind, texture) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(kind, texture);
    };
    this.#stills.forEach((still, i) => bind(2 * i + 1, gl.TEXTURE_2D, still));
    if (all) {
      const picture = stage.program("picture", isSharp, isPlanar);
      gl.bindVertexArray(stage.blank);
      gl.uniform1f(picture.alpha, 0);
      gl.uniform4fv(picture.part, [0, reach[1], reach[0], -reach[1]]);
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    }
    const at = stage.program("mesh", isSharp, isPlanar);
    this.#keys.forEach((keys, i) => bind(2 * i, gl.TEXTURE_2D_ARRAY, keys));
    bind(6, gl.TEXTURE_2D_ARRAY, this.#trust ?? this.#keys[0]);
    gl.uniform1fv(at.T, this.#target);
    gl.uniform4fv(at.A, this.#anchors);
    gl.uniform4fv(at.L, keys);
    gl.uniform4fv(at.W, shares);
    gl.uniform1i(at.wide, this.#trust ? header.mesh.columns.length : 0);
    gl.uniform2f(at.frame, imageWidth, imageHeight);
    gl.uniform3f(at.rect, this.rect.x, this.rect.y, scale);
    gl.uniform2f(at.reach, ...reach);
    gl.bindVertexArray(this.#mesh.array);
    const { fine, count } = this.#mesh;
    const end = isCoarse ? count : fine;
    for (let start = isCoarse * fine; start < end; start += PART) {
      gl.drawElements(gl.TRIANGLES, Math.min(PART, end - start), gl.UNSIGNED_SHORT, start * 2);
      if (start + PART < end) stage.wait();
    }
  }

  close() {
    const gl = this.#gl;
    for (const texture of [...this.#keys, ...this.#stills, this.#trust]) gl.deleteTexture(texture);
    for (const buffer of this.#mesh.buffers) gl.deleteBuffer(buffer);
    gl.deleteVertexArray(this.#mesh.array);
  }
}
