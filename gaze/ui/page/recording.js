// A clip recorded from the players on the stage, for formats that only the browser writes.

import { columnsFor } from "./dom.js";

const SECONDS = 4;
const BLINK = 2.3;
const RATE = 30;
const BITS = 6_000_000; // a second
const MOST = 768; // pixels of a side
const GAP = 8; // pixels between several faces
const TYPES = { mp4: ["video/mp4;codecs=avc1.42E01F", "video/mp4"], webm: ["video/webm;codecs=vp9", "video/webm"] };

/** The media type with which this browser records a kind of file, "mp4" or "webm"; "" if it does not. */
export const typeOf = (kind) => TYPES[kind]?.find((type) => globalThis.MediaRecorder?.isTypeSupported(type)) ?? "";

/** Where the pointer is after so many seconds, across and down, -1 to 1: the path of `gaze.output.clip`. */
export function place(seconds) {
  const turn = (2 * Math.PI * seconds) / SECONDS;
  return [0.95 * Math.sin(turn), 0.6 * Math.sin(2 * turn)];
}

/**
 * Records four seconds in which faces look along the path of a clip, and blink once.
 *
 * @param {HTMLElement[]} trackers those to be seen, side by side
 * @param {string} type as `typeOf` gives it
 * @param {boolean} square whether the part around each face is a square
 * @returns {Promise<Blob>}
 */
export async function record(trackers, type, square) {
  const parts = trackers.map((tracker) => new Part(tracker, square));
  const picture = new Picture(parts);
  const stream = picture.canvas.captureStream(RATE);
  const recorder = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: BITS });
  const chunks = [];
  recorder.ondataavailable = ({ data }) => chunks.push(data);
  const ended = new Promise((done, fail) => {
    recorder.onstop = done;
    recorder.onerror = () => fail(new Error("The recording broke off."));
  });
  const leave = parts.map((part) => part.take());
  let timer;
  try {
    for (const part of parts) part.look(0);
    await frame();
    await frame();
    picture.draw();
    recorder.start();
    const begun = performance.now();
    timer = setTimeout(() => recorder.stop(), 1000 * SECONDS); // not by frames: a page that is hidden has none
    let blinked = false;
    while (recorder.state === "recording") {
      const seconds = (performance.now() - begun) / 1000;
      for (const part of parts) part.look(seconds);
      if (!blinked && seconds > BLINK) {
        blinked = true;
        for (const part of parts) part.tracker.blink();
      }
      await Promise.race([frame(), ended]);
      picture.draw();
    }
    await ended;
  } finally {
    clearTimeout(timer); // one that broke off may not be stopped
    for (const back of leave) back();
    for (const track of stream.getTracks()) track.stop();
  }
  return new Blob(chunks, { type: type.split(";")[0] });
}

const frame = () => new Promise(requestAnimationFrame);

/** One face, and what of its canvas is seen. */
class Part {
  #face;

  constructor(tracker, square) {
    this.tracker = tracker;
    this.canvas = tracker.shadowRoot.querySelector("canvas");
    this.#face = tracker.manifest.face ?? { x: 0.5, y: 0.5 };
    const { width, height } = this.canvas;
    const side = Math.min(width, height);
    const within = (value, most) => Math.min(Math.max(value, 0), most);
    this.box = square
      ? [
          within(this.#face.x * width - side / 2, width - side),
          within(this.#face.y * height - 0.45 * side, height - side),
          side,
          side,
        ]
      : [0, 0, width, height];
  }

  /** Leads it alone from now on; what is returned gives it back to the pointer. */
  take() {
    const { tracker } = this;
    const led = { follow: "none", smoothing: "0", motion: "always" };
    const before = Object.keys(led).map((name) => [name, tracker.getAttribute(name)]);
    for (const [name, value] of Object.entries(led)) tracker.setAttribute(name, value);
    return () => {
      for (const [name, value] of before)
        if (value === null) tracker.removeAttribute(name);
        else tracker.setAttribute(name, value);
      tracker.reset();
    };
  }

  look(seconds) {
    const [across, down] = place(seconds);
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const at = (value, face, end) => face + value * (value > 0 ? end - face : face);
    const [x, y] = [left + width * this.#face.x, top + height * this.#face.y];
    this.tracker.lookAt(at(across, x, innerWidth), at(down, y, innerHeight));
  }
}

/** What is recorded: all parts in a grid, before white. */
class Picture {
  canvas = document.createElement("canvas");
  #context = this.canvas.getContext("2d", { alpha: false });
  #places;
  #parts;

  constructor(parts) {
    this.#parts = parts;
    const columns = columnsFor(parts.length);
    const rows = Math.ceil(parts.length / columns);
    const [width, height] = [2, 3].map((side) => Math.max(...parts.map(({ box }) => box[side])));
    const scale = Math.min(1, MOST / Math.max(width * columns, height * rows));
    const even = (value) => Math.max(2, 2 * Math.round(value / 2)); // as videos want it
    const [w, h] = [even(width * scale), even(height * scale)];
    this.canvas.width = columns * w + (columns - 1) * GAP;
    this.canvas.height = rows * h + (rows - 1) * GAP;
    this.#places = parts.map((_, at) => [(at % columns) * (w + GAP), Math.floor(at / columns) * (h + GAP), w, h]);
  }

  draw() {
    const context = this.#context;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.#parts.forEach(({ canvas, box }, at) => {
      context.drawImage(canvas, ...box, ...this.#places[at]);
    });
  }
}
