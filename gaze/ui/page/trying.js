// From a photo to its preview: which face, whether its eyes are good enough, and what the controls change.

import { columnsFor } from "./dom.js";
import { Looking } from "./looking.js";
import { fromLeft, MOST_FACES } from "./words.js";

/** Every face of a photo, as the app takes it. */
const ALL = "all";

export class Trying {
  #looking;
  #desk;
  #stage;
  #states;
  #isMade;
  #preview = null;
  #several = null;

  /**
   * @param asking the way to the app.
   * @param {string} root the app's address.
   * @param desk, stage, states the parts of the page.
   * @param isMade returns whether a finished portrait is what the page is about: then all is a preview of changes.
   */
  constructor({ asking, root, desk, stage, states, isMade }) {
    this.#desk = desk;
    this.#stage = stage;
    this.#states = states;
    this.#isMade = isMade;
    this.#looking = new Looking({
      asking,
      root,
      choice: () => desk.choice(),
      behind: () => desk.behind,
      seen: (answer) => this.#looked(answer),
      sending: (share) => states.sending(share),
      whole: () => stage.whole(),
    });
  }

  /** Whether there is a photo. */
  get hasPhoto() {
    return Boolean(this.#looking.photo);
  }

  /** Whether the photo can be had once more if the app has lost it. */
  get isAtHand() {
    const { file, example } = this.#looking.photo;
    return Boolean(file) || example !== undefined;
  }

  /** Whether all faces of the photo are wanted. */
  get isMany() {
    return this.#looking.face === ALL;
  }

  /** What a run needs: `subject` for the app, and `about` for a page that is loaded anew while it goes on. */
  get wanted() {
    const subject = this.#looking.subject();
    const { path, example } = this.#looking.photo;
    const preview = this.#preview && { ...this.#preview, blurred: undefined }; // the tab remembers what it shows alone
    return { subject, about: { ...subject, photo: { path, example }, preview, several: this.#several } };
  }

  /** How many seconds the portrait will take, if that is known. */
  get seconds() {
    return this.#preview?.seconds ?? null;
  }

  /** What `resume` goes on with; null where nothing is seen of the photo yet. */
  get kept() {
    if (!this.#preview && !this.#several) return null;
    const { photo, face, anyway } = this.#looking;
    return { photo, face, anyway, choice: this.#desk.choice(), preview: this.#preview, several: this.#several };
  }

  /** A new photo: its address `still` in the page, and its `file`, or the number of an `example`. */
  take(photo) {
    this.clear();
    this.#desk.reset();
    this.#states.finding(photo.still);
    this.#looking.take(photo);
    this.#looking.look();
  }

  /** There is no photo any more. */
  clear() {
    this.#looking.take(null);
    this.#preview = this.#several = null;
  }

  /** What a run was begun with, after the page was loaded anew; or what was there before a photo that is of no use. */
  resume({ photo, face, anyway, choice, preview, several }) {
    const still = photo.file ? URL.createObjectURL(photo.file) : photo.still; // the one before was revoked
    this.#looking.take({ ...photo, still }, face, anyway);
    this.#preview = preview;
    this.#several = several;
    this.#arrange();
    this.#desk.set(choice);
    this.tint();
    if (preview) this.#stage.play(preview.portrait);
  }

  /** A control was moved, in one step or on and on. */
  moved(isStep) {
    if (!this.hasPhoto) return;
    this.tint();
    if (this.#preview || this.#isMade()) this.#show();
    this.#desk.fault("");
    this.#looking.soon(isStep ? 0 : undefined);
  }

  /** Shows the preview, or the faces to choose from; false if there is neither. */
  show() {
    if (this.#preview) this.#showPreview();
    else if (this.#several) this.#offer();
    return Boolean(this.#preview || this.#several);
  }

  /** Previews that are under way are not wanted any more. */
  forget() {
    this.#looking.forget();
  }

  /** The app may have been restarted: what it said of previews is not so any more. */
  lose() {
    this.#looking.lose();
  }

  /** Sends once more what the app has lost, if this page has it; returns what is wrong, or null. */
  async sendAgain(problem) {
    return this.#looking.canSendAgain(problem) ? this.#looking.send() : null;
  }

  /** A colour behind the preview, which is transparent then, or pictures until they are part of the preview. */
  tint() {
    const { background, colour } = this.#desk.choice();
    const pictures = this.#preview?.behind?.map((picture) => `center / cover url("${picture}")`);
    this.#stage.behind(background === "colour" ? [colour] : pictures);
  }

  #looked(answer) {
    if (answer.problem) {
      if (this.#preview) this.#desk.fault(`${answer.problem.title} ${answer.problem.text}`);
      else this.#states.error(answer.problem, this.#looking.photo.still);
    } else if (answer.kind === "doubtful") {
      this.#states.doubtful(answer, () => {
        this.#looking.anyway = true;
        this.#states.finding(answer.still);
        this.#looking.look();
      });
    } else if (answer.kind === "several") {
      this.#several = { ...answer, faces: fromLeft(answer.faces) };
      this.#offer();
    } else {
      this.#preview = answer;
      this.#showPreview();
    }
  }

  /** Which face, or all of them. */
  #offer() {
    this.#looking.forget();
    this.#looking.face = this.#preview = null;
    this.#states.several(this.#several, {
      choose: (face) => this.#choose(face),
      all: () => this.#choose(ALL),
    });
  }

  #choose(face) {
    this.#looking.face = face;
    this.#arrange();
    this.#desk.fault("");
    this.#states.finding(this.#several.still, this.isMany);
    this.#looking.look();
  }

  /** A preview is as sharp as what is seen of it. */
  #arrange() {
    this.#looking.columns = this.isMany ? columnsFor(Math.min(this.#several?.faces.length ?? 1, MOST_FACES)) : 1;
  }

  #showPreview() {
    this.tint();
    this.#stage.play(this.#preview.portrait);
    this.#show();
  }

  #show() {
    const shown = { seconds: this.seconds, many: this.isMany };
    if (this.#isMade()) this.#states.changed(shown);
    else this.#states.preview({ ...shown, another: this.#several && (() => this.#offer()) });
  }
}
