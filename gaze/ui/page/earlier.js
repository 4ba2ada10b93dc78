// What was on the page before a photo that may be of no use: nobody loses it.

import { changed } from "./words.js";

export class Earlier {
  #kept = null;
  #back;

  /** @param back leads back: takes what was kept, and whether a finished portrait was being changed. */
  constructor(back) {
    this.#back = back;
  }

  /** Keeps it: `tried`, a photo as `Trying` tells it; `made`, a finished portrait; `behind`, a picture for the background. */
  keep(before) {
    if (before.tried || before.made) this.#kept = before;
  }

  forget() {
    this.#kept = null;
  }

  /** A button's `words` and `act`, and what it leads to, `shown`, as players take it; null if nothing was before. */
  get way() {
    if (!this.#kept) return null;
    const { tried, made } = this.#kept;
    const isChanged = made && tried && JSON.stringify(tried.choice) !== JSON.stringify(made.choice);
    return {
      words: made ? changed(Boolean(made.portrait.faces?.length)).back : "Back to your photo",
      act: () => this.#back(this.#kept, isChanged),
      shown: (made ?? tried.preview)?.portrait,
    };
  }
}
