/**
 * The one WebGL2 context of the page. Every portrait is drawn there and copied from there into its own 2-D canvas:
 * contexts are scarce, and a page may hold fifty portraits.
 */

import { triangles, vertexData } from "./geometry.js";
import { MESH, PICTURE } from "./shaders.js";

const MAX_SIDE = 4096; // of the drawing surface; a job that is larger is drawn smaller by its owner
const TRIALS = 8; // frames that tell whether drawing is slow: the first ones may wait for programs, or for another page
const TELLING = 30000; // pixels of a frame that is worth a trial
const QUICK = 4; // ms in which such a frame is drawn where a GPU draws
const FINEST = 4; // pixels between lines of a mesh
const COARSE = 24; // the same of one that is drawn at half its size

class Stage {
  #canvas = document.createElement("canvas");
  /** Who wants to know when a context is lost or there again. */
  owners = new Set();
  #jobs = new Map();
  #sheet = document.createElement("canvas").getContext("2d");
  #programs;
  /** Signaled when the last frame is drawn. */
  #sync;
  /**
   * Frames that may still turn out to be quick. Infinity: one was, a GPU draws, most likely. 0: none was, the processor
   * draws. Browsers mask the names of renderers, so the clock has to tell.
   */
  trials;

  constructor() {
    this.gl = this.#canvas.getContext("webgl2", { antialias: false, depth: false });
    this.#canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault(); // else it never comes back
      for (const owner of this.owners) owner.lost();
    });
    this.#canvas.addEventListener("webglcontextrestored", () => {
      this.#prepare();
      for (const owner of this.owners) owner.restored();
    });
    this.#prepare(); // without WebGL2 this fails, as it should
  }

  get isLost() {
    return this.gl.isContextLost();
  }

  #prepare() {
    const { gl } = this;
    this.#programs = {};
    this.trials = TRIALS;
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    this.blank = gl.createVertexArray();
  }

  /**
   * Whether the processor still draws the last frame. Browsers queue frames without end: a face would lag seconds behind
   * its pointer, and so would all that is asked for then.
   */
  get isBusy() {
    const { gl } = this;
    return this.trials < Infinity && this.#sync && gl.getSyncParameter(this.#sync, gl.SYNC_STATUS) === gl.UNSIGNALED;
  }

  /**
   * Unless drawing is quick, waits until all that was asked for is done, as `finish` does not in Chromium: what is under
   * way takes main memory where the processor draws, 10 KB for a triangle.
   */
  wait() {
    const { gl } = this;
    if (this.trials < Infinity) gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  }

  /** @param {"picture" | "mesh"} name, made when it is first used @returns {object} the places of its uniforms */
  program(name, isSharp = false, isPlanar = false) {
    const { vertex, fragment } = name === "mesh" ? MESH : PICTURE;
    const kind = name + isSharp + isPlanar;
    const { program, at } = (this.#programs[kind] ??= this.newProgram(vertex, fragment(isSharp, isPlanar)));
    this.gl.useProgram(program);
    return at;
  }

  /**
   * A program, and the places of its uniforms: textures `K`, `S`, `U`, `u`, `V`, `v` and `trust` are in the first seven units.
   * Whoever asked deletes it.
   */
  newProgram(...sources) {
    const { gl } = this;
    const program = gl.createProgram();
    sources.forEach((source, i) => {
      const shader = gl.createShader(i ? gl.FRAGMENT_SHADER : gl.VERTEX_SHADER);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
      gl.deleteShader(shader); // once the program is
    });
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !this.isLost) {
      throw new Error("the graphics driver refuses it");
    }
    gl.useProgram(program);
    const at = {};
    for (let i = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS); i--; ) {
      const { name } = gl.getActiveUniform(program, i);
      at[name.split("[")[0]] = gl.getUniformLocation(program, name);
    }
    [..."KSUuVv", "trust"].forEach((name, unit) => gl.uniform1i(at[name], unit));
    return { program, at };
  }

  /** An empty texture, with room if a format says of what; bound to the second unit or a later one. Whoever asked deletes it. */
  newTexture(kind, filter, format, size, depth, unit = 1) {
    const { gl } = this;
    const texture = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(kind, texture);
    gl.texParameteri(kind, gl.TEXTURE_MIN_FILTER, filter);
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(kind, side, gl.CLAMP_TO_EDGE);
    if (depth) gl.texStorage3D(kind, 1, format, ...size, depth);
    else if (format) gl.texStorage2D(kind, 1, format, ...size);
    return texture;
  }

  /**
   * Takes a decoded picture in: a VideoFrame, an ImageBitmap, or planes.
   *
   * @param {object[]} parts the picture alone, or planes of it: one, or Y, U and V
   * @param {number[]} size of the first plane; others have half of it
   * @param {number} alpha as the program of pictures knows it
   * @param {boolean} isFiltered whether smaller levels of it are looked at
   * @param {(draw: Function) => void} act says where it is drawn to, and calls `draw` with the size of that, and with the
   *   left, top, width and height of what of the picture belongs there
   */
  take(parts, size, alpha, isFiltered, act) {
    const { gl } = this;
    const textures = parts.map((part, i) => {
      const filter = isFiltered ? gl.LINEAR_MIPMAP_LINEAR : gl.LINEAR;
      const texture = this.newTexture(gl.TEXTURE_2D, filter, 0, 0, 0, 2 * i + 1);
      const format = part.buffer ? [gl.R8, ...size.map((side) => side >> (i && 1)), 0, gl.RED] : [gl.RGBA8, gl.RGBA];
      gl.texImage2D(gl.TEXTURE_2D, 0, ...format, gl.UNSIGNED_BYTE, part);
      if (isFiltered) gl.generateMipmap(gl.TEXTURE_2D);
      return texture;
    });
    const at = this.program("picture", false, parts.length > 1);
    const buffer = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, buffer);
    gl.bindVertexArray(this.blank);
    gl.uniform1f(at.alpha, alpha);
    act((room, part) => {
      gl.uniform4fv(at.part, part);
      gl.viewport(0, 0, ...room);
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    });
    gl.deleteFramebuffer(buffer);
    for (const texture of textures) gl.deleteTexture(texture);
  }

  /**
   * Takes in the mesh of a header, for pictures of a scale, and the motion of its points; whoever asked deletes `array`
   * and `buffers`. Its second part, from `fine` to `count`, are fewer triangles.
   */
  loadMesh({ mesh, motion: { rank } }, motion, scale = 1) {
    const { gl } = this;
    const { data, stride } = vertexData(mesh, motion, rank);
    const fine = triangles(mesh, FINEST / scale);
    const indices = new Uint16Array([...fine, ...triangles(mesh, COARSE / scale)]);
    const array = gl.createVertexArray();
    gl.bindVertexArray(array);
    const buffers = [gl.ARRAY_BUFFER, gl.ELEMENT_ARRAY_BUFFER].map((kind, i) => {
      const buffer = gl.createBuffer();
      gl.bindBuffer(kind, buffer);
      gl.bufferData(kind, i ? indices : data, gl.STATIC_DRAW);
      return buffer;
    });
    for (let i = 0; i <= Math.ceil(rank / 2); i++) {
      gl.enableVertexAttribArray(i);
      gl.vertexAttribPointer(i, i ? 4 : 3, gl.FLOAT, false, stride * 4, Math.max(0, 16 * i - 4));
    }
    return { array, buffers, fine: fine.length, count: indices.length };
  }

  /**
   * @typedef {object} Job
   * @property {CanvasRenderingContext2D} target
   * @property {number} width, @property {number} height of the whole picture
   * @property {{x: number, y: number, width: number, height: number}} region what is to be drawn of it
   * @property {number} zoom pixels of the target for one of it
   * @property {(stage: Stage) => void} draw every pixel of the region, with the viewport and the scissors set
   * @property {() => void} [done]
   *
   * @param {Job} job to be drawn by `drawAll`
   */
  queue(job) {
    this.#jobs.set(job.target, job); // instead of one that came before in the same frame
  }

  /** Draws all that is queued, side by side, and copies it where it belongs. */
  drawAll() {
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    while (jobs.length && !this.isLost) this.#round(jobs);
  }

  /** Draws as many jobs as there is room for; takes them from the list. */
  #round(jobs) {
    const { gl } = this;
    const start = performance.now();
    const placed = [];
    const widest = Math.max(...jobs.map(({ region }) => region.width));
    const side = Math.min(MAX_SIDE, Math.ceil(Math.sqrt(jobs.length)) * widest);
    let [x, y, tall] = [0, 0, 0];
    while (jobs.length) {
      const { region } = jobs[0];
      if (x + region.width > side) [x, y, tall] = [0, y + tall, 0];
      if (placed.length && y + region.height > MAX_SIDE) break;
      placed.push({ job: jobs.shift(), x, y });
      x += region.width;
      tall = Math.max(tall, region.height);
    }
    this.#fit(side, y + tall);
    const whole = this.#canvas.height;
    gl.enable(gl.SCISSOR_TEST);
    for (const { job, x: left, y: top } of placed) {
      const { region, width, height } = job;
      gl.scissor(left, whole - top - region.height, region.width, region.height);
      gl.viewport(left - region.x, whole - (top - region.y) - height, width, height);
      job.draw(this);
    }
    gl.disable(gl.SCISSOR_TEST);
    gl.deleteSync(this.#sync);
    this.#sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    let source = this.#canvas;
    if (placed[1]) {
      // Each time that a part of the surface is taken, browsers copy all of it.
      this.#sheet.globalCompositeOperation = "copy";
      this.#sheet.drawImage(source, 0, 0);
      source = this.#sheet.canvas;
    }
    for (const { job, x: left, y: top } of placed) {
      const { region, target, zoom } = job;
      // What is enlarged leaves half a pixel at its edge out: browsers mix in what lies beyond it.
      const off = (zoom - 1) / 2;
      const size = (rim) => [region.width - 2 * rim, region.height - 2 * rim];
      const rim = region.width + region.height < job.width + job.height && off;
      const there = [region.x + rim, region.y + rim, ...size(rim)].map((side) => side * zoom);
      target.clearRect(...there);
      target.drawImage(source, left + off, top + off, ...size(off), ...there);
      job.done?.();
    }
    if (!this.trials || side * (y + tall) < TELLING) return;
    this.wait();
    this.trials = performance.now() - start < QUICK ? Infinity : this.trials - 1;
  }

  /** Makes the surface as large as needed; smaller again only when it is far too large, since that costs. */
  #fit(width, height) {
    const canvas = this.#canvas;
    const isSmall = canvas.width < width || canvas.height < height;
    const needed = [width, height].map((side) => Math.ceil(side / 64) * 64);
    if (!isSmall && canvas.width * canvas.height < 5 * needed[0] * needed[1]) return;
    for (const it of [canvas, this.#sheet.canvas]) [it.width, it.height] = needed;
  }
}

/** @type {Stage | null | undefined} undefined until somebody needs it, null where the browser has no WebGL2 */
export let made;

/** @returns {Stage | null} null where the browser has no WebGL2 */
export function stage() {
  if (made === undefined) {
    try {
      made = new Stage();
    } catch {
      made = null;
    }
  }
  return made;
}
