/** Folders that are not known to hold a pack: those of sheets, and of older portraits. */

import { fetchOr } from "../transfer.js";

/**
 * metadata.json of a folder; an empty object where there is none, or where it cannot be fetched (file://).
 *
 * @param {string} folder its URL
 */
export async function readMetadata(folder, signal) {
  if (folder.startsWith("file:")) return {};
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
