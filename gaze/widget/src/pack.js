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

export const sense = (is, what = "header") => {
  if (!is) throw new Error(`its ${what} makes no sense`);
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
  if (magic !== "GAZEPACK" || length > MAX_HEADER) throw new Error("it is no pack");
  if (bytes.length < 12 + length) return null;
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(12, 12 + length)));
  const { version, gridSize, imageWidth, imageHeight, payloads, layers = [] } = header ?? {};
  const advice = version > 2 ? ": update gaze-tracker.js" : "";
  if (![1, 2].includes(version)) throw new Error(`its version is ${version}${advice}`);
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
  const steps = new Int16Array(bytes.buffer, 0, rank * count * 2);
  let value;
  const fields = Float32Array.from(steps, (step, i) => {
    value = (i % count) % columns ? ((value + step) << 16) >> 16 : step;
    return value * unit;
  });
  const coefficients = new Float32Array(bytes.buffer, sizes[0], keys * rank);
  sense(
    coefficients.every((a) => Math.abs(a) <= 1e6),
    "motion",
  );
  const start = sizes[0] + sizes[1];
  const moving = bytes.subarray(start, start + count);
  return { fields, coefficients, moving, trust: trust ? bytes.subarray(start + count) : null };
}

/** What a stream brings, part by part as it arrives. Leaving the loop ends it. */
export async function* partsOf(stream) {
  const reader = stream.getReader();
  try {
    for (let part; !(part = await reader.read()).done; ) yield part.value;
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Exactly so many bytes of a zlib stream. */
async function inflate(data, length) {
  const out = new Uint8Array(length);
  let filled = 0;
  for await (const part of partsOf(new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate")))) {
    sense(filled + part.length <= length, "motion");
    out.set(part, filled);
    filled += part.length;
  }
  sense(filled === length, "motion");
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
    sense(isGood && parent >= -1, "index");
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
      sense(chain.unshift(step) <= MAX_CHAIN, "index");
    }
    last = entry;
    return { entry, chain };
  });
}
