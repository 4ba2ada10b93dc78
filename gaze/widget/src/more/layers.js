/** Layers of a pack, drawn over the morph, and the one that closes the eyes (docs/format.md, "Layers"). */

import { corners, keyUnits, positions } from "../lattice.js";
import { whole, within } from "../numbers.js";
import { checkMorph, rising } from "../pack.js";
import { FIELD_PAIRS, MESH } from "../shaders.js";

const BLINK = "blink";
const [DOWN, SHUT, UP] = [130, 40, 200]; // ms to close the eyes, for which they are closed, and to open them
const MOST_PIXELS = 2 ** 24; // of all pictures of a layer
const MOST_VALUES = 8;

/** Two values of four keys each, blended; `S` says which slice of the textures each is. */
const FRAGMENT = `#version 300 es
precision highp float; precision highp sampler2DArray;
in vec4 X, Y; in float moving; out vec4 o;
uniform sampler2DArray K; uniform vec4 W, S[2]; uniform vec2 V;
void main() { vec4 c = vec4(0);
for (int v = 0; v < 2; v++) for (int i = 0; i < 4; i++)
c += V[v] * W[i] * texture(K, vec3(X[i], Y[i], S[v][i]));
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

/** How far the eyes are closed so many milliseconds after a blink began; 0 before and after. */
export function closedAt(time) {
  const ease = (part) => part * part * (3 - 2 * part);
  if (!(time > 0 && time < DOWN + SHUT + UP)) return 0;
  return time < DOWN ? ease(time / DOWN) : 1 - ease(Math.max(0, time - DOWN - SHUT) / UP);
}

/** The textures of a layer, at the size at which they are stored: they are small. */
class LayerBoard {
  #gl;
  #set;
  #motion;
  #stage;
  #pictures;
  #scratch;
  #program;
  #at = {};
  #mesh;
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
    this.#pictures = this.#texture(gl.TEXTURE_2D_ARRAY, gl.LINEAR_MIPMAP_LINEAR);
    const levels = Math.floor(Math.log2(Math.max(width, height))) + 1;
    gl.texStorage3D(gl.TEXTURE_2D_ARRAY, levels, gl.RGBA8, width, height, set.axis.length ** 2 * set.depth);
    this.#scratch = this.#texture(gl.TEXTURE_2D, gl.LINEAR);
    this.#compile();
    this.#mesh = stage.loadMesh(set.header.mesh, motion, set.header.motion.rank);
  }

  #texture(kind, filter) {
    const gl = this.#gl;
    const texture = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(kind, texture);
    gl.texParameteri(kind, gl.TEXTURE_MIN_FILTER, filter);
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(kind, side, gl.CLAMP_TO_EDGE);
    return texture;
  }

  #compile() {
    const gl = this.#gl;
    const program = (this.#program = gl.createProgram());
    for (const [kind, source] of [
      [gl.VERTEX_SHADER, MESH.vertex],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
      gl.deleteShader(shader);
    }
    gl.linkProgram(program);
    for (const name of ["T", "A", "rect", "frame", "columns", "W", "S", "V"]) {
      this.#at[name] = gl.getUniformLocation(program, name);
    }
  }

  /** Takes a decoded picture in, a VideoFrame or an ImageBitmap. */
  put(key, picture, { kind, codedWidth, codedHeight }) {
    const gl = this.#gl;
    const { width, height } = this.#set.header.region;
    const isVideo = kind === "video";
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.#scratch);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
    const at = this.#stage.program("picture");
    const buffer = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, buffer);
    gl.framebufferTextureLayer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, this.#pictures, 0, this.#slices.size);
    gl.bindVertexArray(this.#stage.blank);
    gl.uniform1f(at.stacked, isVideo ? 1 : 0);
    gl.uniform1f(at.flip, 1);
    gl.uniform4f(at.part, 0, 0, isVideo ? width / codedWidth : 1, isVideo ? height / codedHeight : 1);
    gl.disable(gl.BLEND);
    gl.viewport(0, 0, width, height);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    gl.deleteFramebuffer(buffer);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.#pictures);
    gl.generateMipmap(gl.TEXTURE_2D_ARRAY);
    this.#slices.set(key, this.#slices.size);
  }

  /** Draws it over what is there, with the viewport and the scissors set. */
  draw(row, col, strength) {
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
    const at = this.#at;
    gl.useProgram(this.#program);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.#pictures);
    gl.uniform1fv(at.T, this.#target);
    gl.uniform4fv(at.A, this.#anchors);
    gl.uniform4f(at.rect, region.x, region.y, 1 / region.width, 1 / region.height);
    gl.uniform2f(at.frame, imageWidth, imageHeight);
    gl.uniform1i(at.columns, 0);
    gl.uniform4fv(at.W, shares);
    gl.uniform4fv(at.S, slices);
    gl.uniform2f(at.V, ...steps.map(({ share }) => share));
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.bindVertexArray(this.#mesh.array);
    gl.drawElements(gl.TRIANGLES, this.#mesh.count, gl.UNSIGNED_SHORT, 0);
    gl.bindVertexArray(null);
    gl.disable(gl.BLEND);
  }

  close() {
    const gl = this.#gl;
    for (const texture of [this.#pictures, this.#scratch]) gl.deleteTexture(texture);
    for (const buffer of this.#mesh.buffers) gl.deleteBuffer(buffer);
    gl.deleteVertexArray(this.#mesh.array);
    gl.deleteProgram(this.#program);
  }
}

/** The layer that closes the eyes, as one portrait plays it. */
export class Overlay {
  #set;
  #wake;
  /** When the eyes began to close; NaN: as soon as the pictures are there; Infinity: not at all. */
  #began = Infinity;
  #strength = 0;

  /** @returns {boolean} whether the browser can draw it */
  open(player, header) {
    this.#set = player.layer(header, this, LayerBoard);
    return this.#set !== null;
  }

  blink(wake) {
    this.#wake = wake;
    if (this.#set && this.#strength === 0) this.#began = NaN;
    wake();
  }

  /** Called by the set. */
  changed() {
    if (Number.isNaN(this.#began) && this.#set.isWhole) this.#wake();
  }

  /** Called by the set: a face that does not blink is a face as well. */
  failed() {
    this.#began = Infinity;
    this.release();
    this.#set = null;
  }

  /** @returns {boolean} whether it has to be drawn, or to be taken away */
  step(now) {
    if (Number.isNaN(this.#began) && this.#set.isWhole) this.#began = now;
    const before = this.#strength;
    const time = now - this.#began;
    this.#strength = closedAt(time);
    return before > 0 || this.#strength > 0 || (time >= 0 && time < DOWN);
  }

  draw(row, col) {
    if (this.#strength > 0 && this.#set?.isWhole) this.#set.board?.draw(row, col, this.#strength);
  }

  release() {
    this.#set?.close(this);
  }
}

/**
 * Closes the eyes and opens them again, where the pack has what that takes and the browser WebGL2.
 *
 * @param {import("../widget.js").Widget} widget
 * @param {import("../player.js").MorphPlayer} [player] its own
 */
export function blink(widget, player) {
  if (!player?.isMorph || !player.transfer || isStill(widget)) return;
  if (!player.over) {
    const { layers = [], gridSize, imageWidth, imageHeight } = player.transfer.header;
    const layer = layers.find(({ name }) => name === BLINK);
    const header = { ...layer, gridSize, imageWidth, imageHeight };
    const over = new Overlay();
    if (layer && isLayer(header) && over.open(player, header)) player.over = over;
  }
  player.over?.blink(() => widget.wake());
}

const isStill = ({ host }) =>
  host.getAttribute("motion") !== "always" && matchMedia("(prefers-reduced-motion: reduce)").matches;

function isLayer(header) {
  const { region, values, looks, payloads, imageWidth, imageHeight } = header;
  try {
    checkMorph(header);
    for (const payload of payloads) if (payload.keys) rising(payload.keys, 1, looks.length, looks.length - 1);
  } catch {
    return false;
  }
  const { x, y, width, height } = region ?? {};
  const isInside = whole(x, 0, imageWidth) && whole(y, 0, imageHeight) && whole(width, 1, imageWidth - x);
  const rise = Array.isArray(values) && values.length <= MOST_VALUES && values.at(-1) === 1;
  const good = rise && values.every((value, i) => within(value, i ? values[i - 1] + 1e-6 : 1e-6, 1) !== undefined);
  return (
    good &&
    isInside &&
    whole(height, 1, imageHeight - y) &&
    width * height * values.length * looks.length ** 2 <= MOST_PIXELS
  );
}
