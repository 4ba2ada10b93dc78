/** Packs for pages that were opened from files: these may not fetch, but may have scripts. */

import { loadScript } from "../script.js";

/** The pack as a data: URL, from the script beside it. */
export async function embeddedPack(url) {
  const { src } = await loadScript(`${url}.js`);
  return window.gazePacks?.[src];
}
