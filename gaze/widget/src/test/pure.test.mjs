// The pure parts of the widget:  node --test
import assert from "node:assert/strict";
import test from "node:test";
import { deflateSync } from "node:zlib";
import { triangles, vertexData, movingRect, onCanvas } from "../geometry.js";
import { corners, cubicShares, keyUnits, nearest, positions } from "../lattice.js";
import { facePoint, lookAlong, within } from "../numbers.js";
import { decodingOrder, packHeader, readIndex, readMotion } from "../pack.js";
import { answers } from "../patience.js";
import { Portrait } from "../portrait.js";
import { glide, smoothingMilliseconds, stiffness } from "../spring.js";
import { breathAt } from "../more/alive.js";
import { listedSheets, sheetLayout } from "../more/layout.js";
import { valueShares } from "../more/layer_board.js";
import { closedAt } from "../more/overlay.js";
import { blendWeights } from "../more/frames.js";
import { decodeStills } from "../more/stills.js";
import { attitude } from "../more/tilt.js";

const near = (a, b, by = 1e-9) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);

test("a blink closes the eyes, holds them for a moment, and opens them again", () => {
  const times = Array.from({ length: 400 }, (_, time) => closedAt(time));
  assert.equal(closedAt(NaN), 0);
  assert.equal(closedAt(-5), 0);
  assert.equal(times[130], 1);
  assert.equal(times[170], 1);
  assert.equal(times[370], 0);
  for (let time = 1; time < 400; time++) assert.ok(Math.sign(times[time] - times[time - 1]) === Math.sign(time <= 130 ? 1 : time > 170 && time <= 370 ? -1 : 0));
});

test("a decoder is broken when it says nothing while the page listens, however long the page was busy", (context) => {
  let tick;
  context.mock.method(globalThis, "setInterval", (act) => (tick = act));
  const failures = [];
  const watch = answers((error) => failures.push(error.message));
  const ticks = (count) => Array.from({ length: count }, tick); // each as late as it may be
  ticks(16);
  assert.deepEqual(failures, []);
  watch.heard();
  ticks(16);
  assert.deepEqual(failures, []);
  ticks(1);
  assert.deepEqual(failures, ["the video decoder does not answer"]);
});

test("values of a layer share a strength", () => {
  assert.deepEqual(
    valueShares([0.5, 1], 0.25).map(({ share }) => share),
    [0.5, 0],
  );
  assert.deepEqual(valueShares([0.5, 1], 0.75), [
    { index: 0, share: 0.5 },
    { index: 1, share: 0.5 },
  ]);
  assert.deepEqual(valueShares([0.2, 0.5, 1], 1)[1], { index: 2, share: 1 });
  assert.deepEqual(valueShares([1], 1)[0], { index: 0, share: 1 });
});

test("a spring covers 95 % of the way in its time, at any frame rate", () => {
  for (const rate of [30, 60, 150, 1000]) {
    const axis = { at: 0, speed: 0 };
    for (let i = 0; i < rate * 0.3; i++) glide(axis, 1, 1 / rate, stiffness(300));
    near(axis.at, 0.95, 1e-4);
  }
});

test("a spring takes the same way in one step and in many", () => {
  const [one, many] = [{ at: 0.2, speed: 3 }, { at: 0.2, speed: 3 }];
  glide(one, -0.7, 0.1, 12);
  for (let i = 0; i < 100; i++) glide(many, -0.7, 0.001, 12);
  near(one.at, many.at);
  near(one.speed, many.speed, 1e-8);
  glide(one, 0.4, 0.01, stiffness(0));
  assert.deepEqual(one, { at: 0.4, speed: 0 });
});

test("smoothing is milliseconds, or the share of the way per frame", () => {
  assert.equal(smoothingMilliseconds(null), 300);
  assert.equal(smoothingMilliseconds("nonsense"), 300);
  assert.equal(smoothingMilliseconds("-5"), 300);
  assert.equal(smoothingMilliseconds("0"), 0);
  assert.equal(smoothingMilliseconds("150"), 150);
  near((1 - 0.1) ** (smoothingMilliseconds("0.1") / (1000 / 60)), 0.05, 1e-5);
});

test("a look is 0 at the face and 1 at the ends of the view", () => {
  assert.equal(lookAlong(300, 300, 0, 1000), 0);
  assert.equal(lookAlong(1000, 300, 0, 1000), 1);
  assert.equal(lookAlong(0, 300, 0, 1000), -1);
  assert.equal(lookAlong(150, 300, 0, 1000), -0.5);
  assert.equal(lookAlong(650, 300, 0, 1000), 0.5);
  assert.equal(lookAlong(500, 2000, 0, 1000), -0.75);
  assert.equal(lookAlong(-50, 10, -100, 300), -60 / 110);
});

test("numbers of a manifest may be anything", () => {
  for (const odd of [null, undefined, "5", NaN, Infinity, {}, []]) assert.equal(within(odd, 0, 10), undefined);
  assert.equal(within(5, 0, 10), 5);
  assert.equal(facePoint({ x: "a", y: 1 }), null);
  assert.deepEqual(facePoint({ x: 0.5, y: 1 }), { x: 0.5, y: 1 });
});

const EVEN = [0, 7.25, 14.5, 21.75, 29];
const UNEVEN = [0, 3, 6, 10, 13, 16, 19];

test("looks become units of keys", () => {
  assert.equal(keyUnits(EVEN, 14.5), 2);
  assert.equal(keyUnits(EVEN, 29), 4);
  assert.equal(keyUnits(EVEN, 40), 4);
  assert.equal(keyUnits(UNEVEN, 8), 2.5);
  assert.equal(keyUnits([14.5], 3), 0);
});

test("the curve passes through the keys and keeps straight lines, evenly spaced or not", () => {
  for (const looks of [EVEN, UNEVEN, [0, 14.5, 29]]) {
    const value = (values, look) => cubicShares(looks, look).reduce((sum, [key, share]) => sum + share * values[key], 0);
    for (const [i, look] of looks.entries()) near(value(looks.map((_, j) => +(i === j)), look), 1);
    for (const look of [0.3, 5, 11.11, looks.at(-1)]) near(value(looks, look), look);
    const wave = looks.map((look) => Math.sin(look));
    const step = 1e-6;
    for (const look of looks.slice(1, -1)) {
      const [before, after] = [value(wave, look - step), value(wave, look + step)];
      near((wave[looks.indexOf(look)] - before) / step, (after - wave[looks.indexOf(look)]) / step, 1e-4);
    }
  }
});

test("positions are separable", () => {
  const n = UNEVEN.length;
  const coefficients = Float32Array.from({ length: n * n * 2 }, (_, i) => {
    const key = i >> 1;
    return i & 1 ? UNEVEN[key % n] : UNEVEN[Math.floor(key / n)];
  });
  const out = positions(coefficients, 2, UNEVEN, 4.4, 17, new Float32Array(16));
  near(out[0], 4.4, 1e-5);
  near(out[1], 17, 1e-5);
});

test("four keys around a look share by how near they are", () => {
  const all = [0, 1, 2, 3, 4];
  assert.deepEqual(corners(all, 5, 1.25, 3, () => true), {
    keys: [8, 9, 13, 14],
    shares: [0.75, 0, 0.25, 0],
    isFinal: true,
  });
  assert.ok(corners(all, 5, 1.25, 3, (key) => key !== 9).isFinal); // which does not count
  assert.ok(!corners(all, 5, 1.25, 3, (key) => key !== 13).isFinal);
  assert.deepEqual(corners(all, 5, 4, 4, () => true).shares, [0, 0, 0, 1]);
  const few = corners([0, 2, 4], 5, 1, 3, () => true);
  assert.deepEqual([few.keys, few.shares], [[2, 4, 12, 14], [0.25, 0.25, 0.25, 0.25]]);
  assert.deepEqual(corners(all, 5, 0, 0, (key) => key === 12).keys, [12, 12, 12, 12]);
  assert.equal(nearest(all, 5, 0, 0, (key) => [12, 6].includes(key)), 6);
});

const header = (more = {}) => ({
  version: 2, gridSize: 30, imageWidth: 64, imageHeight: 80, hasAlpha: false, looks: [0, 14.5, 29],
  mesh: { columns: [8, 16, 24], rows: [0, 80] },
  motion: { length: 10, rank: 1, unit: 0.5, trust: true },
  payloads: [{ kind: "video", length: 1000, codec: "vp09.00.10.08", codedWidth: 64, codedHeight: 80 }],
  ...more,
});

function file(fields) {
  const text = new TextEncoder().encode(JSON.stringify(fields));
  const bytes = new Uint8Array(12 + text.length);
  bytes.set(new TextEncoder().encode("GAZEPACK"));
  new DataView(bytes.buffer).setUint32(8, text.length, true);
  bytes.set(text, 12);
  return bytes;
}

test("a header tells where everything lies", () => {
  const bytes = file(header());
  assert.equal(packHeader(bytes.subarray(0, 11)), null);
  assert.equal(packHeader(bytes.subarray(0, 40)), null);
  const read = packHeader(bytes);
  assert.equal(read.motion.start, bytes.length);
  assert.equal(read.payloads[0].start, bytes.length + 10);
  assert.equal(read.end, bytes.length + 1010);
  assert.deepEqual(read.payloads[0].keys, [0, 1, 2]);
});

test("a header that makes no sense is refused", () => {
  const mesh = (columns, rows = [0, 80]) => ({ mesh: { columns, rows } });
  const stills = (more) => ({ payloads: [{ kind: "stills", length: 999, width: 64, height: 80, keys: [0, 1, 2], ...more }] });
  const bad = [
    { version: 3 }, { version: "2" }, { gridSize: 1 }, { imageWidth: 0 }, { imageWidth: 8192, imageHeight: 8192 },
    { looks: null }, { looks: [0, 29] }, { looks: [0, 14.5, 14.5] }, { looks: [0, 29, 14.5] }, { looks: [1, 14.5, 29] },
    { mesh: null }, mesh([8]), mesh([8, 8]), mesh([8.5, 9]), mesh([8, 65]), mesh([8, 16], [0, 81]), mesh("ab"),
    { motion: null }, { motion: { length: -1, rank: 1, unit: 1 } }, { motion: { length: 1, rank: 17, unit: 1 } },
    { motion: { length: 1, rank: 1, unit: 17 } }, { payloads: [] }, { payloads: [null] }, { payloads: Array(5).fill({}) },
    stills({ keys: null }), stills({ length: 3 }),
    { layers: [null] }, { layers: 5 },
  ];
  for (const more of bad) assert.throws(() => packHeader(file(header(more))), Error, JSON.stringify(more));
  assert.throws(() => packHeader(new TextEncoder().encode("RIFF........")), /no pack/);
  assert.throws(() => packHeader(file(header({ version: 3 }))), /update gaze-tracker.js/);
});

test("stills that make no sense are refused before one is asked for", async () => {
  const payload = { kind: "stills", width: 64, height: 80, keys: [0, 1, 2] };
  const transfer = { bytes: () => Promise.reject(new Error("asked for")) };
  const decode = (more) => decodeStills(transfer, header(), { ...payload, ...more }, 9, new AbortController().signal);
  const bad = [{ keys: [0, 2] }, { keys: [0, 1] }, { keys: "012" }, { width: 65 }, { height: 0 }];
  for (const more of bad) await assert.rejects(decode(more), /makes no sense/, JSON.stringify(more));
  await assert.rejects(decode({}), /asked for/);
});

test("a motion is read to the last byte, and no further", async () => {
  const about = packHeader(file(header()));
  const [count, keys] = [6, 9];
  const parts = Buffer.alloc(count * 4 + keys * 4 + count + keys * count);
  [100, -100, 30000, 5, 5, 5].forEach((step, i) => parts.writeInt16LE(step, i * 2)); // two rows of x, differenced
  for (let key = 0; key < keys; key++) parts.writeFloatLE(key - 4, count * 4 + key * 4);
  parts.fill(200, count * 4 + keys * 4, count * 4 + keys * 4 + count);
  const motion = await readMotion(about, deflateSync(parts));
  assert.deepEqual([...motion.fields.slice(0, 6)], [50, 0, 15000, 2.5, 5, 7.5]);
  assert.deepEqual([...motion.coefficients], [-4, -3, -2, -1, 0, 1, 2, 3, 4]);
  assert.equal(motion.moving.length, count);
  assert.equal(motion.trust.length, keys * count);
  for (const wrong of [parts.subarray(1), Buffer.concat([parts, Buffer.alloc(1)]), Buffer.alloc(10 ** 6)]) {
    await assert.rejects(readMotion(about, deflateSync(wrong)), /makes no sense/);
  }
  await assert.rejects(readMotion(about, Buffer.from("no zlib")));
});

const index = (...entries) => new Uint8Array(new Int32Array(entries.flat()).buffer);

test("chunks are decoded in the order of the file, chains anew where they branch", () => {
  const chain = readIndex(index([44, 4, 1], [36, 8, -1], [48, 2, 0]), 50);
  assert.deepEqual(decodingOrder(chain), [{ entry: 1, chain: [1] }, { entry: 0, chain: [0] }, { entry: 2, chain: [2] }]);
  const tree = readIndex(index([36, 4, -1], [40, 4, 0], [44, 6, 0]), 50);
  assert.deepEqual(decodingOrder(tree).map(({ chain }) => chain), [[0], [1], [0, 2]]);
  const circle = readIndex(index([36, 4, 1], [40, 4, 2], [44, 6, 0]), 50);
  assert.throws(() => decodingOrder(circle), /index makes no sense/);
});

test("an index points into its payload", () => {
  for (const bad of [[0, 4, -1], [12, 0, -1], [12, 9, -1], [12, 4, 1], [12, 4, -2]]) {
    assert.throws(() => readIndex(index(bad), 20), /index makes no sense/);
  }
  assert.deepEqual(readIndex(index([12, 8, -1]), 20), [{ start: 12, end: 20, parent: -1 }]);
});

test("what fails after a pack failed is told, too", async () => {
  const motion = deflateSync(Buffer.alloc(6 * 4 + 9 * 4 + 6));
  const payloads = [{ kind: "stills", length: 999, width: 64, height: 80, keys: [0, 1, 2] }];
  const pack = file(header({ motion: { length: motion.length, rank: 1, unit: 0.5 }, payloads }));
  const { fetch } = globalThis;
  globalThis.fetch = async (url) =>
    new Response(Buffer.concat([pack, motion]), { status: url === "http://a/gaze.pack" ? 200 : 404 });
  const told = new Promise((onerror) => {
    const owner = { pixels: () => 64, onerror };
    for (const name of ["onshape", "onpicture", "ondrop", "onposter", "onprogress"]) owner[name] = () => {};
    const folder = { base: "http://a/" };
    new Portrait(owner).load(() => ({ pack: "http://a/gaze.pack", stills: null, folder, isGuess: true }));
  });
  assert.match(await told, /IS_MODULE/, "without its second file there is no folder to read");
  globalThis.fetch = fetch;
});

test("a mesh becomes vertices and triangles", () => {
  const mesh = { columns: [2, 4, 8], rows: [1, 5] };
  const fields = Float32Array.from({ length: 36 }, (_, i) => i);
  const { data, stride } = vertexData(mesh, { fields, moving: new Uint8Array(6).fill(255) }, 3);
  assert.equal(stride, 3 + 8);
  assert.deepEqual([...data.slice(stride * 4, stride * 5)], [4, 5, 1, 4, 10, 16, 22, 28, 34, 0, 0]);
  assert.deepEqual([...triangles(mesh, 1)], [0, 1, 3, 1, 4, 3, 1, 2, 4, 2, 5, 4]);
});

test("triangles leave lines out that are too near, but for the last", () => {
  const mesh = { columns: [0, 4, 8, 12, 14], rows: [3, 5] };
  assert.deepEqual([...triangles(mesh, 8)], [0, 2, 5, 2, 7, 5, 2, 4, 7, 4, 9, 7]);
  assert.deepEqual([...triangles(mesh, 4)].length, 4 * 6);
});

test("what moves lies on whole pixels of a canvas", () => {
  const about = { imageWidth: 100, imageHeight: 100, mesh: { columns: [10, 50], rows: [0, 100] } };
  const rect = movingRect(about);
  assert.deepEqual(rect, { x: 8, y: 0, width: 44, height: 100 });
  assert.deepEqual(onCanvas(about, 33, 33), { x: 4, y: 0, width: 12, height: 33 });
  assert.deepEqual(onCanvas(about, 1, 1), { x: 1, y: 0, width: 1, height: 1 });
});

test("shares of a blend of frames add up to 255", () => {
  for (let i = 0; i < 500; i++) assert.equal(blendWeights(Math.random(), Math.random()).reduce((a, b) => a + b), 255);
});

test("a sheet's size tells its layout", () => {
  assert.deepEqual(sheetLayout({ width: 20, height: 25 }, 100, 125), { cells: 5, width: 20, height: 25 });
  assert.deepEqual(sheetLayout({ cells: 4, width: 7, height: 7 }, 100, 200), { cells: 4, width: 25, height: 50 });
  assert.equal(sheetLayout({ cells: 3 }, 100, 200), null);
  assert.deepEqual(sheetLayout({}, 1600, 2000), { cells: 4, width: 400, height: 500 });
  assert.equal(listedSheets("a.webp, b.webp,c.webp,d.webp").length, 4);
  assert.throws(() => listedSheets("a.webp,b.webp"), /2 sheets/);
});

test("a phone's tilt does not jump where it stands upright", () => {
  const [before, after] = [attitude(89, 0, 0), attitude(91, 0, 0)];
  near(after.pitch - before.pitch, 2, 1e-6);
  near(attitude(0, 30, 0).roll, 30, 1e-6);
  near(attitude(30, 0, 90).roll, 30, 1e-6);
});

test("a breath is small, comes back, and begins in the middle", () => {
  const depths = Array.from({ length: 451 }, (_, i) => breathAt(i * 10));
  assert.equal(depths[0], 0);
  assert.ok(Math.abs(depths.at(-1)) < 1e-9);
  assert.ok(depths.every((depth) => Math.abs(depth) <= 0.5));
  assert.ok(Math.max(...depths) > 0.3 && Math.min(...depths) < -0.3);
  assert.ok(depths.every((depth, i) => !i || Math.abs(depth - depths[i - 1]) < 0.01));
});
