/** Decodes the pictures of a pack, in the order of the file, as they arrive. */

import { decodingOrder, readIndex } from "./pack.js";

const PATIENCE = 4000; // ms after which a video decoder that says nothing counts as broken

/** The configuration of a video payload for VideoDecoder; null where the browser cannot play it. */
export async function playable({ kind, codec, codedWidth, codedHeight, colorSpace }) {
  if (kind !== "video") return null;
  const config = { codec, codedWidth, codedHeight, colorSpace, optimizeForLatency: true };
  const answer = await globalThis.VideoDecoder?.isConfigSupported(config).catch(() => null);
  return answer?.supported ? config : null;
}

/** @returns {Promise<object[]>} the index of a payload */
async function indexOf(transfer, payload, count) {
  return readIndex(await transfer.bytes(payload.start, payload.start + count * 12), payload.length);
}

const data = (transfer, payload, { start, end }) => transfer.bytes(payload.start + start, payload.start + end);

/**
 * @param {import("./transfer.js").Transfer} transfer
 * @param {object} payload of stills
 * @param {number} count of its pictures
 * @param {(entry: number, picture: ImageBitmap) => void} put
 */
export async function decodeStills(transfer, payload, count, signal, put) {
  const index = await indexOf(transfer, payload, count);
  for (const { entry } of decodingOrder(index)) {
    const bytes = await data(transfer, payload, index[entry]);
    const options = { premultiplyAlpha: "premultiply", colorSpaceConversion: "none" };
    const picture = await createImageBitmap(new Blob([bytes], { type: "image/webp" }), options);
    try {
      signal.throwIfAborted();
      if (picture.width !== payload.width || picture.height !== payload.height) throw new Error(OTHER_SIZE);
      put(entry, picture);
    } finally {
      picture.close();
    }
  }
}

const OTHER_SIZE = "its frames differ in size";

/** As `decodeStills`, of a payload of video; `config` as `playable` has it. The decoder is closed in the end. */
export async function decodeVideo(transfer, payload, count, config, signal, put) {
  const index = await indexOf(transfer, payload, count);
  const expected = [];
  let [failed, timer] = [null, 0];
  let fail;
  const failure = new Promise((_, reject) => (fail = reject));
  failure.catch(() => {});
  let isFed = false; // until then it may wait for the network
  const wait = () => {
    clearTimeout(timer);
    if (isFed) timer = setTimeout(() => fail(new Error("the video decoder does not answer")), PATIENCE);
  };
  const decoder = new VideoDecoder({
    output(frame) {
      const entry = expected.shift();
      try {
        wait();
        if (signal.aborted || entry === undefined || entry < 0) return;
        const { width, height } = frame.visibleRect;
        if (width !== payload.codedWidth || height !== payload.codedHeight) throw new Error(OTHER_SIZE);
        put(entry, frame);
      } catch (error) {
        fail(error);
      } finally {
        frame.close();
      }
    },
    error: (error) => fail(error),
  });
  failure.catch((error) => (failed = error));
  signal.addEventListener("abort", () => fail(signal.reason));
  try {
    decoder.configure(config);
    let time = 0;
    for (const { entry, chain } of decodingOrder(index)) {
      for (const step of chain) {
        const bytes = await Promise.race([data(transfer, payload, index[step]), failure]);
        if (failed) throw failed;
        const type = index[step].parent < 0 ? "key" : "delta";
        expected.push(step === entry ? entry : -1);
        decoder.decode(new EncodedVideoChunk({ type, timestamp: time++, data: bytes }));
      }
    }
    isFed = true;
    wait();
    await Promise.race([decoder.flush(), failure]);
    if (expected.length) throw new Error("the video decoder left frames out");
  } finally {
    clearTimeout(timer);
    if (decoder.state !== "closed") decoder.close();
  }
}
