/** Plays what is left of a source where it has no pack, or none that can be played. */

import { isOnline } from "../transfer.js";
import { readFolder } from "./folder.js";
import { advice, isForeign } from "./foreign.js";
import { SheetPlayer } from "./sheet_player.js";

/**
 * @param {import("../portrait.js").Portrait} portrait
 * @param {import("../manifest.js").Source} source
 * @param {object} so what was tried so far
 * @param {{error: Error, url: string} | null} so.before what failed first
 * @param {string[]} so.tried packs that failed before
 * @param {Error} [so.error] why a pack has failed now, that of `so.url`
 * @param {boolean} [so.isMorph] whether it is known to be one of version 2
 */
export async function playLeft(portrait, source, { before, tried, error, isMorph, url }, signal) {
  if (error) {
    const left = { ...source };
    if (isMorph && isOnline(url)) left.stills ??= new URL("stills.pack", url).href;
    // Where there is no pack, there are no stills of it either, unless somebody said so.
    else if (source.isGuess && url === source.pack) left.stills = null;
    return portrait.play(left, before ?? { error, url }, [...tried, url]);
  }
  const isRefused = before?.error.isRefused && isForeign(before.url);
  if (source.folder && !isRefused) {
    const told = await readFolder(source.folder, signal);
    return portrait.play(told, tried.includes(told.pack) ? before : null, tried);
  }
  if (source.hasSheets && !isRefused) {
    portrait.player = new SheetPlayer(source, portrait.ownerOf());
    return portrait.player.load();
  }
  if (before) {
    const name = before.url.startsWith("data:") ? "of this page" : before.url;
    const reason = isRefused ? advice(before.url) : before.error.message;
    portrait.fail(`The pack ${name} could not be played (${reason}).`, before.url);
  }
  return undefined;
}
