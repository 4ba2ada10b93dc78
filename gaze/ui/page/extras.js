// What can be done with a finished portrait: a link, code for a page, a clip, sprite sheets for other programs.

import { $ } from "./dom.js";
import { clipSheet, embedSheet, linkSheet } from "./sheets.js";
import { newName } from "./work.js";

const ASK = "Does another program need sprite sheets?";
const PAUSE = 1000;

/** Sprite sheets are made when their owner asks for them, while the sheet with the code is open or not. */
class SpriteSheets {
  #ask;
  #root;
  #portrait = null;
  #busy = false;

  /** @param ask asks the app. */
  constructor({ ask, root }) {
    this.#ask = ask;
    this.#root = root;
    $("add-sheets").onclick = () => this.#add(this.#portrait);
  }

  /** Shows what there is for a finished portrait: its `session`, `secret` and `portrait`. */
  show(portrait) {
    if (portrait.session !== this.#portrait?.session) this.#busy = false;
    this.#portrait = portrait;
    if (!this.#busy) this.#say(portrait.portrait.sheets?.length ? "The sheets are ready." : ASK);
  }

  async #add({ session, secret }) {
    this.#busy = true;
    this.#say("Making them…");
    const name = { job: newName(), session };
    let state = await this.#ask("sheets", { ...name, secret });
    while (!state.problem && !["done", "stopped"].includes(state.phase)) {
      await new Promise((done) => setTimeout(done, PAUSE));
      state = await this.#ask("peek", name);
      if (session !== this.#portrait.session) return;
      if (state.phase === "making") this.#say(`Making them… ${Math.round(100 * state.share)} %`);
    }
    if (session !== this.#portrait.session) return;
    this.#busy = false;
    if (state.portrait) this.#portrait.portrait = state.portrait;
    this.#say(state.problem ? `${state.problem.title} ${state.problem.text}`.trim() : "The sheets are ready.");
  }

  #say(text) {
    const there = Boolean(this.#portrait.portrait.sheets?.length);
    $("sheets-note").textContent = text;
    $("sheets-note").parentElement.hidden = Boolean(this.#portrait.portrait.faces?.length); // they hold one face
    $("add-sheets").hidden = there || this.#busy;
    $("with-sheets").hidden = !there;
    if (there)
      $("with-sheets").href = new URL(`${this.#portrait.portrait.base}gaze-portrait.zip?sheets=1`, this.#root).href;
  }
}

/** What opens each of the sheets for the portrait that `made` returns. */
export function finishedSheets({ ask, made, mine, snippets, root, trackers }) {
  const open = embedSheet(snippets, () => made().portrait);
  const sprites = new SpriteSheets({ ask, root });
  return {
    embed: () => {
      sprites.show(made());
      open();
    },
    link: linkSheet((wanted) => mine.share(made(), wanted)),
    clip: clipSheet(
      (kind, shape) => new URL(`gradio_api/gaze-clip/${made().session}/${shape}.${kind}`, root),
      trackers,
    ),
  };
}
