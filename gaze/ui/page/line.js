// The line: what is so, in a title and a sentence or two.

import { icon, make } from "./dom.js";

export const line = (title, text, kind = "") =>
  make("div", {}, make("h1", { className: kind }, title), make("p", {}, ...text));

/** What is wrong, which is said at once. */
export function alarm({ title, text }, picture = "alert", kind = "") {
  const words = make("div", {}, make("h1", {}, title), ...(text ? [make("p", {}, text)] : []));
  return make("div", { className: `problem ${kind}`.trim(), role: "alert" }, icon(picture), words);
}
