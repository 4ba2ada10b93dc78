// The portraits of this browser: listed, shared, deleted.

import { toast } from "./dom.js";
import * as memory from "./memory.js";
import { sure } from "./sheets.js";
import { deleting } from "./words.js";

export class Mine {
  #asking;
  #config;
  #root;
  #show;
  #gone;
  /** How often was asked: only the last answer counts. */
  #asked = 0;

  /**
   * @param show called with the portraits that are still there.
   * @param gone called with the sessions that have been deleted.
   */
  constructor({ asking, config, root, show, gone }) {
    this.#asking = asking;
    this.#config = config;
    this.#root = root;
    this.#show = show;
    this.#gone = gone;
    memory.onChange(() => this.list());
  }

  /** Asks the app which are still there. */
  async list() {
    const asked = ++this.#asked;
    const mine = memory.owned(memory.portraits());
    const answer = mine.length ? await this.#asking.ask("arrive", { mine }) : { there: [] };
    if (answer.problem || asked !== this.#asked) return;
    // Some may have been forgotten meanwhile.
    this.#show(memory.portraits().filter(({ session }) => answer.there.includes(session)));
  }

  /** What the owner says about a portrait, and the address of its page. */
  async share({ session, secret }, { caption = null, card = null }) {
    const answer = await this.#asking.ask("share", { session, secret, caption, card });
    return { ...answer, address: this.pageOf(session) };
  }

  /** The address of a portrait's own page. */
  pageOf(session) {
    return new URL(this.#config.sharePath + encodeURIComponent(session), this.#root).href;
  }

  /** Deletes one, if its owner is sure. */
  async remove({ session, secret, portrait }) {
    const { title, text } = deleting(Boolean(portrait.faces?.length));
    if (await sure(title, text)) await this.#delete([{ session, secret }]);
  }

  /** Deletes all, if their owner is sure. */
  async clear() {
    const mine = memory.owned(memory.portraits());
    const text = "All portraits made in this browser, their files and their links are gone at once.";
    if (await sure("Delete all your portraits?", text)) await this.#delete(mine);
  }

  async #delete(mine) {
    const answer = await this.#asking.ask("remove", { mine });
    if (answer.problem) {
      toast(answer.problem.title);
      return this.list(); // some may be gone
    }
    const sessions = mine.map(({ session }) => session);
    memory.forget(sessions);
    this.#gone(sessions);
    await this.list();
  }
}
