// A photo and its preview: sent, looked at, and looked at again when a control has moved.

import { $ } from "./dom.js";

const STILL_MOVING = 160;
// A preview is small at first, so that it is there at once, and as sharp as the stage when all is still.
const [FIRST, MOST, STEP, AT_REST] = [320, 768, 128, 700];

export class Looking {
  #asking;
  #choice;
  #seen;
  #turn = 0;
  #wanted = false;
  #busy = false;
  #timer = 0;
  #behind;
  #last = "";
  #side = FIRST;
  photo = null;
  face = null;
  anyway = false;

  /**
   * @param asking the way to the app.
   * @param choice returns what the controls say.
   * @param behind returns the picture for the background, its `file` and its `path`, or null.
   * @param seen called with each answer that is still wanted.
   */
  constructor({ asking, choice, behind, seen }) {
    this.#asking = asking;
    this.#choice = choice;
    this.#behind = behind;
    this.#seen = seen;
  }

  /** Another photo, or none: what is under way for the one before is not wanted any more. */
  take(photo, face = null, anyway = false) {
    this.forget();
    this.#last = "";
    if (this.photo?.file) URL.revokeObjectURL(this.photo.still);
    this.photo = photo;
    this.face = face;
    this.anyway = anyway;
  }

  /** Answers that are under way are not wanted any more. */
  forget() {
    this.#turn += 1;
    this.#side = FIRST;
    this.#wanted = false;
    clearTimeout(this.#timer);
  }

  /** The photo, the face, and whether its eyes may be hard to see, as the app takes them. */
  subject() {
    const { path, example } = this.photo;
    return { photo: path ? { path } : { example }, face: this.face, anyway: this.anyway };
  }

  /** Looks when the control has been still for so many milliseconds, if there is anything else to be seen. */
  soon(still = STILL_MOVING) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (!this.#busy && this.#asked() === this.#last) return;
      this.#side = FIRST;
      this.look();
    }, still);
  }

  /** Asks for a preview; one at a time, and of those that were wanted meanwhile the last. */
  async look() {
    clearTimeout(this.#timer);
    this.#wanted = true;
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.#wanted && this.photo) {
        this.#wanted = false;
        const turn = this.#turn;
        const answer = await this.#once(turn);
        if (turn !== this.#turn || this.#wanted) continue;
        this.#seen(answer);
        if (answer.kind === "preview") this.#sharpen();
      }
    } finally {
      this.#busy = false;
    }
  }

  #sharpen() {
    const pixels = $("stage").clientWidth * devicePixelRatio;
    const side = Math.min(MOST, Math.ceil(pixels / STEP) * STEP);
    if (side <= this.#side) return;
    this.#timer = setTimeout(() => {
      this.#side = side;
      this.look();
    }, AT_REST);
  }

  /** Sends the photo, and the picture behind it, if the app does not have them; returns what is wrong, or null. */
  async send() {
    for (const one of [this.photo, this.#behind()]) {
      if (!one?.file || one.path) continue;
      const sent = await this.#asking.send(one.file);
      one.path = sent.path;
      if (sent.problem) return sent.problem;
    }
    return null;
  }

  /** Whether a photo that the app has lost, by a restart, can be sent once more. */
  canSendAgain(problem) {
    const files = [this.photo, this.#behind()].filter((one) => one?.file);
    if (!problem?.gone || !files.length) return false;
    for (const one of files) one.path = null;
    return true;
  }

  /** One answer; of no use where it is not wanted any more, as there may be no photo by then. */
  async #once(turn, again = true) {
    const problem = await this.send();
    if (problem || turn !== this.#turn) return { problem };
    const asked = this.#asked();
    const answer = await this.#asking.ask("look", { ...JSON.parse(asked), side: this.#side });
    if (again && turn === this.#turn && this.canSendAgain(answer.problem)) return this.#once(turn, false);
    this.#last = answer.problem ? "" : asked;
    return answer;
  }

  /** What the app is asked for. A colour is put behind the portrait here: while it is chosen, nobody has to wait. */
  #asked() {
    const choice = this.#choice();
    const background = choice.background === "colour" ? "remove" : choice.background;
    return JSON.stringify({
      ...this.subject(),
      choice: { ...choice, background, colour: undefined, matting: undefined, blinking: undefined },
    });
  }
}
