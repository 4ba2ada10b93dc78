// Asking the app, over a connection that may break and an app that may be restarted.

const PAUSE = 1500;
const OURS = {
  title: "Something went wrong on our side.",
  text: "Your photo and your choices are still here: try again.",
};
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

export class Asking {
  #server;
  #upload;
  #root;
  #onLost;
  #onBack;
  #lost = null;

  /** @param onLost, onBack called again and again while the app cannot be reached, and when it can be. */
  constructor({ server, upload, root, onLost, onBack }) {
    this.#server = server;
    this.#upload = upload;
    this.#root = root;
    this.#onLost = onLost;
    this.#onBack = onBack;
    // What is under way may have begun when the app was still there.
    addEventListener("offline", () => (this.#lost ? this.#lost.then(() => this.#reach()) : this.#reach()));
  }

  /** The app's answer; asked again when the connection is back. */
  async ask(name, data) {
    return this.#again(() => this.#server[name](data));
  }

  /** Sends a photo; returns its `path`, or the `problem`. `tell` is called with the share that is there, if it takes long. */
  async send(file, tell = () => {}) {
    return this.#again(() => this.#upload(file, tell));
  }

  /** Does it once more when the connection is back; and where it is there, since it may have been broken before. */
  async #again(act) {
    for (let failed = false; ; ) {
      try {
        const answer = await act();
        if (answer !== undefined && answer !== null) return answer;
        throw new Error("no answer");
      } catch (error) {
        console.warn("Gaze:", error);
        if (!(await this.#isThere())) await this.#reach();
        else if (failed) return { problem: OURS };
        else failed = true;
      }
    }
  }

  /** Until the app can be reached. */
  #reach() {
    this.#lost ??= (async () => {
      let told = false;
      while (!(await this.#isThere())) {
        this.#onLost(); // each time: what the app said before it was lost may arrive after it was told
        told = true;
        await pause(PAUSE);
      }
      this.#lost = null;
      if (told) this.#onBack();
    })();
    return this.#lost;
  }

  async #isThere() {
    try {
      return (await fetch(new URL("gradio_api/gaze-page/dom.js", this.#root), { method: "HEAD", cache: "no-store" }))
        .ok;
    } catch {
      return false;
    }
  }
}
