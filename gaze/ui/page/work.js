// One run at a time: begun, followed, followed again after a reload, stopped.

import * as memory from "./memory.js";

const SILENCE = 6000;

export class Work {
  #trigger;
  #ask;
  #tell;
  #nonce = "";
  #heard = 0;
  #timer = 0;
  run = null;

  /**
   * @param trigger starts one of the app's events.
   * @param ask asks the app.
   * @param tell called with each state of the run, as the app tells it.
   */
  constructor({ trigger, ask, tell }) {
    this.#trigger = trigger;
    this.#ask = ask;
    this.#tell = tell;
  }

  /** Begins a run; `about` is what a page that is loaded anew needs to go on. */
  begin(message, about) {
    this.run = about;
    this.#listen("make", message);
  }

  /** Follows the run that this tab waited for before it was loaded anew; false if there is none. */
  resume() {
    this.run = memory.run();
    if (!this.run?.job) return false;
    this.#listen("follow", { job: this.run.job });
    return true;
  }

  /** Follows it once more: the connection is back. */
  again() {
    if (this.run?.job) this.#listen("follow", { job: this.run.job });
  }

  /** Stops it; nothing of it stays. */
  async stop() {
    const { job, session } = this.run ?? {};
    this.#end();
    if (session) memory.forget([session]);
    if (job) await this.#ask("stop", { job });
  }

  /** Takes what the app says. */
  hear(state) {
    if (!this.#nonce || state?.nonce !== this.#nonce) return;
    this.#take(state);
  }

  #listen(event, message) {
    this.#nonce = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.#heard = Date.now();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#check(), 2000);
    this.#trigger(event, { ...message, nonce: this.#nonce });
  }

  #take(state) {
    this.#heard = Date.now();
    if (state.job && this.run && !this.run.job) {
      Object.assign(this.run, { job: state.job, session: state.session, secret: state.secret, made: Date.now() });
      memory.rememberRun(this.run);
      // At once, so that it is there if the page is closed before the end.
      memory.remember({ session: state.session, secret: state.secret, made: this.run.made });
    }
    const run = this.run;
    if (["done", "failed", "stopped"].includes(state.phase)) {
      this.#end();
      if (state.phase !== "done" && run?.session) memory.forget([run.session]);
    }
    this.#tell(state, run);
  }

  /** The stream of states may have broken without a word. */
  async #check() {
    if (Date.now() - this.#heard < SILENCE || !this.run?.job) return;
    this.#heard = Date.now();
    const nonce = this.#nonce;
    const state = await this.#ask("peek", { job: this.run.job });
    if (nonce !== this.#nonce) return;
    this.#take(state.problem && !state.phase ? { phase: "failed", problem: state.problem } : state);
  }

  #end() {
    clearInterval(this.#timer);
    this.#nonce = "";
    this.run = null;
    memory.rememberRun(null);
  }
}
