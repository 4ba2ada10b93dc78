// What the pages of the benchmark measure about the widget on them, whichever version it is. Comes before it.
"use strict";

const measure = (() => {
  const ask = window.requestAnimationFrame.bind(window);
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  const nextFrame = () => new Promise(ask);
  const trackers = () => [...document.querySelectorAll("gaze-tracker")];
  const canvasOf = (tracker) => tracker.shadowRoot.querySelector("canvas");
  const quantile = (list, share) => [...list].sort((a, b) => a - b)[Math.floor(share * (list.length - 1))];

  // Script of the widget: its callbacks for frames, and what it does about a move of the pointer. Copies from the
  // graphics memory are counted apart: without a GPU, script waits there until the processor has drawn.
  let busy = 0;
  let copying = 0;
  let copies = 0;
  let depth = 0;
  const timed = (act) => {
    const start = performance.now();
    depth += 1;
    act();
    depth -= 1;
    busy += performance.now() - start;
  };
  window.requestAnimationFrame = (callback) => ask((now) => timed(() => callback(now)));
  CanvasRenderingContext2D.prototype.drawImage = function (...rest) {
    const start = performance.now();
    draw.apply(this, rest);
    if (!depth) return;
    copying += performance.now() - start;
    copies += 1;
  };

  const LEAST = 12; // frames to measure, where a processor that compiles programs takes seconds for one
  let shift = 0;
  if (PerformanceObserver.supportedEntryTypes.includes("layout-shift")) {
    new PerformanceObserver((list) => {
      for (const { value } of list.getEntries()) shift += value;
    }).observe({ type: "layout-shift", buffered: true });
  } else {
    shift = null;
  }

  /**
   * Moves the pointer over the whole viewport for so long, and for `least` frames, once to and fro in `period` ms;
   * `each` after each frame.
   */
  async function drive(period, duration, each = () => {}, least = 0) {
    const start = performance.now();
    for (let now = start, drawn = 0; now < start + duration || drawn < least; now = performance.now(), drawn++) {
      const turn = (now / period) * 2 * Math.PI;
      const place = {
        clientX: (innerWidth / 2) * (1 + 0.98 * Math.sin(turn)),
        clientY: (innerHeight / 2) * (1 + 0.98 * Math.sin(turn * 0.83 + 1)),
      };
      timed(() => window.dispatchEvent(new PointerEvent("pointermove", place)));
      await nextFrame();
      each();
    }
  }

  const scratch = document.createElement("canvas");
  const pen = scratch.getContext("2d", { willReadFrequently: true });

  /** Greys of a part of what a tracker shows: left, top, width and height as shares of the picture. */
  function greys(tracker, [left, top, width, height]) {
    const canvas = canvasOf(tracker);
    const x = Math.round(left * canvas.width);
    const y = Math.round(top * canvas.height);
    const size = [Math.max(1, Math.round(width * canvas.width)), Math.max(1, Math.round(height * canvas.height))];
    if (scratch.width !== size[0] || scratch.height !== size[1]) [scratch.width, scratch.height] = size;
    pen.clearRect(0, 0, ...size);
    draw.call(pen, canvas, x, y, ...size, 0, 0, ...size);
    const { data } = pen.getImageData(0, 0, ...size);
    const out = new Float64Array(size[0] * size[1]);
    for (let i = 0; i < out.length; i++) {
      out[i] = 0.2126 * data[i * 4] + 0.7152 * data[i * 4 + 1] + 0.0722 * data[i * 4 + 2];
    }
    return { values: out, width: size[0], height: size[1] };
  }

  const mean = ({ values }) => values.reduce((a, b) => a + b, 0) / values.length;

  /** Shows a look and waits until nothing changes any more, nor is drawn better once it is at rest. `face`: the point that looks are measured from. */
  async function rest(tracker, row, col, face, part) {
    Object.assign(tracker, { smoothing: 0, follow: "none" });
    const size = 30;
    const box = canvasOf(tracker).getBoundingClientRect();
    const point = (value, low, extent, share, end) => {
      const look = (value / (size - 1)) * 2 - 1;
      const at = low + extent * share;
      return at + look * (look > 0 ? end - at : at);
    };
    const x = point(col, box.left, box.width, face[0], innerWidth);
    tracker.lookAt(x, point(row, box.top, box.height, face[1], innerHeight));
    let before = null;
    for (let same = 0, start = performance.now(); same < 4 || performance.now() - start < 400; ) {
      await nextFrame();
      const now = greys(tracker, part).values;
      const isSame = before !== null && now.every((value, i) => value === before[i]);
      same = isSame ? same + 1 : 0;
      before = now;
    }
    if (Math.abs(tracker.row - row) + Math.abs(tracker.col - col) > 0.02) throw new Error(`it looks at ${tracker.row}, ${tracker.col}`);
  }

  return {
    /** Resolves when all portraits are there, and what they show is at rest. */
    async loaded() {
      while (!trackers().every((it) => it.loaded)) await nextFrame();
      return true;
    },

    /** Tells the server as soon as what is shown follows the pointer: a second picture of the face. */
    async follows() {
      const [tracker] = trackers();
      const seen = new Set();
      while (seen.size < 2) {
        await drive(700, 1);
        const picture = tracker.shadowRoot && greys(tracker, [0.2, 0.2, 0.6, 0.6]);
        if (picture && mean(picture) > 0) seen.add(picture.values.join());
      }
      await fetch("/follows");
      return performance.now();
    },

    shift: () => shift,

    drive,

    /**
     * Milliseconds of script and of copies, by frame in which the widget draws, and from one of these to the next: the
     * mean, up to when all are drawn, since browsers take more of them than they draw in the same time.
     */
    async work(period, duration) {
      const found = { script: [], copies: [] };
      const note = () => {
        if (!copies) return;
        found.script.push(busy - copying);
        found.copies.push(copying);
        busy = copying = copies = 0;
      };
      greys(trackers()[0], [0.5, 0.5, 0.01, 0.01]);
      const start = performance.now();
      await drive(period, duration, note, LEAST);
      greys(trackers()[0], [0.5, 0.5, 0.01, 0.01]); // waits
      const told = { frames: { mean: (performance.now() - start) / found.script.length } };
      for (const [name, list] of Object.entries(found)) told[name] = { p50: quantile(list, 0.5), p95: quantile(list, 0.95) };
      return told;
    },

    /** What a ramp shows at rest: greys of its parts for looks on the diagonal. */
    async scale(looks, face, column, row) {
      const [tracker] = trackers();
      const found = [];
      for (const look of looks) {
        await rest(tracker, look, look, face, column);
        found.push([mean(greys(tracker, column)), mean(greys(tracker, row))]);
      }
      return found;
    },

    /** Where the spring is and what a ramp shows, at each change while the pointer moves: row, col, greys of both. */
    async chase(period, duration, column, row) {
      const [tracker] = trackers();
      tracker.removeAttribute("smoothing");
      tracker.removeAttribute("follow");
      const found = [];
      const read = () => found.push([tracker.row, tracker.col, mean(greys(tracker, column)), mean(greys(tracker, row))]);
      const listen = () => queueMicrotask(read); // when all of the frame is drawn
      await drive(period, 500);
      tracker.addEventListener("gazechange", listen);
      await drive(period, duration);
      tracker.removeEventListener("gazechange", listen);
      return found;
    },

    /** Sharpness of a part at rest, for each look: the root mean square of the differences of neighbours. */
    async sharpness(looks, face, part) {
      const [tracker] = trackers();
      const found = [];
      for (const [row, col] of looks) {
        await rest(tracker, row, col, face, part);
        const { values, width, height } = greys(tracker, part);
        let sum = 0;
        for (let y = 0; y < height - 1; y++) {
          for (let x = 0; x < width - 1; x++) {
            const i = y * width + x;
            sum += (values[i + 1] - values[i]) ** 2 + (values[i + width] - values[i]) ** 2;
          }
        }
        found.push(Math.sqrt(sum / ((width - 1) * (height - 1))));
      }
      return found;
    },

    /** Who draws in the graphics memory. */
    renderer() {
      const gl = document.createElement("canvas").getContext("webgl2");
      const names = gl?.getExtension("WEBGL_debug_renderer_info");
      return gl ? gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER) : null;
    },
  };
})();
