/** The pictures of a layer in the graphics memory, and how they are drawn over the morph (docs/format.md, "Layers"). */

import { corners, keyUnits, positions } from "../lattice.js";
import { FIELD_PAIRS, MESH } from "../shaders.js";

/** Two values of four keys each, blended; `I` says which slice of the textures each is. */
const FRAGMENT = `#version 300 es
precision highp float; precision highp sampler2DArray;
in vec4 X, Y; in float moving; out vec4 o;
uniform sampler2DArray K; uniform vec4 W, I[2]; uniform vec2 share; uniform float side;
void main() { vec4 c = vec4(0);
for (int v = 0; v < 2; v++) for (int i = 0; i < 4; i++)
c += step(0., side * (X[i] - .5)) * share[v] * W[i] * texture(K, vec3(X[i], Y[i], I[v][i]));
o = c * moving; }`;

/**
 * How much the pictures of each value count at a strength.
 *
 * @param {number[]} values ascending, the last is 1
 * @returns {{index: number, share: number}[]} two
 */
export function valueShares(values, strength) {
  if (strength <= values[0]) return [0, 0].map((index, i) => ({ index, share: i ? 0 : strength / values[0] }));
  const after = values.findIndex((value) => value >= strength);
  const part = (strength - values[after - 1]) / (values[after] - values[after - 1]);
  return [
    { index: after - 1, share: 1 - part },
    { index: after, share: part },
  ];
}

/** The textures of a layer, at the size at which they are stored: they are small. */
export class LayerBoard {
  #gl;
  #set;
  #motion;
  #stage;
  #pictures;
  #program;
  #mesh;
  /** Whether the smaller levels of the texture are of what its slices hold. */
  #isFiltered = false;
  /** @type {Map<number, number>} slices of the texture, by the pictures' keys */
  #slices = new Map();
  #target = new Float32Array(FIELD_PAIRS * 2);
  #anchors = new Float32Array(FIELD_PAIRS * 8);

  constructor(stage, set, motion) {
    const gl = (this.#gl = stage.gl);
    this.#stage = stage;
    this.#set = set;
    this.#motion = motion;
    const { width, height } = set.header.region;
    this.#pictures = stage.newTexture(gl.TEXTURE_2D_ARRAY, gl.LINEAR_MIPMAP_LINEAR);
    const levels = Math.floor(Math.log2(Math.max(width, height))) + 1;
    gl.texStorage3D(gl.TEXTURE_2D_ARRAY, levels, gl.RGBA8, width, height, set.axis.length ** 2 * set.depth);
    this.#program = stage.newProgram(MESH.vertex, FRAGMENT);
    this.#mesh = stage.loadMesh(set.header, motion);
  }

  /** Takes a decoded picture in, a VideoFrame, an ImageBitmap or planes. */
  put(key, picture, { kind, codedWidth, codedHeight }) {
    const gl = this.#gl;
    const { width, height } = this.#set.header.region;
    const [across, down] = kind === "video" ? [codedWidth, codedHeight] : [width, height];
    const parts = picture.length ? picture : [picture];
    this.#stage.take(parts, [across, down], kind === "video", false, (draw) => {
      gl.framebufferTextureLayer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, this.#pictures, 0, this.#slices.size);
      draw([width, height], [0, 0, width / across, height / down]);
    });
    this.#isFiltered = false;
    this.#slices.set(key, this.#slices.size);
  }

  /**
   * Draws it over what is there, with the viewport and the scissors set.
   *
   * @param {number} side the half of it that is drawn, -1 left or 1 right; 0: all
   */
  draw(row, col, strength, side) {
    const gl = this.#gl;
    const { header, n, axis, has } = this.#set;
    const { looks, motion, region, values, imageWidth, imageHeight } = header;
    const { coefficients } = this.#motion;
    const [down, across] = [row, col].map((value) => keyUnits(looks, value));
    const { keys, shares } = corners(axis, n, down, across, has);
    positions(coefficients, motion.rank, looks, row, col, this.#target);
    for (let r = 0; r < motion.rank; r++) {
      for (let i = 0; i < 4; i++) this.#anchors[r * 4 + i] = coefficients[keys[i] * motion.rank + r];
    }
    const steps = valueShares(values, strength);
    const slices = steps.flatMap(({ index }) => keys.map((key) => this.#slices.get(index * n * n + key) ?? 0));
    const { program, at } = this.#program;
    gl.useProgram(program);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.#pictures);
    if (!this.#isFiltered) gl.generateMipmap(gl.TEXTURE_2D_ARRAY); // of all slices, so not for each that comes
    this.#isFiltered = true;
    gl.uniform1fv(at.T, this.#target);
    gl.uniform4fv(at.A, this.#anchors);
    gl.uniform3f(at.rect, region.x, region.y, 1);
    gl.uniform2f(at.frame, imageWidth, imageHeight);
    gl.uniform1i(at.wide, 0);
    gl.uniform4fv(at.W, shares);
    gl.uniform4fv(at.I, slices);
    gl.uniform1f(at.side, side);
    gl.uniform2f(at.share, ...steps.map(({ share }) => share));
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.bindVertexArray(this.#mesh.array);
    gl.drawElements(gl.TRIANGLES, this.#mesh.fine, gl.UNSIGNED_SHORT, 0);
    gl.disable(gl.BLEND);
  }

  close() {
    const gl = this.#gl;
    gl.deleteTexture(this.#pictures);
    for (const buffer of this.#mesh.buffers) gl.deleteBuffer(buffer);
    gl.deleteVertexArray(this.#mesh.array);
    gl.deleteProgram(this.#program.program);
  }
}
