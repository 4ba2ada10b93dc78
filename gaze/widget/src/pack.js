/** Reads a pack: its header, its motion, its index (docs/format.md). Trusts nothing in it. Pure but for inflating. */

import { whole, within } from "./numbers.js";

const MAX_HEADER = 65536;
const MAX_GRID = 60; // rows and columns
const MAX_SIDE = 16384; // pixels of a frame
const MAX_PIXELS = 2 ** 22; // of a frame; of all pictures of a payload 2^30
const MAX_BYTES = 2 ** 30; // of a payload
const MAX_LINES = 257; // columns and rows of a mesh
const MAX_VERTICES = 16641;
const MAX_RANK = 16;
const MAX_CHAIN = 81; // pictures that a decoder goes through for one

const NONSENSE = "its header makes no sense";
const BAD_INDEX = "its index makes no sense";
const BAD_MOTION = "its motion makes no sense";

export const sense = (is, what = NONSENSE) => {
  if (!is) throw new Error(what);
};

const list = (value, least, most) => {
  sense(Array.isArray(value) && value.length >= least && value.length <= most);
  return value;
};

/** A list of whole numbers that rise, within bounds. */
export const rising = (value, least, most, high) =>
  sense(list(value, least, most).every((it, i) => whole(it, i ? value[i - 1] + 1 : 0, high)));

/**
 * @param {Uint8Array} bytes the beginning of a file
 * @returns {object | null} the header, each payload with its `start`, and `end`, the length of the file; null while it
 *   is incomplete
 * @throws {Error} with words that go on after "could not be played"
 */
export function packHeader(bytes) {
  if (bytes.length < 12) return null;
  const magic = String.fromCharCode(...bytes.subarray(0, 8));
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
  sense(magic === "GAZEPACK" && length <= MAX_HEADER, "it is no pack");
  if (bytes.length < 12 + length) return null;
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(12, 12 + length)));
  const { version, gridSize, imageWidth, imageHeight, payloads, layers = [] } = header ?? {};
  sense([1, 2].includes(version), `its version is ${version}${version > 2 ? ": update gaze-tracker.js" : ""}`);
  sense(whole(gridSize, 2, MAX_GRID) && whole(imageWidth, 1, MAX_SIDE) && whole(imageHeight, 1, MAX_SIDE));
  header.end = 12 + length;
  const place = (part, least = 0) => {
    sense(whole(part?.length, least, MAX_BYTES));
    part.start = header.end;
    header.end += part.length;
  };
  if (version === 2) {
    checkMorph(header);
    place(header.motion);
  }
  for (const payload of list(payloads, 1, 4)) {
    if (version === 2 && payload) {
      if (payload.kind !== "stills") payload.keys = header.looks.map((_, i) => i); // more/stills.js looks at those of stills
      sense(imageWidth * imageHeight * payload.keys?.length ** 2 <= MAX_BYTES);
    }
    place(payload, (payload?.keys?.length ?? gridSize) ** 2 * 12);
  }
  for (const layer of list(layers, 0, 8)) {
    place(layer?.motion); // what else it says is looked at when it is played
    for (const payload of list(layer.payloads, 1, 4)) place(payload);
  }
  return header;
}

/** The mesh, the motion and the looks of a header, or of a layer. */
export function checkMorph({ looks, mesh, motion, gridSize, imageWidth, imageHeight }) {
  sense(imageWidth * imageHeight <= MAX_PIXELS);
  const n = list(looks, 1, 9).length;
  sense(n % 2 && looks.every((look, i) => within(look, i ? looks[i - 1] + 1e-3 : 0, gridSize - 1) !== undefined));
  sense(n === 1 || (looks[0] === 0 && looks[n - 1] > gridSize - 1.01));
  rising(mesh?.columns, 2, MAX_LINES, imageWidth);
  rising(mesh.rows, 2, MAX_LINES, imageHeight);
  sense(mesh.columns.length * mesh.rows.length <= MAX_VERTICES);
  sense(whole(motion?.rank, 0, MAX_RANK) && within(motion.unit, 0, 16) !== undefined);
}

/**
 * @typedef {object} Motion
 * @property {Float32Array} fields rank planes of x and of y, each of V numbers, in pixels
 * @property {Float32Array} coefficients n² × rank, by key
 * @property {Uint8Array} moving V
 * @property {Uint8Array | null} trust n² × V
 *
 * @param {object} header of the pack or a layer
 * @param {Uint8Array} data the payload of its motion
 * @returns {Promise<Motion>}
 */
export async function readMotion({ motion, mesh, looks }, data) {
  const { rank, unit, trust } = motion;
  const [columns, count] = [mesh.columns.length, mesh.columns.length * mesh.rows.length];
  const keys = looks.length ** 2;
  const sizes = [rank * count * 4, keys * rank * 4, count, trust ? keys * count : 0];
  const bytes = await inflate(
    data,
    sizes.reduce((a, b) => a + b),
  );
  const view = new DataView(bytes.buffer);
  const fields = new Float32Array(rank * count * 2);
  for (let i = 0, value = 0; i < fields.length; i++) {
    const step = view.getInt16(i * 2, true);
    value = (i % count) % columns ? ((value + step) << 16) >> 16 : step;
    fields[i] = value * unit;
  }
  const coefficients = Float32Array.from({ length: keys * rank }, (_, i) => view.getFloat32(sizes[0] + i * 4, true));
  sense(
    coefficients.every((a) => Math.abs(a) <= 1e6),
    BAD_MOTION,
  );
  const start = sizes[0] + sizes[1];
  const moving = bytes.subarray(start, start + count);
  return { fields, coefficients, moving, trust: trust ? bytes.subarray(start + count) : null };
}

/** Exactly so many bytes of a zlib stream. */
async function inflate(data, length) {
  const out = new Uint8Array(length);
  let filled = 0;
  const reader = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  for (let part; !(part = await reader.read()).done; filled += part.value.length) {
    sense(filled + part.value.length <= length, BAD_MOTION);
    out.set(part.value, filled);
  }
  sense(filled === length, BAD_MOTION);
  return out;
}

/**
 * The index of a payload of pictures.
 *
 * @param {Uint8Array} bytes of the index
 * @param {number} end length of the payload
 * @returns {{start: number, end: number, parent: number}[]} places in the payload
 */
export function readIndex(bytes, end) {
  const numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 12 }, (_, i) => {
    const [start, length, parent] = [0, 4, 8].map((at) => numbers.getInt32(i * 12 + at, true));
    const isGood = start >= bytes.length && length > 0 && start + length <= end && parent < bytes.length / 12;
    sense(isGood && parent >= -1, BAD_INDEX);
    return { start, end: start + length, parent };
  });
}

/**
 * Entries in the order of a file, each with the chunks that a video decoder needs for it: its own alone, where its
 * parent is the last decoded, else the whole chain.
 *
 * @param {{start: number, parent: number}[]} index
 * @returns {{entry: number, chain: number[]}[]}
 */
export function decodingOrder(index) {
  const order = [...index.keys()].sort((a, b) => index[a].start - index[b].start);
  let last = -1;
  return order.map((entry) => {
    const chain = [];
    for (let step = entry; step >= 0 && (step !== last || !chain.length); step = index[step].parent) {
      sense(chain.unshift(step) <= MAX_CHAIN, BAD_INDEX);
    }
    last = entry;
    return { entry, chain };
  });
}
