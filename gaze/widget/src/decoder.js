/** Decodes the video of a pack, in the order of the file, as it arrives. */

import { decodingOrder, readIndex } from "./pack.js";
import { answers, SILENT } from "./patience.js";
import { stage } from "./stage.js";

/** The configuration of a video payload for VideoDecoder; null where the browser cannot play it. */
export async function playable({ kind, codec, codedWidth, codedHeight, colorSpace }) {
  if (kind !== "video") return null;
  const config = { codec, codedWidth, codedHeight, colorSpace, optimizeForLatency: true };
  const answer = await globalThis.VideoDecoder?.isConfigSupported(config).catch(() => null);
  return answer?.supported ? config : null;
}

/** @returns {Promise<object[]>} the index of a payload */
export async function indexOf(transfer, payload, count) {
  return readIndex(await transfer.bytes(payload.start, payload.start + count * 12), payload.length);
}

/** @returns {Promise<Uint8Array>} the bytes of a picture */
export const data = (transfer, payload, { start, end }) => transfer.bytes(payload.start + start, payload.start + end);

export const OTHER_SIZE = "its frames differ in size";

/**
 * @param {import("./transfer.js").Transfer} transfer
 * @param {object} payload of video; `config` as `playable` has it
 * @param {number} count of its pictures
 * @param {(entry: number, picture: VideoFrame | Uint8Array[]) => void} put takes a frame, or its planes: Y, U and V
 */
export async function decodeVideo(transfer, payload, count, config, signal, put) {
  const index = await indexOf(transfer, payload, count);
  signal.throwIfAborted();
  const expected = [];
  let fail;
  const failure = new Promise((_, reject) => (fail = reject));
  failure.catch(() => {});
  signal.addEventListener("abort", () => fail(signal.reason));
  let watch; // once all is fed: until then it may wait for the network
  const { codedWidth: width, codedHeight: height } = payload;
  // Planes are turned into colours as packs say: browsers differ by levels. One buffer for those of all frames.
  const all = stage() && new Uint8Array(width * height * 1.5);
  const planes = all && [0, 4, 5].map((sixths) => all.subarray((sixths * all.length) / 6));
  const take = async (frame, before) => {
    await before;
    const entry = expected.shift();
    try {
      watch?.heard();
      if (!(entry >= 0)) return;
      const { visibleRect } = frame;
      if (visibleRect.width !== width || visibleRect.height !== height) throw new Error(OTHER_SIZE);
      const isPlanar = planes && frame.format === "I420" && frame.allocationSize() === all.length;
      if (isPlanar) await frame.copyTo(all);
      if (!signal.aborted) put(entry, isPlanar ? planes : frame);
    } catch (error) {
      fail(error);
    } finally {
      frame.close();
    }
  };
  let taken;
  const decoder = new VideoDecoder({ output: (frame) => (taken = take(frame, taken)), error: fail });
  // Of two that are settled, a race takes the first.
  const unlessFailed = (promise) => Promise.race([failure, promise]);
  try {
    decoder.configure(config);
    let time = 0;
    for (const { entry, chain } of decodingOrder(index)) {
      for (const step of chain) {
        const bytes = await unlessFailed(data(transfer, payload, index[step]));
        const type = index[step].parent < 0 ? "key" : "delta";
        expected.push(step === entry ? entry : -1);
        decoder.decode(new EncodedVideoChunk({ type, timestamp: time++, data: bytes }));
      }
    }
    watch = answers(fail);
    await unlessFailed(decoder.flush());
    await unlessFailed(taken);
    if (expected.length) throw new Error(SILENT);
  } finally {
    watch?.stop();
    if (decoder.state !== "closed") decoder.close();
  }
}
