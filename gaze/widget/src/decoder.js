/** Decodes the video of a pack, in the order of the file, as it arrives. */

import { decodingOrder, readIndex } from "./pack.js";
import { stage } from "./stage.js";

const PATIENCE = 4000; // ms after which a video decoder that says nothing counts as broken

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

/** What a frame shows, in main memory: a graphics memory that the processor plays takes it in far faster than a frame. */
async function copied(frame, width, height) {
  const image = new ImageData(width, height);
  const planes = await frame.copyTo(image.data, { format: "RGBA" }).catch(() => []);
  return planes.length === 1 ? image : frame; // a browser that does not know the format fails, or copies another
}

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
  const taken = [];
  let fail;
  const failure = new Promise((_, reject) => (fail = reject));
  failure.catch(() => {});
  signal.addEventListener("abort", () => fail(signal.reason));
  let isFed = false; // until then it may wait for the network
  let timer;
  const wait = () => {
    clearTimeout(timer);
    if (isFed) timer = setTimeout(() => fail(new Error("the video decoder does not answer")), PATIENCE);
  };
  const take = async (frame) => {
    const entry = expected.shift();
    try {
      wait();
      if (!(entry >= 0)) return;
      const { width, height } = frame.visibleRect;
      if (width !== payload.codedWidth || height !== payload.codedHeight) throw new Error(OTHER_SIZE);
      const picture = stage()?.isSlow ? await copied(frame, width, height) : frame;
      if (!signal.aborted) put(entry, picture);
    } catch (error) {
      fail(error);
    } finally {
      frame.close();
    }
  };
  const decoder = new VideoDecoder({ output: (frame) => taken.push(take(frame)), error: fail });
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
    isFed = true;
    wait();
    await unlessFailed(decoder.flush());
    await unlessFailed(Promise.all(taken));
    if (expected.length) throw new Error("the video decoder left frames out");
  } finally {
    clearTimeout(timer);
    if (decoder.state !== "closed") decoder.close();
  }
}
