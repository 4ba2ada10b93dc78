/** What a portrait's attributes, its manifest and its metadata.json say. */

import { facePoint, within } from "./numbers.js";
import { second } from "./second.js";
import { isOnline } from "./transfer.js";

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
 * @property {boolean} [isGuess] whether `stills` are told by nobody, and may not be there
 * @property {object | null} [folder] what `readFolder` takes, where the pack is a guess, too
 */

/**
 * The source that a manifest (metadata.json and `base`) describes.
 *
 * @returns {Source}
 */
export function readManifest(manifest) {
  if (typeof manifest !== "object") throw new Error("The manifest is not an object.");
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
    hasSheets: manifest.sheets?.length !== 0,
  };
}

/**
 * The source that attributes describe: a pack, a folder, or sheets. A folder's pack is asked for at once: metadata.json
 * is read only where there is none, or where `mode` or `grid` say that there are sheets.
 */
export async function readAttributes({ src, mode, grid, width, height }, signal) {
  const declared = { mode, gridSize: grid, imageWidth: width, imageHeight: height };
  const isPack = /^data:application\/octet-stream|\.pack([?#]|$)/i.test(src);
  const isList = /,|^data:|\.(webp|avif|png|jpe?g|gif)([?#]|$)/i.test(src);
  const base = new URL(isPack ? src : src.replace(/\/?(metadata\.json)?$/, "/"), document.baseURI).href;
  const folder = isPack ? null : { ...declared, base };
  if (folder && (isList || mode || grid)) return (await second()).readFolder(folder, signal, src, isList);
  const pack = isPack ? base : `${base}gaze.pack`;
  const stills = isOnline(base) ? pack.replace(/\w+(?=[^/]+$)/, "stills") : null; // of gaze-2.pack: stills-2.pack
  const source = readManifest({ ...declared, base, pack, stills, sheets: [] });
  return { ...source, isGuess: true, folder };
}
