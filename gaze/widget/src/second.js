/**
 * The second file (src/more): sheets, packs of version 1, no WebGL2, tilt, PixiJS, pages opened from files. Loaded when it
 * is needed.
 */

import { SECOND } from "./names.js";
import { loadScript } from "./script.js";
import { isOnline } from "./transfer.js";

/** Where this script lies; the other lies beside it. Null in a script that stands in its page. */
const here = globalThis.document?.currentScript?.src;

let loading;

/** @returns {Promise<object>} what src/more/index.js offers */
export async function second() {
  loading ??= load();
  try {
    await loading;
  } catch (error) {
    loading = null;
    throw error;
  }
  return globalThis[SECOND];
}

async function load() {
  if (globalThis[SECOND]) return;
  // A bundler takes the module along; esbuild drops the branch that does not apply.
  if (IS_MODULE) return void (await import("./gaze-tracker-more.js"));
  const name = "gaze-tracker-more.js";
  const url = new URL(name, here || document.baseURI).href;
  const run = () => loadScript(url);
  // Pages that demand Trusted Types let modules in by their address; files, and sites without CORS, let in scripts alone.
  await (isOnline(url) ? import(url).catch(run) : run()).catch(() => {
    throw new Error(`${url} is missing: it belongs beside gaze-tracker.js`);
  });
}
