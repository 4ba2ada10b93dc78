// A photo and its preview: sent, looked at, and looked at again when a control has moved.

import { $ } from "./dom.js";

const STILL_MOVING = 160;
// A preview is small and of few keys at first, so that it is there at once; it is as sharp as the stage when all is still.
const [FIRST, MOST, STEP, AT_REST] = [320, 768, 128, 700];
const DRAWN = 200; // until what is there is drawn: before that nothing is done ahead
const HEAD_START = 300;
const KEPT = 40 * 60e3; // the app keeps previews for an hour

export class Looking {
  #asking;
  #root;
  #choice;
  #seen;
  #sending;
  #whole;
  #turn = 0;
  #wanted = false;
  #busy = false;
  #timer = 0;
  #behind;
  #last = "";
  #side = FIRST;
  /** Counts what has happened since all was still. */
  #stirred = 0;
  /** Previews of this photo that are there: by what was asked and how sharp, when, and the answer. */
  #known = new Map();
  /** Answers that are on their way, by the same names. */
  #coming = new Map();
  photo = null;
  face = null;
  anyway = false;
  /** How many faces stand side by side on the stage. */
  columns = 1;

  /**
   * @param asking the way to the app.
   * @param {string} root the app's address.
   * @param choice returns what the controls say.
   * @param behind returns the picture for the background, its `file`, its `path` and its address in the page, or null.
   * @param seen called with each answer that is still wanted.
   * @param sending called with the share of the photo that was sent, if that takes long.
   * @param whole resolves when what was seen last is on the stage.
   */
  constructor({ asking, root, choice, behind, seen, sending, whole }) {
    this.#asking = asking;
    this.#root = root;
    this.#choice = choice;
    this.#behind = behind;
    this.#seen = seen;
    this.#sending = sending;
    this.#whole = whole;
  }

  /** Another photo, or none: what is under way for the one before is not wanted any more. */
  take(photo, face = null, anyway = false) {
    this.forget();
    this.lose();
    if (this.photo?.file) URL.revokeObjectURL(this.photo.still);
    this.photo = photo;
    this.face = face;
    this.anyway = anyway;
    this.columns = 1;
  }

  /** Answers that are under way are not wanted any more. */
  forget() {
    this.#turn += 1;
    this.#side = FIRST;
    this.#wanted = false;
    this.#stir();
  }

  /** What was to be done when all is still is not done. */
  #stir() {
    this.#stirred += 1;
    clearTimeout(this.#timer);
  }

  /** What is known of previews is not so any more, such as after the app was restarted. */
  lose() {
    this.#last = "";
    this.#known.clear();
    this.#coming.clear();
  }

  /** The photo, the face, and whether its eyes may be hard to see, as the app takes them. */
  subject() {
    const { path, example } = this.photo;
    return { photo: path ? { upload: path } : { example }, face: this.face, anyway: this.anyway };
  }

  /** Looks when the control has been still for so many milliseconds, if there is anything else to be seen. */
  soon(still = STILL_MOVING) {
    this.#stir();
    this.#timer = setTimeout(() => {
      if (!this.#busy && this.#asked() === this.#last) return;
      this.#side = FIRST;
      this.look();
    }, still);
  }

  /** Asks for a preview; one at a time, and of those that were wanted meanwhile the last. What is known is seen at once. */
  async look() {
    this.#stir();
    this.#wanted = true;
    if (this.#busy) {
      const there = this.#recall(this.#asked())?.answer ?? this.#standIn();
      if (there) this.#seen(there);
      return;
    }
    this.#busy = true;
    try {
      while (this.#wanted && this.photo) {
        this.#wanted = false;
        const turn = this.#turn;
        const standIn = this.#standIn();
        if (standIn) await this.#showFirst(standIn);
        if (turn !== this.#turn || this.#wanted) continue;
        const answer = await this.#once(turn);
        if (turn !== this.#turn || this.#wanted) continue;
        this.#seen(answer);
        if (answer.kind === "preview") this.#goOn(answer);
      }
    } finally {
      this.#busy = false;
    }
  }

  /** While all is still, the preview is made as sharp as the stage. Of a new photo the person is cut out first. */
  async #goOn(answer) {
    const stirred = this.#stirred;
    const side = this.#sharp;
    const isSharp = side <= this.#side;
    const isNew = this.#known.size === 1;
    const sharpen = () => {
      this.#side = side;
      this.look();
    };
    const ahead = async () => {
      await this.#cutAhead(answer);
      if (stirred === this.#stirred && !isSharp) this.#timer = setTimeout(sharpen, DRAWN);
    };
    await this.#whole();
    if (stirred !== this.#stirred) return;
    this.#timer = isSharp || isNew ? setTimeout(ahead, DRAWN) : setTimeout(sharpen, AT_REST);
  }

  /** Pixels of a preview as sharp as the stage; of several faces each has its part of it. */
  get #sharp() {
    const seen = ($("stage").clientWidth * devicePixelRatio) / this.columns;
    if (this.columns > 1 && seen <= FIRST) return FIRST;
    const pixels = Math.max(seen, FIRST + 1);
    return Math.min(MOST, Math.ceil(pixels / STEP) * STEP);
  }

  /** The person is cut out before anybody asks: then each background is there when it is chosen. */
  async #cutAhead({ portrait }) {
    const asked = this.#asked("remove");
    if (portrait.hasAlpha || this.#known.has(nameOf(asked, FIRST))) return;
    const turn = this.#turn;
    const answer = await this.#ask(asked, FIRST);
    if (turn !== this.#turn || answer.problem) return;
    for (const { pack } of answer.portrait.faces ?? [answer.portrait])
      fetch(new URL(answer.portrait.base + pack, this.#root)).catch(() => {}); // it is fetched when it is chosen
  }

  /** The person that was cut out already, in place of the preview with a background that has to be made yet. */
  #standIn() {
    const { background } = this.#choice();
    if (!["blur", "picture"].includes(background) || this.#recall(this.#asked())) return null;
    const cut = this.#recall(this.#asked("remove"))?.answer;
    const picture = this.#behind()?.still;
    const behind = background === "blur" ? cut?.blurred : picture && [picture];
    return cut && behind ? { ...cut, behind } : null;
  }

  /** Lets the browser draw what it has before the app, perhaps on the same processor, makes what follows. */
  #showFirst(standIn) {
    this.#seen(standIn);
    return new Promise((done) => setTimeout(done, HEAD_START));
  }

  /** Sends the photo, and the picture behind it, if the app does not have them; returns what is wrong, or null. */
  async send() {
    for (const one of [this.photo, this.#behind()]) {
      if (!one?.file || one.path) continue;
      const sent = await this.#asking.send(one.file, (share) => one === this.photo && this.#sending(share));
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
    const known = this.#recall(asked);
    if (known) this.#side = known.side;
    const answer = known?.answer ?? (await this.#ask(asked, this.#side));
    if (again && turn === this.#turn && this.canSendAgain(answer.problem)) return this.#once(turn, false);
    this.#last = answer.problem ? "" : asked;
    return answer;
  }

  /** The answer to a question; one that is on its way is not asked for once more. */
  #ask(asked, side) {
    const name = nameOf(asked, side);
    if (!this.#coming.has(name)) {
      const answer = this.#answer(asked, side, name).finally(() => this.#coming.delete(name));
      this.#coming.set(name, answer);
    }
    return this.#coming.get(name);
  }

  async #answer(asked, side, name) {
    const { photo } = this;
    const answer = await this.#asking.ask("look", { ...JSON.parse(asked), side });
    if (answer.kind === "preview" && photo === this.photo) this.#known.set(name, { at: Date.now(), answer });
    return answer;
  }

  /** What was answered already, and how sharp it is: as it is wanted, or sharper; undefined if there is none. */
  #recall(asked) {
    const sides = [this.#sharp, FIRST].filter((side) => side >= this.#side);
    const found = sides.map((side) => ({ side, ...this.#known.get(nameOf(asked, side)) }));
    return found.find(({ answer, at }) => answer && Date.now() - at < KEPT);
  }

  /** What the app is asked for. A colour is put behind the portrait here: while it is chosen, nobody has to wait. */
  #asked(background = null) {
    const { colour, matting, blinking, picture, ...choice } = this.#choice();
    choice.background = background ?? (choice.background === "colour" ? "remove" : choice.background);
    if (choice.background === "picture") choice.picture = picture;
    return JSON.stringify({ ...this.subject(), choice });
  }
}

const nameOf = (asked, side) => `${side} ${asked}`;
