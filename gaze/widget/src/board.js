/** Keys as textures, and the morph drawn from them. */

import { movingRect, onCanvas } from "./geometry.js";
import { corners, keyUnits, positions } from "./lattice.js";
import { FIELD_PAIRS } from "./shaders.js";

export class GlBoard {
  #gl;
  #set;
  #motion;
  #keys;
  #still;
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
    const pixels = (side) => Math.max(1, Math.ceil(side * scale));
    this.size = [pixels(this.rect.width), pixels(this.rect.height)];
    this.whole = [pixels(header.imageWidth), pixels(header.imageHeight)];
    this.#keys = stage.newTexture(gl.TEXTURE_2D_ARRAY, gl.LINEAR);
    gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, gl.RGBA8, ...this.size, set.n ** 2);
    this.#still = stage.newTexture(gl.TEXTURE_2D, gl.LINEAR);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, ...this.whole);
    this.#mesh = stage.loadMesh(header, motion, scale);
    if (!motion.trust) return;
    const { columns, rows } = header.mesh;
    this.#trust = stage.newTexture(gl.TEXTURE_2D_ARRAY, gl.NEAREST);
    gl.texImage3D(
      ...[gl.TEXTURE_2D_ARRAY, 0, gl.R8, columns.length, rows.length, set.n ** 2, 0, gl.RED, gl.UNSIGNED_BYTE],
      new Uint8Array(motion.trust),
    );
  }

  /** Takes a decoded picture in, a VideoFrame, an ImageBitmap or an ImageData, at the size of this board. */
  put(key, picture, payload) {
    const gl = this.#gl;
    const { header, n, scale } = this.#set;
    const isVideo = payload.kind === "video";
    const [across, down] = isVideo
      ? [payload.codedWidth, payload.codedHeight]
      : [header.imageWidth, header.imageHeight]; // of the whole texture, in frame pixels
    const isMiddle = key === (n * n - 1) / 2;
    const { data } = picture;
    if (data && scale === 1 && !header.hasAlpha && !isMiddle) {
      const { x, y } = this.rect;
      const pixels = [gl.RGBA, gl.UNSIGNED_BYTE, data, (y * across + x) * 4]; // of that place on, as they are
      gl.pixelStorei(gl.UNPACK_ROW_LENGTH, across);
      gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.#keys);
      gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, 0, 0, 0, key, ...this.size, 1, ...pixels);
      gl.pixelStorei(gl.UNPACK_ROW_LENGTH, 0);
    } else {
      const isSmall = scale < 0.7;
      const scratch = this.stage.newTexture(gl.TEXTURE_2D, isSmall ? gl.LINEAR_MIPMAP_LINEAR : gl.LINEAR);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
      if (isSmall) gl.generateMipmap(gl.TEXTURE_2D);
      const at = this.stage.program("picture");
      const buffer = gl.createFramebuffer();
      gl.bindFramebuffer(gl.FRAMEBUFFER, buffer);
      gl.bindVertexArray(this.stage.blank);
      gl.uniform1f(at.alpha, isVideo && header.hasAlpha);
      gl.uniform1f(at.flip, 1);
      const draw = ({ x, y }, size) => {
        // As many frame pixels as the texture has room for, so that its texels lie on them exactly.
        gl.uniform4f(at.part, x / across, y / down, size[0] / scale / across, size[1] / scale / down);
        gl.viewport(0, 0, ...size);
        gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
      };
      gl.framebufferTextureLayer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, this.#keys, 0, key);
      draw(this.rect, this.size);
      if (isMiddle) {
        gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.#still, 0);
        draw({ x: 0, y: 0 }, this.whole);
      }
      gl.deleteFramebuffer(buffer);
      gl.deleteTexture(scratch);
    }
    if (data) gl.finish(); // else what was handed over for one picture is still there when the next one comes
  }

  /**
   * Queues a picture for a canvas.
   *
   * @param {import("./player.js").Picture} picture
   * @param {() => void} done when it is drawn
   * @param {{draw: Function} | null} over what is drawn over it
   * @returns {boolean} whether pictures that are still to come would not change it
   */
  draw({ target, row, col, isEmpty, rests }, done, over) {
    const { n, axis, has, header } = this.#set;
    const [down, across] = [row, col].map((value) => keyUnits(header.looks, value));
    const chosen = corners(axis, n, down, across, has);
    const { isSlow } = this.stage;
    const zoom = isSlow && !isEmpty && !rests ? 2 : 1;
    const [width, height] = [target.canvas.width, target.canvas.height].map((side) => Math.ceil(side / zoom));
    const region = isEmpty ? { x: 0, y: 0, width, height } : onCanvas(header, width, height);
    const draw = () => {
      this.#draw(row, col, isEmpty, rests && !isSlow, chosen, zoom > 1);
      over?.draw(row, col);
    };
    this.stage.queue({ target, width, height, zoom, region, done, draw });
    return chosen.isFinal;
  }

  #draw(row, col, all, isSharp, { keys, shares }, isCoarse) {
    const gl = this.#gl;
    const { header, scale } = this.#set;
    const { imageWidth, imageHeight, looks } = header;
    const { rank } = header.motion;
    const { coefficients } = this.#motion;
    positions(coefficients, rank, looks, row, col, this.#target);
    for (let r = 0; r < rank; r++) {
      for (let i = 0; i < 4; i++) this.#anchors[r * 4 + i] = coefficients[keys[i] * rank + r];
    }
    const reach = [(imageWidth * scale) / this.whole[0], (imageHeight * scale) / this.whole[1]]; // of the texture
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.#still);
    if (all) {
      const picture = this.stage.program("picture", isSharp);
      gl.bindVertexArray(this.stage.blank);
      gl.uniform1f(picture.alpha, 0);
      gl.uniform1f(picture.flip, -1);
      gl.uniform4f(picture.part, 0, 0, ...reach);
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    }
    const at = this.stage.program("mesh", isSharp);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.#keys);
    gl.activeTexture(gl.TEXTURE2);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.#trust ?? this.#keys);
    gl.uniform1fv(at.T, this.#target);
    gl.uniform4fv(at.A, this.#anchors);
    gl.uniform4fv(at.L, keys);
    gl.uniform4fv(at.W, shares);
    gl.uniform1i(at.columns, this.#trust ? header.mesh.columns.length : 0);
    gl.uniform2f(at.frame, imageWidth, imageHeight);
    gl.uniform3f(at.rect, this.rect.x, this.rect.y, scale);
    gl.uniform2f(at.reach, ...reach);
    gl.bindVertexArray(this.#mesh.array);
    const { fine, count } = this.#mesh;
    gl.drawElements(gl.TRIANGLES, isCoarse ? count - fine : fine, gl.UNSIGNED_SHORT, isCoarse * fine * 2);
  }

  close() {
    const gl = this.#gl;
    for (const texture of [this.#keys, this.#still, this.#trust]) gl.deleteTexture(texture);
    for (const buffer of this.#mesh.buffers) gl.deleteBuffer(buffer);
    gl.deleteVertexArray(this.#mesh.array);
  }
}
