/** Folders that are not known to hold a pack: those of sheets, and of older portraits. */

import { readManifest } from "../manifest.js";
import { advice, isForeign } from "./foreign.js";
import { listedSheets } from "./layout.js";

/**
 * metadata.json of a folder; an empty object where there is none, or where it cannot be fetched (file://).
 *
 * @param {string} folder its URL
 */
async function readMetadata(folder, signal) {
  if (folder.startsWith("file:")) return {};
  const url = new URL("metadata.json", folder).href;
  const response = await fetch(url, { signal }).catch(() => {
    if (isForeign(url)) throw new Error(`${url} could not be loaded: ${advice(url)}.`);
    return { status: 404 }; // refused by the page's policy, perhaps, which may allow pictures
  });
  if (response.status === 404) return {};
  if (!response.ok) throw new Error(`${url} could not be loaded (status ${response.status}).`);
  return response.json().catch(() => {
    throw new Error(`${url} is not valid JSON.`);
  });
}

/**
 * The source that metadata.json of a folder describes, or sheets that are listed.
 *
 * @param {object} declared what else is declared, which stands in for what is missing; `base`: the folder
 * @param {string} [src] what it was told by, which may be a sheet without the ending of a picture
 * @param {boolean} [isList] whether that is sheets
 * @returns {Promise<import("../manifest.js").Source>}
 */
export async function readFolder(declared, signal, src, isList) {
  const { base, mode } = declared;
  if (isList || (src && mode === "single")) {
    return readManifest({ ...declared, base: "", sheets: listedSheets(src, mode), mobileGridSize: null });
  }
  return readManifest({ ...declared, ...(await readMetadata(base, signal)), base });
}
