/** Decodes the video of a pack, in the order of the file, as it arrives. */

import { decodingOrder, readIndex } from "./pack.js";
import { answers } from "./patience.js";
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
 * @param {(entry: number, picture: VideoFrame | ImageData) => void} put
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
  // Where the processor plays graphics memory: that takes pixels in far faster than a frame. One buffer for all of them.
  const image = stage()?.isSlow && new ImageData(payload.codedWidth, payload.codedHeight);
  const take = async (frame, before) => {
    await before;
    const entry = expected.shift();
    try {
      watch?.heard();
      if (!(entry >= 0)) return;
      const { width, height } = frame.visibleRect;
      if (width !== payload.codedWidth || height !== payload.codedHeight) throw new Error(OTHER_SIZE);
      // A browser that does not know the format fails, or copies another.
      const planes = image && (await frame.copyTo(image.data, { format: "RGBA" }).catch(() => {}));
      if (!signal.aborted) put(entry, planes?.length === 1 ? image : frame);
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
    if (expected.length) throw new Error("the video decoder left frames out");
  } finally {
    watch?.stop();
    if (decoder.state !== "closed") decoder.close();
  }
}
