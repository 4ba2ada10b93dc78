// One run at a time: begun, followed, followed again after a reload, stopped.

import * as memory from "./memory.js";

const SILENCE = 6000;

/** A name for a run that nobody else can know. */
export const newName = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((it) => it.toString(16).padStart(2, "0")).join("");

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

  /**
   * Begins a run; `about` is what a page that is loaded anew needs to go on. It is remembered before the app is asked:
   * who asks for the same run twice gets one.
   */
  begin(message, about) {
    const job = newName();
    this.run = { ...about, job, message: { ...message, job } };
    memory.rememberRun(this.run);
    this.again();
  }

  /** Follows the run that this tab waited for before it was loaded anew; false if there is none. */
  resume() {
    this.run = memory.run();
    this.again();
    return Boolean(this.run);
  }

  /** Follows it, or follows it once more: the connection is back. */
  again() {
    if (this.run?.session) this.#listen("follow", this.#name());
    else if (this.run) this.#listen("make", this.run.message);
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
    if (state.session && this.run && !this.run.session) {
      Object.assign(this.run, { session: state.session, secret: state.secret });
      memory.rememberRun(this.run);
      this.#remember(); // at once, so that it is there if the page is closed before the end
    }
    const run = this.run;
    if (["done", "failed", "stopped"].includes(state.phase)) {
      if (state.phase === "done")
        this.#remember(); // once more: now other tabs can show it, too
      else if (run?.session) memory.forget([run.session]);
      this.#end();
    }
    this.#tell(state, run);
  }

  /** The stream of states may have broken without a word. */
  async #check() {
    if (Date.now() - this.#heard < SILENCE || !this.run) return;
    this.#heard = Date.now();
    const nonce = this.#nonce;
    const state = await this.#ask("peek", this.#name());
    if (nonce !== this.#nonce) return;
    if (state.problem && !this.run.session) return this.again(); // the app has not heard of it yet
    this.#take(state.problem && !state.phase ? { phase: "failed", problem: state.problem } : state);
  }

  #name() {
    const { job, session } = this.run;
    return { job, session };
  }

  #remember() {
    const { session, secret } = this.run;
    this.run.made = Date.now();
    memory.remember({ session, secret, made: this.run.made });
  }

  #end() {
    clearInterval(this.#timer);
    this.#nonce = "";
    this.run = null;
    memory.rememberRun(null);
  }
}
