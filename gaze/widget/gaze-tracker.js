/*
 * <gaze-tracker>: a portrait whose face follows the pointer.
 *
 * A portrait is a grid of frames, size × size cells: row 0 looks up, column 0 looks to the left edge of the image. The
 * frames lie in one pack, from which they are decoded when they are needed, or side by side in sprite sheets, which are
 * cut. This script draws the frame, or the blend of four neighbours, that looks at the pointer.
 *
 * It is a classic script because file:// refuses modules. It draws to a 2-D canvas because file:// refuses pictures as
 * WebGL textures, and because a page may hold fifty of them. It never reads pixels back: file:// forbids that too.
 *
 * In this order: numbers, pure functions, sources, Player (a pack), Portrait (the frames), page (what all widgets
 * share), GazeTracker.
 */
(() => {
  "use strict";
  if (typeof window === "undefined" || !window.customElements || customElements.get("gaze-tracker")) return;

  // ---- numbers

  /**
   * Bytes of decoded frames that all widgets of a page may hold together, each an equal share: room for 20×20 frames of
   * 512×512. Half of it on phones and where memory is short. The sheet that is being cut comes on top, one at a time.
   * (Of a pack, few frames are held at all.)
   */
  const BUDGET = 400 * 2 ** 20;

  const SMOOTHING = 300; // ms to cover 95 % of the way to a new look
  const SETTLE_95 = 4.744; // q with (1 + q)·exp(-q) = 0.05: a critically damped spring gets there in q / ω seconds
  const KEY_STEP = 0.2; // of the range from -1 to 1, for one press of an arrow key
  const TILT_RANGE = 20; // degrees from how the phone was held to the end of the range
  const IDLE_AFTER = 4000; // ms without any input
  const IDLE_PAUSE = [1200, 4000]; // ms between two glances
  const REFIT_AFTER = 250; // ms without a change of size, before frames are cut anew for the new sizes
  const SLICE = 6; // ms of cutting after which the page may breathe
  const KEPT = [12, 40]; // decoded frames of a pack that are kept: at least, and at most where memory allows
  const AHEAD = 0.1; // seconds of motion for which frames are decoded ahead
  const MAX_CHAIN = 8; // decodes for one frame, at most (docs/format.md); likewise:
  const MAX_GRID = 60; // rows and columns
  const MAX_SIDE = 16384; // pixels of a frame
  const MAX_PAYLOAD = 2 ** 30; // bytes
  const DECODER_PATIENCE = 4000; // ms after which a video decoder that says nothing counts as broken
  const OTHER_SIZE = "its frames are not of the size that it says";
  const LABEL = "Portrait that looks at the pointer";

  // ---- pure functions

  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  /** A number of a manifest or a header, which may hold anything; undefined where it is none between the bounds. */
  const within = (value, low, high) =>
    typeof value === "number" && value >= low && value <= high ? value : undefined;

  /** The point between the eyes, likewise. */
  function facePoint(face) {
    const [x, y] = [within(face?.x, -1, 2), within(face?.y, -1, 2)];
    return x === undefined || y === undefined ? null : { x, y };
  }

  /**
   * One axis of a look, in [-1, 1]: 0 at the face, ±1 at the viewport's edges, however far off centre the face is, and
   * towards the point where the face is outside.
   */
  function lookAlong(point, face, extent) {
    const range = point > face ? extent - face : face;
    return clamp((point - face) / Math.max(1, range), -1, 1);
  }

  /**
   * One step of a critically damped spring, solved exactly: the same motion at 30, 60 and 144 frames a second.
   *
   * @param {{at: number, speed: number}} axis changed in place
   * @param {number} target
   * @param {number} seconds since the last step
   * @param {number} omega 1 / seconds; Infinity jumps
   */
  function glide(axis, target, seconds, omega) {
    if (omega === Infinity) {
      axis.at = target;
      axis.speed = 0;
      return;
    }
    const offset = axis.at - target;
    const push = axis.speed + omega * offset;
    const decay = Math.exp(-omega * seconds);
    axis.at = target + (offset + push * seconds) * decay;
    axis.speed = (axis.speed - omega * push * seconds) * decay;
  }

  /**
   * The value of `smoothing` in milliseconds. Values between 0 and 1 are how older pages write it: the share of the
   * way covered per frame at 60 Hz.
   */
  function smoothingMilliseconds(text) {
    const value = text === null || text.trim() === "" ? NaN : Number(text);
    if (!(value >= 0)) return SMOOTHING;
    if (value === 0 || value >= 1) return value;
    return ((1000 / 60) * Math.log(0.05)) / Math.log(1 - value);
  }

  /**
   * Shares of 255 for the four cells around a fractional place. They are whole numbers that add up to 255, so that
   * opaque frames added together are opaque again, without a flicker.
   *
   * @returns {number[]} top left, top right, bottom left, bottom right
   */
  function blendWeights(down, across) {
    const [up, back] = [1 - down, 1 - across];
    const exact = [up * back, up * across, down * back, down * across].map((share) => share * 255);
    const weights = exact.map(Math.floor);
    const byRemainder = [0, 1, 2, 3].sort((a, b) => exact[b] - weights[b] - (exact[a] - weights[a]));
    const missing = 255 - weights.reduce((a, b) => a + b);
    for (const i of byRemainder.slice(0, missing)) weights[i] += 1;
    return weights;
  }

  /**
   * The cells per side of a sheet and the size of a frame, from what was declared and the size the sheet really has.
   * What is declared may be missing, or describe another set: the picture has the last word.
   *
   * @param {{cells?: number, width?: number, height?: number}} declared
   * @returns {{cells: number, width: number, height: number} | null} null when nothing fits
   */
  function sheetLayout(declared, sheetWidth, sheetHeight) {
    const fits = (n) =>
      Number.isInteger(n) && n > 0 && n <= MAX_GRID && sheetWidth % n === 0 && sheetHeight % n === 0;
    const layout = (n) => ({ cells: n, width: sheetWidth / n, height: sheetHeight / n });
    const { cells, width, height } = declared;
    const across = sheetWidth / width;
    if (across === sheetHeight / height && fits(across)) return layout(across);
    if (fits(cells)) return layout(cells);
    const guesses = Array.from({ length: 30 }, (_, i) => i + 1).filter(fits).map(layout);
    if (cells) return null;
    const distance = (l) => Math.abs(Math.log(Math.max(l.width, l.height) / 512)); // frames are about 512 long
    return guesses.reduce((best, l) => (distance(l) < distance(best) ? l : best));
  }

  /**
   * How a phone is held: roll (right edge down) and pitch (top edge up), in degrees, as the screen is turned now. By
   * way of the direction of gravity, because beta and gamma themselves jump where a phone stands upright.
   *
   * @param {number} beta, gamma of a deviceorientation event
   * @param {number} angle of the screen, in degrees
   */
  function attitude(beta, gamma, angle) {
    const radians = Math.PI / 180;
    const [b, g, a] = [beta * radians, gamma * radians, angle * radians];
    const down = { x: Math.cos(b) * Math.sin(g), y: -Math.sin(b), z: -Math.cos(b) * Math.cos(g) };
    const right = down.x * Math.cos(a) - down.y * Math.sin(a);
    const top = down.x * Math.sin(a) + down.y * Math.cos(a);
    return { roll: Math.asin(clamp(right, -1, 1)) / radians, pitch: Math.atan2(-top, -down.z) / radians };
  }

  const randomBetween = (low, high) => low + Math.random() * (high - low);

  const pause = () => window.scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve));

  // ---- sources

  /**
   * @typedef {object} SheetSet
   * @property {number | undefined} size rows and columns of the whole grid, where known
   * @property {string[]} sheets URLs: four quadrants (top left, top right, bottom left, bottom right) or one sheet
   * @property {boolean} [guessed] nothing says that it is there
   *
   * @typedef {object} Source
   * @property {SheetSet | null} full null where there is a pack alone
   * @property {SheetSet | null} small the 20×20 set for phones
   * @property {number | undefined} width of a frame, in pixels
   * @property {number | undefined} height
   * @property {string | null} poster
   * @property {string | null} pack URL of the frames in one file, which goes before the sheets
   * @property {{x: number, y: number} | null} face the point between the eyes, as a fraction of the frame
   */

  /**
   * The source that a manifest (metadata.json and `base`) describes.
   *
   * @param {number} [guess] size of a small set that may lie there though the manifest does not say so
   * @returns {Source}
   */
  function readManifest(manifest, guess) {
    if (typeof manifest !== "object") throw new Error("The manifest is no object.");
    const base = new URL(manifest.base || "./", document.baseURI);
    const at = (name) => new URL(name, base).href;
    const names = (suffix) =>
      manifest.mode === "single" ? [`sheet${suffix}.webp`] : [0, 1, 2, 3].map((i) => `q${i}${suffix}.webp`);
    const list = (given, usual) => {
      if (![undefined, null].includes(given) && !(Array.isArray(given) && [0, 1, 4].includes(given.length))) {
        throw new Error("The manifest's sheets are no list of one or four names.");
      }
      return (given ?? names(usual)).map(at);
    };
    const guessed = !("mobileGridSize" in manifest);
    const small = guessed ? guess : within(manifest.mobileGridSize, 1, MAX_GRID);
    const smallSheets = list(manifest.mobileSheets, `_${small}`);
    const sheets = list(manifest.sheets, "");
    return {
      full: sheets.length ? { size: within(manifest.gridSize, 1, MAX_GRID), sheets } : null,
      small: small && smallSheets.length ? { size: small, sheets: smallSheets, guessed } : null,
      width: within(manifest.imageWidth, 1, MAX_SIDE),
      height: within(manifest.imageHeight, 1, MAX_SIDE),
      poster: manifest.poster ? at(manifest.poster) : null,
      pack: manifest.pack ? at(manifest.pack) : null,
      face: facePoint(manifest.face),
    };
  }

  /** The source that attributes describe: a list of sheets, or a folder with metadata.json. */
  async function readAttributes({ src, mode, grid, width, height }, signal) {
    const declared = { mode, gridSize: grid, imageWidth: width, imageHeight: height };
    if (/\.pack([?#]|$)/i.test(src)) return { ...readManifest({ ...declared, pack: src }), full: null };
    const sheets = src.startsWith("data:") ? [src] : src.split(",").map((name) => name.trim()).filter(Boolean);
    if (sheets.length > 1 || mode === "single" || /^data:|\.(webp|avif|png|jpe?g|gif)([?#]|$)/i.test(src)) {
      const expected = { quadrants: 4, single: 1 }[mode] || (sheets.length === 1 ? 1 : 4);
      if (sheets.length !== expected) {
        throw new Error(`src names ${sheets.length} sheets, mode="${mode || "quadrants"}" needs ${expected}.`);
      }
      return readManifest({ ...declared, sheets });
    }
    const folder = new URL(src.replace(/metadata\.json$/, "").replace(/\/?$/, "/"), document.baseURI);
    const metadata = await readMetadata(folder, signal);
    // Folders made elsewhere may have a 20×20 set that their metadata.json, if there is one, does not mention.
    return readManifest({ ...declared, ...metadata, base: folder.href }, 20);
  }

  /** metadata.json of a folder; an empty object where there is none, or where it cannot be fetched (file://). */
  async function readMetadata(folder, signal) {
    if (folder.protocol === "file:") return {};
    const url = new URL("metadata.json", folder).href;
    const response = await fetch(url, { signal }).catch(() => ({ status: 404 }));
    if (response.status === 404) return {};
    if (!response.ok) throw new Error(`${url} could not be loaded (status ${response.status}).`);
    return response.json().catch(() => {
      throw new Error(`${url} is not valid JSON.`);
    });
  }

  /**
   * The bytes of a picture, still encoded. Of this page's own server they come by fetch, because a Blob is decoded off
   * the main thread; everything else comes by <img>, which file:// and servers without CORS allow too.
   *
   * @param {boolean} forWebGL the picture must be one that WebGL accepts
   * @returns {Promise<Blob | HTMLImageElement>}
   */
  async function download(url, signal, forWebGL) {
    if (/^https?:/.test(url) && new URL(url).origin === location.origin) {
      const response = await fetch(url, { signal }).catch((error) => {
        if (signal.aborted) throw error; // else refused by the page's policy, perhaps, and <img> is allowed
      });
      if (response && !response.ok) throw new Error(`status ${response.status}`);
      if (response) return response.blob();
    }
    return new Promise((resolve, reject) => {
      const image = new Image();
      if (forWebGL) image.crossOrigin = "anonymous";
      const stop = () => image.removeAttribute("src");
      image.onload = () => {
        signal.removeEventListener("abort", stop); // which would keep the picture
        resolve(image);
      };
      image.onerror = () => reject(new Error("not found, or not a picture"));
      signal.addEventListener("abort", stop);
      image.src = url;
    });
  }

  // ---- Player

  /** The bytes of a pack, from `start` on, part by part as they arrive. Leaving the loop ends the transfer. */
  async function* packBytes(url, start, signal) {
    const address = url.startsWith("file:") ? await embeddedPack(url) : url;
    const response = await fetch(address, { signal, headers: start ? { Range: `bytes=${start}-` } : {} });
    if (!response.ok) throw new Error(`status ${response.status}`);
    let skip = response.status === 206 ? 0 : start; // servers may ignore the range
    const reader = response.body.getReader();
    try {
      for (let part; !(part = await reader.read()).done; skip -= part.value.length) {
        if (skip < part.value.length) yield part.value.subarray(Math.max(0, skip));
      }
    } finally {
      reader.cancel().catch(() => {});
    }
  }

  /** The pack as a data: URL, from the script beside it: pages opened from files may not fetch, but may have scripts. */
  function embeddedPack(url) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${url}.js`;
      script.onload = () => resolve(window.gazePacks?.[script.src]);
      script.onerror = () => reject(new Error("not found"));
      document.head.append(script);
      script.remove();
    });
  }

  /** @returns {object | null} the header of a pack, with the place of each payload; null while it is incomplete */
  function packHeader(bytes) {
    if (bytes.length < 12) return null;
    const magic = String.fromCharCode(...bytes.subarray(0, 8));
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
    if (magic !== "GAZEPACK" || length > 65536) throw new Error("it is no pack");
    if (bytes.length < 12 + length) return null;
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(12, 12 + length)));
    if (header?.version !== 1) throw new Error(`its version is ${header?.version}`);
    const whole = (value, low, high) => Number.isInteger(within(value, low, high));
    const { gridSize, imageWidth, imageHeight, payloads } = header;
    const isGood =
      whole(gridSize, 2, MAX_GRID) &&
      whole(imageWidth, 1, MAX_SIDE) &&
      whole(imageHeight, 1, MAX_SIDE) &&
      Array.isArray(payloads) &&
      payloads.length > 0 &&
      payloads.every((payload) => whole(payload?.length, gridSize ** 2 * 12, MAX_PAYLOAD));
    if (!isGood) throw new Error("its header makes no sense");
    let start = 12 + length;
    for (const payload of payloads) {
      payload.start = start;
      start += payload.length;
    }
    return header;
  }

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
  class StillsDecoder {
    constructor(payload) {
      this.payload = payload;
    }

    async decode(cell, wants, put) {
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
  class ChainDecoder {
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
     * @param {(cell: number) => boolean} wants whether a frame on the way is of use, too
     * @param {(cell: number, frame: ImageBitmap) => void} put
     */
    async decode(cell, wants, put) {
      try {
        await this.#decode(cell, wants, put);
      } catch (error) {
        if (this.#isOver) throw error;
        this.#reset(); // browsers take decoders away from pages that rest: once more with a new one
        await this.#decode(cell, wants, put);
      }
    }

    #decode(cell, wants, put) {
      this.#open();
      const { payload } = this;
      const { width, height, alpha } = payload;
      if (this.#at === cell) this.#at = -1;
      const way = [];
      for (let step = cell; step >= 0 && step !== this.#at; step = payload.parent(step)) {
        if (way.unshift(step) > MAX_CHAIN) throw new Error("its frames go round in circles");
      }
      this.#at = cell;
      let timer;
      const done = new Promise((resolve, reject) => {
        this.#fail = reject;
        timer = setTimeout(() => reject(new Error("the video decoder does not answer")), DECODER_PATIENCE);
        for (const step of way) {
          this.#expected.push(async (frame) => {
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
      return done.finally(() => clearTimeout(timer));
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

  /**
   * Plays a pack: takes it in from the middle of the grid outwards, decodes the frames that are wanted, and keeps few.
   * Of the payloads it takes the first that the browser can decode, and the next one if that fails.
   */
  class Player {
    /** @type {(ImageBitmap | undefined)[]} by row · size + column */
    frames = [];
    #url;
    #signal;
    #owner;
    #header;
    #payloads;
    #decoder = null;
    #bytes = new Uint8Array();
    #index;
    #filled = 0;
    /** @type {number[]} cells, the most urgent first */
    #wanted = [];
    /** Cells of the frames held, the one that was not wanted for longest first. */
    #held = new Set();
    #isDecoding = false;

    /**
     * @param {object} owner
     * @param {(header: object) => void} owner.onheader
     * @param {() => void} owner.onframe
     * @param {(loaded: number, total: number) => void} owner.onprogress in bytes
     * @param {(error: Error) => void} owner.onfail after it was loaded
     */
    constructor(url, signal, owner) {
      this.#url = url;
      this.#signal = signal;
      this.#owner = owner;
    }

    /** Settles when all bytes are there. */
    async load() {
      const parts = packBytes(this.#url, 0, this.#signal);
      let head = new Uint8Array();
      while (!(this.#header = packHeader(head))) {
        const { value, done } = await parts.next();
        if (done) throw new Error("it ends within its header");
        const longer = new Uint8Array(head.length + value.length);
        longer.set(head);
        longer.set(value, head.length);
        head = longer;
      }
      this.#payloads = [...this.#header.payloads];
      this.#owner.onheader(this.#header);
      await this.#playNext(parts, head.subarray(this.#payloads[0].start));
    }

    release() {
      this.#decoder?.close();
      this.#decoder = null;
      this.frames.forEach((frame) => frame?.close());
      this.frames.length = 0;
      this.#held.clear();
    }

    /** @param {number[][]} places rows and columns, fractional, the most urgent first */
    want(places) {
      const size = this.#header.gridSize;
      const cells = places.flatMap(([row, col]) => {
        const both = (value) => [Math.floor(value), Math.ceil(value)];
        const around = both(row).flatMap((r) => both(col).map((c) => [r, c]));
        const distance = ([r, c]) => (r - row) ** 2 + (c - col) ** 2;
        return around.sort((a, b) => distance(a) - distance(b)).map(([r, c]) => r * size + c);
      });
      this.#wanted = [...new Set(cells)];
      for (const cell of this.#wanted) if (this.#held.delete(cell)) this.#held.add(cell);
      this.#decodeWanted();
    }

    /** @param {AsyncGenerator} [parts] where the first payload is coming from already, and what came of it */
    async #playNext(parts, first) {
      const payload = this.#payloads.shift();
      if (!payload) throw new Error("nothing in it can be decoded");
      const { gridSize, imageWidth: width, imageHeight: height } = this.#header;
      const read = { data: (cell) => this.#data(cell), parent: (cell) => this.#entry(cell)[2] };
      const about = { ...payload, width, height, ...read };
      const decoder = payload.kind === "stills" ? new StillsDecoder(about) : await ChainDecoder.for(about);
      if (!decoder) {
        parts?.return();
        return this.#playNext();
      }
      this.#decoder = decoder;
      const bytes = (this.#bytes = new Uint8Array(payload.length));
      this.#index = new Int32Array(bytes.buffer, 0, gridSize ** 2 * 3);
      this.#filled = 0;
      const fill = (part) => {
        const room = bytes.length - this.#filled;
        bytes.set(part.subarray(0, room), this.#filled);
        this.#filled += Math.min(room, part.length);
        this.#owner.onprogress(this.#filled, bytes.length);
        this.#decodeWanted();
        return this.#filled === bytes.length;
      };
      if (first && fill(first)) return parts.return();
      for await (const part of parts ?? packBytes(this.#url, payload.start, this.#signal)) {
        if (bytes !== this.#bytes || fill(part)) return; // complete, or given up for the next payload
      }
      throw new Error("it is cut off");
    }

    #entry(cell) {
      return this.#index.subarray(cell * 3, cell * 3 + 3);
    }

    #data(cell) {
      const [offset, length] = this.#entry(cell);
      return this.#bytes.subarray(offset, offset + length);
    }

    /** Whether the bytes of a cell are there. Its parents lie before it. */
    #isThere(cell) {
      const [offset, length] = this.#entry(cell);
      return this.#filled >= this.#index.byteLength && offset + length <= this.#filled;
    }

    async #decodeWanted() {
      if (this.#isDecoding) return;
      this.#isDecoding = true;
      const decoder = this.#decoder;
      try {
        for (let cell; decoder && !this.#signal.aborted && (cell = this.#mostUrgent()) >= 0; ) {
          await decoder.decode(cell, (other) => this.#wanted.includes(other), (...frame) => this.#put(...frame));
        }
      } catch (error) {
        if (!this.#signal.aborted) this.#giveUp(decoder);
      } finally {
        this.#isDecoding = false;
      }
    }

    #giveUp(decoder) {
      decoder.close();
      this.#decoder = null;
      this.#playNext().catch((error) => this.#signal.aborted || this.#owner.onfail(error));
    }

    /** The first cell wanted whose frame is not held; -1 if there is none. While it has not arrived, the nearest to it. */
    #mostUrgent() {
      for (const cell of this.#wanted) {
        const best = this.#isThere(cell) ? cell : this.#nearestThere(cell);
        if (best >= 0 && !this.frames[best]) return best;
      }
      return -1;
    }

    #nearestThere(cell) {
      const size = this.#header.gridSize;
      let [best, least] = [-1, Infinity];
      for (let i = 0; i < size ** 2; i++) {
        const distance = (Math.floor(i / size) - Math.floor(cell / size)) ** 2 + ((i % size) - (cell % size)) ** 2;
        if (distance < least && this.#isThere(i)) [best, least] = [i, distance];
      }
      return best;
    }

    #put(cell, frame) {
      if (this.#signal.aborted) return frame.close();
      this.frames[cell]?.close();
      this.frames[cell] = frame;
      this.#held.delete(cell);
      this.#held.add(cell);
      const most = clamp(Math.floor(page.bytesPerWidget / (frame.width * frame.height * 4)), ...KEPT);
      for (const old of this.#held) {
        if (this.#held.size <= most) break;
        this.frames[old].close();
        delete this.frames[old];
        this.#held.delete(old);
      }
      this.#owner.onframe();
    }
  }

  // ---- Portrait

  /**
   * The frames of one portrait. A pack is played, if there is one. Else sheets come one after the other, the one with
   * the centre first; each is decoded whole, cut into frames of the size that is shown, and let go. (Frames cannot be
   * cut from an encoded sheet one by one: browsers decode the whole sheet for every cut.)
   */
  class Portrait {
    /** @type {(ImageBitmap | undefined)[]} by row · size + column */
    frames = [];
    /** @type {ImageBitmap | null} shown until the first frame is there */
    poster = null;
    size = NaN;
    width = NaN;
    height = NaN;
    /** Size of the frames held, as a share of the size they have in the sheets. */
    scale = NaN;
    loaded = false;
    /** Whether all sheets were tried: what is not there by now does not come. */
    tried = false;
    face = { x: 0.5, y: 0.5 };
    /** @type {SheetSet} */
    #set;
    /** @type {Player | null} */
    #player = null;
    #fitting = false;
    #abort = new AbortController();
    #owner;

    /**
     * @param {object} owner who shows it
     * @param {() => {scale: (width: number) => number, bytes: number}} owner.room what is useful, what is allowed
     * @param {boolean} owner.forWebGL pictures must be ones that WebGL accepts
     * @param {(portrait: Portrait) => number[][]} owner.places rows and columns for which frames are needed now
     * @param {(portrait: Portrait) => void} owner.onshape its width and height are known
     * @param {(portrait: Portrait) => void} owner.onpicture there is something new to draw
     * @param {(loaded: number, total: number) => void} owner.onprogress
     * @param {(message: string, url: string) => void} owner.onerror
     */
    constructor(owner) {
      this.#owner = owner;
    }

    /** Lets go of everything and stops loading. */
    release() {
      this.#abort.abort();
      this.#player?.release();
      for (const frame of this.frames) frame?.close();
      this.frames = [];
      this.#dropPoster();
    }

    /** @param {(signal: AbortSignal) => Source | Promise<Source>} read */
    async load(read) {
      const { signal } = this.#abort;
      try {
        const source = await read(signal);
        if (signal.aborted) return;
        this.#shape(source);
        this.face = source.face ?? this.face;
        if (source.poster) this.#loadPoster(source.poster);
        if (source.pack && (await this.#play(source))) return;
        await this.#loadSheets(source);
      } catch (error) {
        this.#fail(error.message, "");
      }
    }

    /** @returns {Promise<boolean>} false where there are sheets instead, and the pack cannot be played */
    async #play(source) {
      const { signal } = this.#abort;
      const giveUp = (error) => {
        this.#player.release();
        this.#player = null;
        this.loaded = false;
        if (signal.aborted || source.full) return;
        this.#fail(`The pack ${source.pack} could not be played (${error.message}).`, source.pack);
      };
      let progress = [0, NaN];
      const report = () => {
        const [loaded, total] = progress;
        if (loaded === total && !this.frames.length) return; // it is loaded when there is something to see, too
        this.loaded = loaded === total;
        this.#owner.onprogress(loaded, total);
      };
      this.#player = new Player(source.pack, signal, {
        onheader: ({ gridSize, imageWidth, imageHeight, face }) => {
          this.size = gridSize;
          this.face = source.face ?? facePoint(face) ?? this.face;
          this.scale = 1;
          this.#shape({ width: imageWidth, height: imageHeight });
          this.want(this.#owner.places(this));
        },
        onframe: () => {
          this.#dropPoster();
          this.#owner.onpicture(this);
          if (!this.loaded) report();
        },
        onprogress: (...bytes) => {
          progress = bytes;
          report();
        },
        onfail: (error) => {
          giveUp(error);
          if (source.full) this.#loadSheets(source);
        },
      });
      this.frames = this.#player.frames;
      try {
        await this.#player.load();
        return true;
      } catch (error) {
        giveUp(error);
        return signal.aborted || !source.full;
      }
    }

    async #loadSheets(source) {
      try {
        this.#set = this.#choose(source);
        let first = this.#download(0);
        if (this.#set !== source.full && (await first.catch(() => null)) === null) {
          this.#set = source.full; // a small set that is not there
          first = this.#download(0);
        }
        await this.#cutSheets(first, (done, total) => this.#owner.onprogress(done, total));
        this.tried = true;
        if (!this.#abort.signal.aborted) this.#owner.onpicture(this);
      } catch (error) {
        this.#fail(error.message, "");
      }
    }

    /** @param {number[][]} places rows and columns for which frames are needed, the most urgent first */
    want(places) {
      if (this.size) this.#player?.want(places);
    }

    /** Cuts the frames anew when they have become too small for the picture on the screen, or too large for memory. */
    async fit() {
      if (!this.loaded || this.#fitting || this.#player) return;
      const before = this.scale;
      const wanted = this.#bestScale();
      const isTooLarge = this.#bytes(before) > this.#owner.room().bytes * 1.1;
      if (wanted < before * 1.1 && !isTooLarge) return;
      this.#fitting = true;
      this.scale = wanted;
      if (wanted > before) await this.#cutSheets(this.#download(0), () => {});
      else await page.takeTurn(() => this.#shrink());
      this.#fitting = false;
    }

    /** The frame of the cell nearest to a place, of those that are there. */
    nearest(row, col) {
      const { frames, size } = this;
      const wanted = frames[Math.round(row) * size + Math.round(col)];
      if (wanted) return wanted;
      let best;
      let least = Infinity;
      frames.forEach((frame, i) => {
        if (!frame) return;
        const distance = (Math.floor(i / size) - row) ** 2 + ((i % size) - col) ** 2;
        if (distance < least) [best, least] = [frame, distance];
      });
      return best;
    }

    #shape({ width, height }) {
      if (!(width > 0 && height > 0)) return;
      this.width = width;
      this.height = height;
      this.#owner.onshape(this);
    }

    async #loadPoster(url) {
      const { signal } = this.#abort;
      try {
        const picture = await createImageBitmap(await download(url, signal, this.#owner.forWebGL));
        if (signal.aborted || this.frames.length) return picture.close();
        this.poster = picture;
        if (!this.width) this.#shape(picture);
        this.#owner.onpicture(this);
      } catch (error) {
        this.#fail(`The poster ${url} could not be loaded (${error.message}). Check its name.`, url);
      }
    }

    #dropPoster() {
      this.poster?.close();
      this.poster = null;
    }

    /** The full set, or the small one where the full one costs too much: data, or memory at the size shown. */
    #choose({ full, small, width, height }) {
      if (!small) return full;
      const room = this.#owner.room();
      const bytes = (full.size * room.scale(width)) ** 2 * width * height * 4;
      const fits = bytes <= room.bytes; // false too where the full set's size is not known
      const mustSave = navigator.connection?.saveData || bytes > room.bytes;
      return mustSave || (page.isSmall && !(small.guessed && fits)) ? small : full;
    }

    /** The sheets in the order of loading: the one with the centre cell first, then the one that completes its rows. */
    get #order() {
      return this.#set.sheets.length === 4 ? [3, 2, 1, 0] : [0];
    }

    #download(i) {
      const sheet = download(this.#set.sheets[this.#order[i]], this.#abort.signal, this.#owner.forWebGL);
      sheet.catch(() => {}); // reported when its turn comes, and not as unhandled before
      return sheet;
    }

    /**
     * @param {Promise<Blob | HTMLImageElement>} ahead the first sheet, on its way
     * @param {(done: number, total: number) => void} report
     */
    async #cutSheets(ahead, report) {
      const order = this.#order;
      const total = order.length;
      let done = 0;
      report(done, total);
      for (const [i, index] of order.entries()) {
        try {
          const encoded = await ahead.finally(() => {
            if (i + 1 < total) ahead = this.#download(i + 1); // travels while this one is cut
          });
          await page.takeTurn(() => this.#cut(encoded, index));
          done += 1;
          if (this.#abort.signal.aborted) return;
          this.loaded ||= done === total;
          report(done, total);
        } catch (error) {
          const url = this.#set.sheets[index];
          const why = error.name === "InvalidStateError" ? "not a picture this browser can decode" : error.message;
          this.#fail(`The sheet ${url} could not be loaded (${why}). Check that it is there, beside the others.`, url);
        }
      }
    }

    async #cut(encoded, index) {
      const { signal } = this.#abort;
      if (signal.aborted) return;
      const sheet = await createImageBitmap(encoded);
      try {
        const { size: declaredSize, sheets } = this.#set;
        const quadrants = sheets.length === 4;
        const declared = { cells: quadrants ? declaredSize / 2 : declaredSize, width: this.width, height: this.height };
        const layout = sheetLayout(declared, sheet.width, sheet.height);
        if (!layout) {
          const [across, tall] = [sheet.width, sheet.height];
          throw new Error(`${across}×${tall} pixels do not divide into ${declared.cells}×${declared.cells} frames`);
        }
        const { cells, width, height } = layout;
        const size = quadrants ? cells * 2 : cells;
        if (!this.frames.length) {
          this.size = size;
          this.#shape(layout);
          this.scale = this.#bestScale();
        } else if (size !== this.size) {
          throw new Error("its frames are not of the size of the others'");
        }
        const top = quadrants && index >= 2 ? cells : 0;
        const left = quadrants && index % 2 ? cells : 0;
        const middle = (size - 1) / 2;
        const places = Array.from({ length: cells ** 2 }, (_, i) => [Math.floor(i / cells), i % cells]);
        const fromMiddle = ([row, col]) => (row + top - middle) ** 2 + (col + left - middle) ** 2;
        places.sort((a, b) => fromMiddle(a) - fromMiddle(b));
        const resize = this.#resize();
        await this.#inSlices(places, async ([row, col]) => {
          const frame = await createImageBitmap(sheet, col * width, row * height, width, height, resize);
          this.#put((row + top) * size + col + left, frame);
        });
        this.#dropPoster();
      } finally {
        sheet.close();
      }
    }

    /** Makes the frames held smaller, without their sheets. */
    #shrink() {
      const resize = this.#resize();
      return this.#inSlices([...this.frames.entries()], async ([i, frame]) => {
        this.#put(i, await createImageBitmap(frame, resize));
      });
    }

    #put(i, frame) {
      if (this.#abort.signal.aborted) return frame.close();
      this.frames[i]?.close();
      this.frames[i] = frame;
    }

    /** Does a job for each item; every few milliseconds it shows what there is and lets the page breathe. */
    async #inSlices(items, job) {
      let since = performance.now();
      for (const item of items) {
        if (this.#abort.signal.aborted) return;
        await job(item);
        if (performance.now() - since < SLICE) continue;
        this.#owner.onpicture(this);
        await pause();
        since = performance.now();
      }
      if (!this.#abort.signal.aborted) this.#owner.onpicture(this);
    }

    /** Memory that all frames take at a scale. */
    #bytes(scale) {
      return (this.size * scale) ** 2 * this.width * this.height * 4;
    }

    /** The size of the picture on the screen, as far as the sheets and memory allow. */
    #bestScale() {
      const room = this.#owner.room();
      return Math.min(room.scale(this.width), Math.sqrt(room.bytes / this.#bytes(1)));
    }

    #resize() {
      if (this.scale === 1) return {};
      const pixels = (side) => Math.max(1, Math.round(side * this.scale));
      return { resizeWidth: pixels(this.width), resizeHeight: pixels(this.height), resizeQuality: "high" };
    }

    #fail(message, url) {
      if (!this.#abort.signal.aborted) this.#owner.onerror(message, url);
    }
  }

  // ---- page

  /** What all widgets of a page share: one set of listeners, one clock, one line at the decoder. */
  const page = {
    /** @type {Set<GazeTracker>} */
    widgets: new Set(),
    /** @type {Set<GazeTracker>} those that move */
    awake: new Set(),
    /** @type {Set<GazeTracker>} those that follow the phone's tilt */
    tilting: new Set(),
    onTilt: (event) => page.tilting.forEach((widget) => widget.tilted(event)),
    /** @type {{x: number, y: number} | null} where the pointer is, in the viewport; null when it is not on the page */
    pointer: null,
    listening: null,
    frame: 0,
    idleTimer: 0,
    fitTimer: 0,
    line: Promise.resolve(),
    isSmall: matchMedia("(pointer: coarse)").matches && Math.min(screen.width, screen.height) < 600,
    stillness: matchMedia("(prefers-reduced-motion: reduce)"),

    get bytesPerWidget() {
      const isLittle = this.isSmall || navigator.deviceMemory <= 4;
      return BUDGET / (isLittle ? 2 : 1) / Math.max(1, this.widgets.size);
    },

    add(widget) {
      if (!this.widgets.size) this.listen();
      this.widgets.add(widget);
      for (const observer of this.observers) observer.observe(widget);
      this.stir();
      this.refit();
    },

    remove(widget) {
      this.widgets.delete(widget);
      this.awake.delete(widget);
      this.setTilting(widget, false);
      for (const observer of this.observers) observer.unobserve(widget);
      if (this.widgets.size) this.refit();
      else this.unlisten();
    },

    listen() {
      this.listening = new AbortController();
      const options = { capture: true, passive: true, signal: this.listening.signal };
      const on = (target, types, handler) => {
        for (const type of types.split(" ")) target.addEventListener(type, handler, options);
      };
      const all = (method, ...values) => this.widgets.forEach((widget) => widget[method](...values));
      const point = (x, y) => {
        this.pointer = x === null ? null : { x, y };
        all("pointed", this.pointer);
        this.stir();
      };
      on(window, "pointermove pointerdown", (event) => point(event.clientX, event.clientY));
      on(window, "pointerout", (event) => event.relatedTarget || event.pointerType === "touch" || point(null));
      // Touch events as well, because the pointer events of a finger end where it begins to scroll the page.
      on(window, "touchstart touchmove", ({ touches: [finger] }) => point(finger.clientX, finger.clientY));
      on(window, "touchend touchcancel", ({ touches }) => touches.length || point(null));
      on(window, "keydown", () => this.stir());
      on(window, "scroll", () => all("wake")); // the face moves under a pointer that rests
      on(window, "resize", () => all("resized"));
      on(document, "visibilitychange", () => {
        if (document.hidden) return this.sleep();
        all("wake");
        this.stir();
      });
      on(this.stillness, "change", () => all("calm"));
      const observe = (Observer, handler, observerOptions) =>
        new Observer((entries) => entries.forEach((entry) => handler(entry.target, entry)), observerOptions);
      this.observers = [
        observe(IntersectionObserver, (widget, entry) => widget.seen(entry.isIntersecting)),
        observe(IntersectionObserver, (widget, entry) => widget.near(entry.isIntersecting), { rootMargin: "50%" }),
        observe(ResizeObserver, (widget) => widget.resized()),
      ];
    },

    unlisten() {
      this.listening.abort();
      for (const observer of this.observers) observer.disconnect();
      clearTimeout(this.fitTimer);
      this.pointer = null;
      this.sleep();
    },

    /** The sensor runs only while somebody listens. */
    setTilting(widget, on) {
      this.tilting[on ? "add" : "delete"](widget);
      const change = this.tilting.size ? "addEventListener" : "removeEventListener";
      window[change]("deviceorientation", this.onTilt);
    },

    wake(widget) {
      if (document.hidden) return;
      if (!this.awake.has(widget)) widget.waking(performance.now());
      this.awake.add(widget);
      this.frame ||= requestAnimationFrame((now) => this.tick(now));
    },

    sleep() {
      clearTimeout(this.idleTimer);
      cancelAnimationFrame(this.frame);
      this.frame = 0;
      this.awake.clear();
    },

    tick(now) {
      this.frame = 0;
      for (const widget of [...this.awake]) {
        this.awake.delete(widget); // first, because a listener of gazechange may wake or remove it
        if (widget.step(now) && widget.isConnected) this.awake.add(widget);
      }
      if (this.awake.size) this.frame ||= requestAnimationFrame((next) => this.tick(next));
    },

    /** Somebody did something: glances end, and idle life begins anew after a while. */
    stir() {
      this.widgets.forEach((widget) => widget.glance(0, 0));
      clearTimeout(this.idleTimer);
      if ([...this.widgets].some((widget) => widget.idle)) {
        this.idleTimer = setTimeout(() => this.glances(), IDLE_AFTER);
      }
    },

    glances() {
      for (const widget of this.widgets) {
        const away = Math.random() < 0.6; // else back to where it looked
        if (widget.idle) widget.glance(away * randomBetween(-0.5, 0.5), away * randomBetween(-0.25, 0.25));
      }
      this.idleTimer = setTimeout(() => this.glances(), randomBetween(...IDLE_PAUSE));
    },

    /** Lets all widgets fit their frames to the sizes and the memory there are now, once these stay the same. */
    refit() {
      clearTimeout(this.fitTimer);
      this.fitTimer = setTimeout(() => this.widgets.forEach((widget) => widget.fitFrames()), REFIT_AFTER);
    },

    /** Runs jobs one after the other, so that no two sheets are held decoded at the same time. */
    takeTurn(job) {
      const done = this.line.then(job);
      this.line = done.catch(() => {});
      return done;
    },
  };

  // ---- GazeTracker

  const STYLE = `
    :host { aspect-ratio: 4 / 5; display: block; position: relative; overflow: hidden; touch-action: pan-y;
            user-select: none; -webkit-user-select: none; -webkit-tap-highlight-color: transparent; }
    :host([hidden]) { display: none; }
    :host(:fullscreen) { background: var(--gaze-fullscreen-background, #000); border-radius: 0; }
    .stage { position: absolute; inset: 0; overflow: hidden; border-radius: inherit; outline: none; }
    .stage:focus-visible { outline: var(--gaze-focus-ring, 3px solid #4c8dff); outline-offset: -3px; }
    canvas { position: absolute; display: block; pointer-events: none; }
    .controls { position: absolute; right: 8px; bottom: 8px; display: flex; gap: 6px;
                opacity: 0; transition: opacity 0.2s; }
    :host(:hover) .controls, .stage:focus-visible + .controls, .controls:focus-within { opacity: 1; }
    @media (hover: none) { .controls { opacity: 1; } }
    :host([hide-controls]) .controls, button[hidden] { display: none; }
    button { width: 40px; height: 40px; padding: 8px; border: 0; border-radius: 50%; cursor: pointer;
             color: var(--gaze-button-color, #fff); background: var(--gaze-button-background, rgb(0 0 0 / 0.55)); }
    button:focus-visible { outline: var(--gaze-focus-ring, 3px solid #4c8dff); outline-offset: 1px; }
    button[aria-pressed="true"] { box-shadow: inset 0 0 0 2px currentColor; }
    svg { display: block; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round;
          stroke-linejoin: round; }
    .status { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
              white-space: nowrap; }
  `;

  const ICONS = {
    fullscreen: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
    tilt: "M8 5h8v14H8zM3 8c-1.5 2.5-1.5 5.5 0 8M21 8c1.5 2.5 1.5 5.5 0 8",
  };

  /** A round button with an icon. Built node by node: strict pages refuse markup in strings. */
  function makeButton(name, label, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.part = `button ${name}-button`;
    button.title = label;
    button.setAttribute("aria-label", label);
    button.hidden = true;
    const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    button.append(svg);
    button.addEventListener("click", act);
    return button;
  }

  /**
   * @element gaze-tracker
   * @attr {string} src - Folder of the portrait with metadata.json; or a pack; or the sheets, separated by commas.
   * @attr {"quadrants" | "single"} mode - How `src` lists sheets: four quadrants, or one sheet.
   * @attr {number} grid - Rows and columns of the whole grid, where no metadata.json says it.
   * @attr {number} width - Width of a frame in pixels, likewise.
   * @attr {number} height - Height of a frame in pixels, likewise.
   * @attr {string} poster - Picture to show until the first frame is there.
   * @attr {string} alt - What the portrait shows, for those who do not see it. Empty: decoration only.
   * @attr {"cover" | "contain"} fit - How the frame fills the element's box. Default: cover.
   * @attr {"smooth" | "motion" | "none"} blend - When frames blend into their neighbours: always, only in motion (to
   *   rest on a whole frame, which is sharper), or never. Default: smooth.
   * @attr {number} smoothing - Milliseconds to cover 95 % of the way to a new look; 0 jumps. Default: 300.
   * @attr {"pointer" | "none"} follow - What the face follows by itself. Default: pointer.
   * @attr {"auto" | "always"} motion - Whether a visitor who prefers reduced motion is spared it. Default: auto.
   * @attr {boolean} idle - Small glances when nothing happens.
   * @attr {boolean} hide-controls - No buttons.
   * @attr {"lazy" | "eager"} loading - Load when near the viewport, or at once. Default: lazy.
   * @attr {"canvas" | "pixi"} renderer - pixi: also offer the picture as `texture` to a PixiJS scene. Default: canvas.
   * @attr {string} pixi-src - URL of the PixiJS module, where the page has no `PIXI` of its own.
   * @fires load - All that is to be loaded is there.
   * @fires progress - A sheet arrived, or a part of the pack. Detail: loaded, total.
   * @fires error - Something could not be loaded or done. Detail: message, url.
   * @fires gazechange - The face looks elsewhere. Detail: row, col, x, y.
   * @csspart stage - The box of the picture; it takes the keyboard's focus.
   * @csspart canvas - The picture.
   * @csspart controls - The row of buttons.
   * @csspart status - What is read out to those who do not see the portrait load.
   * @csspart button - Each button.
   * @csspart tilt-button - The button that follows the tilt of the phone.
   * @csspart fullscreen-button - The button for full screen.
   * @cssprop --gaze-focus-ring - Outline of what has the keyboard's focus.
   * @cssprop --gaze-button-color - Colour of the icons.
   * @cssprop --gaze-button-background - Colour behind the icons.
   * @cssprop --gaze-fullscreen-background - Colour around the portrait in full screen.
   */
  class GazeTracker extends HTMLElement {
    static observedAttributes = [
      ...["src", "mode", "grid", "width", "height", "poster", "alt", "fit", "blend", "smoothing", "follow", "motion"],
      ...["idle", "hide-controls", "loading", "renderer", "pixi-src"],
    ];

    #isSeen = false;
    #isNear = false;

    #manifest = null;
    /** @type {Portrait | null} the one on the canvas */
    #portrait = null;
    /** @type {Portrait | null} the one that will replace it as soon as it has something to show */
    #next = null;
    #mustLoad = true;
    #restarting = false;

    /** Where the face looks now, each axis in [-1, 1]. */
    #x = { at: 0, speed: 0 };
    #y = { at: 0, speed: 0 };
    /**
     * Where it is to look: at a point of the viewport, at an element, in a direction; null: straight ahead.
     * @type {{x: number, y: number} | {element: Element} | {look: number[]} | null}
     */
    #aim = null;
    #glance = [0, 0];
    #tiltStart = null;
    /** The look that was wanted in the last step, and whether the face has come to rest there. */
    #wanted = [0, 0];
    #rests = false;
    #lastStep = 0;
    #mustDraw = false;

    #stage = document.createElement("div");
    #canvas = document.createElement("canvas");
    #controls = document.createElement("div");
    #status = document.createElement("div");
    #tiltButton = makeButton("tilt", "Follow the tilt of the phone", () => this.followTilt(!page.tilting.has(this)));
    #fullscreenButton = makeButton("fullscreen", "Full screen", () => this.#toggleFullscreen());
    /** Half floats, where the browser has them: sums of 8-bit shares would be up to 3 levels off, a visible shimmer. */
    #context = this.#canvas.getContext("2d", { colorType: "float16" });
    #texture = null;
    /** Settles when the texture is there, if there is to be one. */
    #pixi;
    /** Style of the host from inside: the page's own styles win over it. */
    #hostStyle;
    /** Size of a frame: as large as the sheets have it, and on the screen in device pixels. */
    #shape = { width: 4, height: 5 };
    #drawnWidth = 0;

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open", delegatesFocus: true });
      const sheet = new CSSStyleSheet(); // unlike a style element, allowed by a strict Content-Security-Policy
      sheet.replaceSync(STYLE);
      this.#hostStyle = sheet.cssRules[0].style;
      root.adoptedStyleSheets = [sheet];
      const parts = { stage: this.#stage, canvas: this.#canvas, controls: this.#controls, status: this.#status };
      for (const [name, element] of Object.entries(parts)) element.className = element.part = name;
      this.#status.setAttribute("role", "status");
      this.#stage.append(this.#canvas);
      this.#controls.append(this.#tiltButton, this.#fullscreenButton);
      root.append(this.#stage, this.#controls, this.#status);
      this.#stage.addEventListener("keydown", (event) => this.#key(event));
      this.#tiltButton.setAttribute("aria-pressed", false);
      this.#tiltButton.hidden = !(window.DeviceOrientationEvent && matchMedia("(pointer: coarse)").matches);
      this.#fullscreenButton.hidden = !document.fullscreenEnabled;
      this.#describe();
    }

    connectedCallback() {
      for (const name of ["manifest", ...REFLECTED.map(propertyName)]) {
        if (!Object.hasOwn(this, name)) continue; // set before the element was defined
        const value = this[name];
        delete this[name];
        this[name] = value;
      }
      page.add(this);
      this.#shapeFromAttributes();
      if (page.pointer) this.pointed(page.pointer);
      if (this.#mustLoad) this.#restart();
      this.#pixi = this.#offerTexture();
    }

    disconnectedCallback() {
      page.remove(this);
      this.#isSeen = this.#isNear = false;
      this.#tiltButton.setAttribute("aria-pressed", false);
      queueMicrotask(() => {
        if (this.isConnected) return; // it only moved to another place of the page
        this.#release();
        this.#mustLoad = true;
      });
    }

    attributeChangedCallback(name, old, value) {
      if (old === value) return;
      if (["src", "mode", "grid", "width", "height"].includes(name)) {
        this.#shapeFromAttributes();
        if (!this.#manifest) this.#restart();
      }
      if (name === "poster" || name === "renderer") this.#restart();
      if (name === "loading" && this.#mustLoad) this.#restart();
      if (name === "renderer" || name === "pixi-src") this.#pixi = this.#offerTexture();
      if (name === "alt") this.#describe();
      if (name === "fit") this.resized();
      if (name === "follow" && page.pointer) this.pointed(page.pointer);
      if (name === "motion") this.calm();
      if (name === "idle") page.stir();
      this.#redraw();
    }

    // -- What programs use.

    /**
     * The portrait as an object: the fields of metadata.json and `base`, the URL of its folder. It goes
     * before `src`. The old picture stays until the new one can be drawn.
     * @type {object | null}
     */
    get manifest() {
      return this.#manifest;
    }

    set manifest(value) {
      if (JSON.stringify(value ?? null) === JSON.stringify(this.#manifest)) return;
      this.#manifest = value ?? null;
      this.#restart();
    }

    /** The row now shown, fractional: 0 looks up. NaN before the first frame. */
    get row() {
      return this.#place(this.#portrait)[0];
    }

    /** The column now shown, fractional: 0 looks to the left edge of the image. NaN before the first frame. */
    get col() {
      return this.#place(this.#portrait)[1];
    }

    /** True when all of the portrait is there. */
    get loaded() {
      return !this.#next && (this.#portrait?.loaded ?? false);
    }

    /** With `renderer="pixi"`: the picture as a PIXI.Texture, kept up to date; null before it can be made. */
    get texture() {
      return this.#texture;
    }

    /** Looks at a point of the viewport (clientX and clientY of events), until something else moves the face. */
    lookAt(x, y) {
      this.#look({ x, y });
    }

    /** Looks at the middle of an element, also while the page scrolls, until something else moves the face. */
    lookAtElement(element) {
      this.#look({ element });
    }

    /** Looks straight ahead. */
    reset() {
      this.#look(null);
    }

    /**
     * Follows the tilt of the phone: how it is held now is straight ahead. iOS asks the visitor for permission, and
     * allows that only in answer to a tap.
     *
     * @param {boolean} [enabled] false: no longer
     * @returns {Promise<boolean>} whether it follows now
     */
    async followTilt(enabled = true) {
      page.setTilting(this, false);
      this.#tiltStart = null;
      const answer = enabled ? await window.DeviceOrientationEvent?.requestPermission?.().catch(() => "denied") : "no";
      if (answer === "denied") this.#fail("This device does not let the page know its tilt. Allow motion access.", "");
      else if (enabled && this.isConnected) page.setTilting(this, true);
      else this.reset();
      this.#tiltButton.setAttribute("aria-pressed", page.tilting.has(this));
      return page.tilting.has(this);
    }

    // -- What the page object calls.

    pointed(pointer) {
      if (this.getAttribute("follow") !== "none" && !this.#isStill) this.#look(pointer);
    }

    tilted({ beta, gamma }) {
      if (beta === null || gamma === null) return; // no sensor
      const angle = screen.orientation?.angle ?? window.orientation ?? 0;
      const now = attitude(beta, gamma, angle);
      if (this.#tiltStart?.angle !== angle) this.#tiltStart = { ...now, angle };
      const turned = (degrees) => ((degrees + 540) % 360) - 180;
      const look = [now.roll - this.#tiltStart.roll, turned(now.pitch - this.#tiltStart.pitch)];
      this.#look({ look: look.map((degrees) => clamp(degrees / TILT_RANGE, -1, 1)) });
    }

    /** Looks a little beside the aim. */
    glance(x, y) {
      if (this.#isStill) x = y = 0;
      if (x === this.#glance[0] && y === this.#glance[1]) return;
      this.#glance = [x, y];
      this.wake();
    }

    /** The visitor's wish for stillness changed. */
    calm() {
      this.#glance = [0, 0];
      this.#look(this.#isStill ? null : this.#aim);
    }

    seen(isSeen) {
      this.#isSeen = isSeen;
      if (isSeen) this.wake();
      else page.awake.delete(this);
    }

    near(isNear) {
      this.#isNear = isNear;
      if (isNear && this.#mustLoad) this.#restart();
    }

    resized() {
      if (!this.isConnected) return;
      this.#layOut();
      if (this.#mustDraw) this.#draw(); // at once: a canvas that changed its size is empty
      this.wake(); // the face may now lie elsewhere
      page.refit();
    }

    fitFrames() {
      this.#portrait?.fit();
    }

    wake() {
      if (this.#isSeen) page.wake(this);
    }

    waking(now) {
      this.#lastStep = now;
    }

    /** One tick of the clock. @returns {boolean} whether the face still moves */
    step(now) {
      const seconds = Math.max(0, now - this.#lastStep) / 1000;
      this.#lastStep = now;
      const wanted = this.#target();
      if (wanted[0] !== this.#wanted[0] || wanted[1] !== this.#wanted[1]) this.#rests = false;
      this.#wanted = wanted;
      const sharp = this.#rests && this.getAttribute("blend") === "motion";
      const [x, y] = sharp ? this.#nearestWhole(wanted) : wanted;
      const before = [this.#x.at, this.#y.at];
      const omega = (SETTLE_95 * 1000) / (this.#isStill ? 0 : smoothingMilliseconds(this.getAttribute("smoothing")));
      glide(this.#x, x, seconds, omega);
      glide(this.#y, y, seconds, omega);
      const close = 0.004 / ((this.#portrait?.size || 30) - 1); // less than one of 255 shares of a blend
      const arrived = (axis, end) => Math.abs(axis.at - end) < close && Math.abs(axis.speed) < close * 10;
      const settled = arrived(this.#x, x) && arrived(this.#y, y);
      if (settled) {
        glide(this.#x, x, 0, Infinity);
        glide(this.#y, y, 0, Infinity);
      }
      const moved = this.#x.at !== before[0] || this.#y.at !== before[1];
      if (moved || this.#mustDraw) this.#draw();
      if (moved && this.#portrait?.size) {
        this.#fire("gazechange", { row: this.row, col: this.col, x: this.#x.at, y: this.#y.at });
      }
      const comesToRest = settled && !this.#rests;
      this.#rests ||= settled;
      return !settled || (comesToRest && this.getAttribute("blend") === "motion");
    }

    // -- Loading.

    /** Loads anew once all changes of this turn are made: `src`, `mode` and `grid` often change together. */
    #restart() {
      this.#mustLoad = true;
      if (this.#restarting) return;
      this.#restarting = true;
      queueMicrotask(() => {
        this.#restarting = false;
        this.#start();
      });
    }

    #start() {
      this.#next?.release();
      this.#next = null;
      const manifest = this.#manifest;
      const src = this.getAttribute("src")?.trim();
      if (!manifest && !src) return this.#release();
      if (!this.isConnected || !(this.#isNear || this.getAttribute("loading") === "eager")) return;
      this.#mustLoad = false;
      const attributes = { src, mode: this.getAttribute("mode") || undefined };
      for (const name of ["grid", "width", "height"]) attributes[name] = Number(this.getAttribute(name)) || undefined;
      const poster = this.getAttribute("poster");
      this.#next = new Portrait({
        room: () => ({
          scale: (width) => Math.min(1, (this.#drawnWidth || width) / width),
          bytes: page.bytesPerWidget,
        }),
        forWebGL: this.getAttribute("renderer") === "pixi",
        places: (portrait) => this.#places(portrait),
        onshape: (portrait) => (portrait === this.#portrait || !this.#portrait) && this.#reshape(portrait),
        onpicture: (portrait) => this.#show(portrait),
        onprogress: (loaded, total) => this.#progress(loaded, total),
        onerror: (message, url) => this.#fail(message, url),
      });
      this.#next.load(async (signal) => {
        await this.#pixi;
        const source = manifest ? readManifest(manifest) : await readAttributes(attributes, signal);
        if (poster) source.poster = new URL(poster, document.baseURI).href;
        return source;
      });
    }

    #release() {
      this.#next?.release();
      this.#portrait?.release();
      this.#next = this.#portrait = null;
      this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    }

    #show(portrait) {
      if (portrait === this.#next) {
        // A poster is no match for a face that follows, nor is a face that looks elsewhere for a moment.
        if (this.#portrait && !(portrait.tried ? portrait.frames.length : this.#exactLayers(portrait))) return;
        this.#portrait?.release();
        this.#portrait = portrait;
        this.#next = null;
        this.#reshape(portrait);
        page.refit();
      }
      this.#layOut();
      this.#redraw();
    }

    #progress(loaded, total) {
      this.#status.textContent = loaded < total ? "Loading the portrait" : "";
      this.#fire("progress", { loaded, total });
      if (loaded === total) this.#fire("load");
    }

    #fail(message, url) {
      this.#status.textContent = url ? "The portrait could not be loaded completely" : message;
      this.#fire("error", { message: `gaze-tracker: ${message}`, url });
    }

    #fire(type, detail) {
      this.dispatchEvent(new CustomEvent(type, { detail }));
    }

    // -- Layout.

    #shapeFromAttributes() {
      const [width, height] = ["width", "height"].map((name) => Number(this.getAttribute(name)));
      if (!this.#portrait && height > 0) this.#reshape({ width, height });
    }

    #reshape({ width, height }) {
      if (!(width > 0)) return;
      this.#shape = { width, height };
      this.#hostStyle.aspectRatio = `${width} / ${height}`;
      this.#layOut();
    }

    /** Places the canvas where the frame lies in the box, on whole device pixels. */
    #layOut() {
      const { width, height } = this.#shape;
      const box = [this.#stage.clientWidth, this.#stage.clientHeight];
      const contain = this.getAttribute("fit") === "contain" || this.matches(":fullscreen");
      const zoom = (contain ? Math.min : Math.max)(box[0] / width, box[1] / height);
      const density = window.devicePixelRatio || 1;
      const drawn = [width, height].map((side) => Math.round(side * zoom * density));
      const place = (name, pixels) => (this.#canvas.style[name] = `${pixels / density}px`);
      place("width", drawn[0]);
      place("height", drawn[1]);
      place("left", Math.round((box[0] * density - drawn[0]) / 2));
      place("top", Math.round((box[1] * density - drawn[1]) / 2));
      this.#drawnWidth = drawn[0];
      // No more pixels than the frames have: to draw them unscaled is fast, and the browser enlarges a canvas for free.
      const resolution = Math.min(1, drawn[0] / width, this.#portrait?.scale || 1) || 1;
      const pixels = [width, height].map((side) => Math.max(1, Math.round(side * resolution)));
      if (this.#canvas.width === pixels[0] && this.#canvas.height === pixels[1]) return;
      [this.#canvas.width, this.#canvas.height] = pixels;
      this.#texture?.source?.resize(...pixels);
      this.#mustDraw = true;
    }

    #toggleFullscreen() {
      const done = this.matches(":fullscreen") ? document.exitFullscreen() : this.requestFullscreen();
      done.catch((error) => this.#fail(`Full screen was refused: ${error.message}.`, ""));
    }

    // -- Looking.

    get #isStill() {
      return page.stillness.matches && this.getAttribute("motion") !== "always";
    }

    #look(aim) {
      this.#aim = aim;
      this.wake();
      if (this.#isSeen) this.#wantFrames(); // now: decoding takes half a frame
    }

    /** @returns {number[]} the look that aim and glance ask for: x and y in [-1, 1] */
    #target() {
      const look = this.#aimedLook();
      return look.map((value, axis) => clamp(value + this.#glance[axis], -1, 1));
    }

    #aimedLook() {
      const aim = this.#aim;
      if (!aim) return [0, 0];
      if (aim.look) return aim.look;
      let { x, y } = aim;
      if (aim.element) {
        const target = aim.element.getBoundingClientRect();
        x = target.left + target.width / 2;
        y = target.top + target.height / 2;
      }
      const picture = this.#canvas.getBoundingClientRect();
      const face = this.#portrait?.face ?? { x: 0.5, y: 0.5 };
      return [
        lookAlong(x, picture.left + picture.width * face.x, window.innerWidth),
        lookAlong(y, picture.top + picture.height * face.y, window.innerHeight),
      ];
    }

    /** The look of the whole cell nearest to a look. */
    #nearestWhole(look) {
      const steps = (this.#portrait?.size ?? NaN) - 1;
      return steps > 0 ? look.map((value) => (Math.round(((value + 1) / 2) * steps) / steps) * 2 - 1) : look;
    }

    #key(event) {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (step) {
        this.#look({ look: this.#aimedLook().map((value, axis) => clamp(value + step[axis] * KEY_STEP, -1, 1)) });
      } else if (event.key === "Home" || event.key === "Escape") {
        this.reset();
      } else {
        return;
      }
      event.preventDefault();
    }

    #describe() {
      const alt = this.getAttribute("alt");
      const stage = this.#stage;
      if (alt === "") {
        for (const name of ["role", "aria-label", "tabindex"]) stage.removeAttribute(name);
        stage.setAttribute("aria-hidden", "true");
        return;
      }
      stage.removeAttribute("aria-hidden");
      stage.setAttribute("role", "img");
      stage.setAttribute("aria-label", alt ?? LABEL);
      stage.tabIndex = 0;
    }

    // -- Drawing.

    #redraw() {
      this.#mustDraw = true;
      this.wake();
    }

    #draw() {
      const layers = this.#portrait ? this.#layers(this.#portrait) : [];
      if (!layers.length) return;
      this.#mustDraw = false;
      const context = this.#context;
      const { width, height } = this.#canvas;
      context.clearRect(0, 0, width, height);
      // Adding premultiplied colours and alpha, each with its share, is the exact mean: transparent stays transparent.
      context.globalCompositeOperation = "lighter";
      context.imageSmoothingQuality = "medium";
      for (const [frame, weight] of layers) {
        context.globalAlpha = weight / 255;
        context.drawImage(frame, 0, 0, width, height);
      }
      this.#texture?.source?.update();
    }

    /** @returns {[ImageBitmap, number][]} what to draw, each with its share of 255 */
    #layers(portrait) {
      this.#wantFrames();
      if (!portrait.frames.length) return portrait.poster ? [[portrait.poster, 255]] : [];
      const exact = this.#exactLayers(portrait);
      if (exact) return exact;
      const frame = portrait.nearest(...this.#place(portrait));
      return frame ? [[frame, 255]] : [];
    }

    /** As `#layers`; null where a frame for this look is not there. */
    #exactLayers(portrait) {
      const { frames, size } = portrait;
      let [row, col] = this.#place(portrait);
      if (this.getAttribute("blend") === "none") [row, col] = [Math.round(row), Math.round(col)];
      const [top, left] = [Math.floor(row), Math.floor(col)];
      const layers = blendWeights(row - top, col - left)
        .map((weight, i) => [frames[(top + (i >> 1)) * size + left + (i & 1)], weight])
        .filter(([, weight]) => weight > 0);
      return layers.length && layers.every(([frame]) => frame) ? layers : null;
    }

    /** Row and column of a portrait for where the face looks now, fractional. */
    #place(portrait) {
      return [this.#y, this.#x].map((axis) => ((clamp(axis.at, -1, 1) + 1) / 2) * ((portrait?.size ?? NaN) - 1));
    }

    /** Asks for frames of the portrait on the canvas and, so that it can take over at any look, of the next one. */
    #wantFrames() {
      for (const portrait of [this.#portrait, this.#next]) portrait?.want(this.#places(portrait));
    }

    /** Rows and columns where frames are needed: here, where it will look in a moment, and in the end. */
    #places(portrait) {
      const last = portrait.size - 1;
      const [x, y] = this.#target();
      const looks = [[this.#y.at, this.#x.at], [this.#y, this.#x].map((axis) => axis.at + axis.speed * AHEAD), [y, x]];
      const cells = looks.map((look) => look.map((value) => ((clamp(value, -1, 1) + 1) / 2) * last));
      const isWhole = this.getAttribute("blend") === "none";
      return cells.map((cell, i) => (isWhole || i === 1 ? cell.map(Math.round) : cell));
    }

    // -- PixiJS: the canvas as a texture of the page's own scene. No renderer of its own: such a page has one.

    async #offerTexture() {
      if (this.getAttribute("renderer") !== "pixi" || this.#texture) return;
      const module = this.getAttribute("pixi-src");
      const url = module && new URL(module, document.baseURI).href;
      const PIXI = url ? await import(url).catch(() => null) : window.PIXI;
      if (PIXI?.Texture) {
        this.#texture ??= PIXI.Texture.from(this.#canvas); // the page's to destroy: its sprites use it
      } else {
        const why = url ? `${url} could not be loaded as a module` : "the page has no PIXI";
        this.#fail(`PixiJS is not there: ${why}. Load it before, or name it with pixi-src.`, url || "");
      }
    }
  }

  const REFLECTED = GazeTracker.observedAttributes;
  const propertyName = (attribute) => attribute.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
  for (const attribute of REFLECTED) {
    const isBoolean = ["idle", "hide-controls"].includes(attribute);
    Object.defineProperty(GazeTracker.prototype, propertyName(attribute), {
      configurable: true,
      enumerable: true,
      get() {
        return isBoolean ? this.hasAttribute(attribute) : this.getAttribute(attribute) ?? "";
      },
      set(value) {
        if (isBoolean) this.toggleAttribute(attribute, Boolean(value));
        else if (value === null || value === undefined) this.removeAttribute(attribute);
        else this.setAttribute(attribute, value);
      },
    });
  }

  customElements.define("gaze-tracker", GazeTracker);
})();
