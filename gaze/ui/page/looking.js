// A photo and its preview: sent, looked at, and looked at again when a control has moved.

const STILL_MOVING = 160;

export class Looking {
  #asking;
  #choice;
  #seen;
  #turn = 0;
  #wanted = false;
  #busy = false;
  #timer = 0;
  photo = null;
  face = null;

  /**
   * @param asking the way to the app.
   * @param choice returns what the controls say.
   * @param seen called with each answer that is still wanted.
   */
  constructor({ asking, choice, seen }) {
    this.#asking = asking;
    this.#choice = choice;
    this.#seen = seen;
  }

  /** Another photo, or none: what is under way for the one before is not wanted any more. */
  take(photo, face = null) {
    this.forget();
    if (this.photo?.file) URL.revokeObjectURL(this.photo.still);
    this.photo = photo;
    this.face = face;
  }

  /** Answers that are under way are not wanted any more. */
  forget() {
    this.#turn += 1;
    this.#wanted = false;
    clearTimeout(this.#timer);
  }

  /** The photo and the face, as the app takes them. */
  subject() {
    const { path, example } = this.photo;
    return { photo: path ? { path } : { example }, face: this.face };
  }

  /** Looks when the control has been still for a moment. */
  soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), STILL_MOVING);
  }

  /** Asks for a preview; one at a time, and of those that were wanted meanwhile the last. */
  async look() {
    clearTimeout(this.#timer);
    this.#wanted = true;
    if (this.#busy) return;
    this.#busy = true;
    while (this.#wanted && this.photo) {
      this.#wanted = false;
      const turn = this.#turn;
      const answer = await this.#once();
      if (turn === this.#turn && !this.#wanted) this.#seen(answer);
    }
    this.#busy = false;
  }

  /** Sends the photo if the app does not have it; returns what is wrong, or null. */
  async send() {
    const { photo } = this;
    if (!photo.file || photo.path) return null;
    const sent = await this.#asking.send(photo.file);
    photo.path = sent.path;
    return sent.problem ?? null;
  }

  /** Whether a photo that the app has lost, by a restart, can be sent once more. */
  canSendAgain(problem) {
    if (!problem?.gone || !this.photo?.file) return false;
    this.photo.path = null;
    return true;
  }

  async #once(again = true) {
    const problem = await this.send();
    if (problem) return { problem };
    const answer = await this.#asking.ask("look", { ...this.subject(), choice: this.#choice() });
    return again && this.canSendAgain(answer.problem) ? this.#once(false) : answer;
  }
}
