// One run at a time: begun, followed, followed again after a reload, stopped.

import * as memory from "./memory.js";

const [SOON, SILENCE] = [1000, 6000];

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
  /** Whether the app is asked, since its events do not arrive: Gradio's page has none any more once a stream has broken. */
  #isAsking = false;
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

  /** The connection is back: what was under way goes on. */
  back() {
    this.#isAsking ||= Boolean(this.run);
    this.again();
  }

  /** Follows it, or follows it once more. */
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
    this.#isAsking = false;
    this.#take(state);
  }

  #listen(event, message) {
    this.#nonce = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.#heard = this.#isAsking ? 0 : Date.now();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#check(), SOON);
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

  /** The stream of states may have broken without a word, or there may be none. */
  async #check() {
    if (Date.now() - this.#heard < (this.#isAsking ? SOON : SILENCE) || !this.run) return;
    this.#heard = Infinity; // until there is an answer
    this.#isAsking = true;
    const nonce = this.#nonce;
    const { session, message } = this.run;
    const state = await (session ? this.#ask("peek", this.#name()) : this.#ask("begin", message));
    if (nonce !== this.#nonce) return;
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
