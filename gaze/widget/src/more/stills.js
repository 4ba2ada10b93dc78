/** Decodes the stills of a pack, in the order of the file, as they arrive. */

import { data, indexOf, OTHER_SIZE } from "../decoder.js";
import { decodingOrder } from "../pack.js";

/**
 * @param {import("../transfer.js").Transfer} transfer
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
