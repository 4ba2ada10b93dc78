/** What a portrait's attributes, its manifest and its metadata.json say. */

import { facePoint, within } from "./numbers.js";
import { second } from "./second.js";
import { fetchOr } from "./transfer.js";

const MAX_SIDE = 16384; // pixels of a frame

/**
 * @typedef {object} Source
 * @property {number | undefined} width of a frame, in pixels
 * @property {number | undefined} height
 * @property {string | null} poster
 * @property {string | null} pack URL of the keys, which go before the sheets
 * @property {string | null} stills URL of the same as stills, for browsers without a video decoder
 * @property {{x: number, y: number} | null} face the point between the eyes, as a fraction of the frame
 * @property {object} manifest what it was read from, for those who read sheets
 * @property {boolean} hasSheets whether there may be sheets
 */

/**
 * The source that a manifest (metadata.json and `base`) describes.
 *
 * @param {boolean} [isPack] it is of a pack alone
 * @returns {Source}
 */
export function readManifest(manifest, isPack = false) {
  if (typeof manifest !== "object") throw new Error("The manifest is no object.");
  const base = new URL(manifest.base || "./", document.baseURI);
  const at = (name) => (name ? new URL(name, base).href : null);
  return {
    width: within(manifest.imageWidth, 1, MAX_SIDE),
    height: within(manifest.imageHeight, 1, MAX_SIDE),
    poster: at(manifest.poster),
    pack: at(manifest.pack),
    stills: at(manifest.stills),
    face: facePoint(manifest.face),
    manifest: { ...manifest, base: base.href },
    hasSheets: !isPack && manifest.sheets?.length !== 0,
  };
}

/** The source that attributes describe: a pack, a list of sheets, or a folder with metadata.json. */
export async function readAttributes({ src, mode, grid, width, height }, signal) {
  const declared = { mode, gridSize: grid, imageWidth: width, imageHeight: height };
  if (/\.pack([?#]|$)/i.test(src) || /^data:application\/octet-stream/.test(src)) {
    return readManifest({ ...declared, pack: src }, true);
  }
  if (src.includes(",") || mode === "single" || /^data:|\.(webp|avif|png|jpe?g|gif)([?#]|$)/i.test(src)) {
    const { listedSheets } = await second();
    return readManifest({ ...declared, sheets: listedSheets(src, mode), mobileGridSize: null });
  }
  const folder = new URL(src.replace(/metadata\.json$/, "").replace(/\/?$/, "/"), document.baseURI);
  const metadata = await readMetadata(folder, signal);
  return readManifest({ ...declared, ...metadata, base: folder.href });
}

/** metadata.json of a folder; an empty object where there is none, or where it cannot be fetched (file://). */
async function readMetadata(folder, signal) {
  if (folder.protocol === "file:") return {};
  const url = new URL("metadata.json", folder).href;
  const response = await fetchOr(url, { signal }).catch((error) => {
    if (error.isRefused) throw new Error(`${url} could not be loaded: ${error.message}.`);
    return { status: 404 }; // refused by the page's policy, perhaps, which may allow pictures
  });
  if (response.status === 404) return {};
  if (!response.ok) throw new Error(`${url} could not be loaded (status ${response.status}).`);
  return response.json().catch(() => {
    throw new Error(`${url} is not valid JSON.`);
  });
}
