/** Decodes the stills of a pack, in the order of the file, as they arrive. */

import { data, indexOf, OTHER_SIZE } from "../decoder.js";
import { whole } from "../numbers.js";
import { decodingOrder, rising, sense } from "../pack.js";

/** The keys that stills are there for, and their size. */
function check({ keys, width, height }, { looks, imageWidth, imageHeight }) {
  const n = looks.length;
  rising(keys, 1, n, n - 1);
  sense(keys[0] === 0 && keys.at(-1) === n - 1 && keys.includes((n - 1) / 2));
  sense(whole(width, 1, imageWidth) && whole(height, 1, imageHeight));
}

/**
 * @param {import("../transfer.js").Transfer} transfer
 * @param {object} header of the pack, or of a layer
 * @param {object} payload of stills
 * @param {number} count of its pictures
 * @param {(entry: number, picture: ImageBitmap) => void} put
 */
export async function decodeStills(transfer, header, payload, count, signal, put) {
  if (!header.values) check(payload, header); // of layers more/layers.js does
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
