// The page: which state it is in, and what leads from one to the next.

import { Asking } from "./asking.js";
import { Desk } from "./desk.js";
import { $ } from "./dom.js";
import { finishedSheets } from "./extras.js";
import { Looking } from "./looking.js";
import * as memory from "./memory.js";
import { Mine } from "./mine.js";
import { photoWays } from "./photo.js";
import { named, sessionIn } from "./place.js";
import { closeAll, closeable } from "./sheets.js";
import { openEye, Stage } from "./stage.js";
import { States } from "./states.js";
import { unusable } from "./words.js";
import { Work } from "./work.js";

class Page {
  #config;
  #root;
  #asking;
  #states;
  #stage;
  #desk;
  #looking;
  #mine;
  #opening = 0;
  #preview = null;
  #several = null;
  #made = null;

  constructor({ props, server, trigger, upload, root }) {
    this.#config = props.config;
    this.#root = root;
    const [onLost, onBack] = [() => this.#states.offline(), () => this.#back()];
    this.#asking = new Asking({ server, upload, root, onLost, onBack });
    this.work = new Work({
      trigger,
      ask: (...given) => this.#asking.ask(...given),
      tell: (state, run) => this.#worked(state, run),
    });
    this.#stage = new Stage(root);
    this.#desk = new Desk({
      config: this.#config,
      onMove: (isStep) => this.#moved(isStep),
      onExample: (number) =>
        this.#take({ example: number, still: new URL(this.#config.examples[number].still, this.#root).href }),
      onOpen: (entry) => this.#open(entry, true),
      onClear: () => this.#mine.clear(),
    });
    this.#mine = new Mine({
      asking: this.#asking,
      config: this.#config,
      root,
      show: (entries) => {
        this.#desk.mine(entries, root);
        this.#states.refresh();
      },
      gone: (sessions) => this.#gone(sessions),
    });
    this.#looking = new Looking({
      asking: this.#asking,
      root,
      choice: () => this.#desk.choice(),
      behind: () => this.#desk.behind,
      seen: (answer) => this.#looked(answer),
    });
    const ways = photoWays((file) => this.#takeFile(file));
    this.#states = new States({
      stage: this.#stage,
      desk: this.#desk,
      config: this.#config,
      root,
      acts: {
        ...ways,
        make: () => this.#make(),
        stop: () => this.#stop(),
        restore: () => this.#restore(),
        remove: () => this.#mine.remove(this.#made),
        ...finishedSheets({
          ask: (...given) => this.#asking.ask(...given),
          made: () => this.#made,
          mine: this.#mine,
          snippets: this.#config.snippets,
          root,
          trackers: () => this.#stage.trackers,
        }),
      },
    });
    $("new-photo").onclick = () => this.#fresh();
    addEventListener("popstate", () => this.#arrive());
    closeable();
    openEye(document.querySelector(".mark"));
  }

  /** The first state: a run that goes on, a portrait of one's own, or the example. */
  async begin() {
    if (this.work.resume()) {
      const { photo, face, anyway, choice, preview, still } = this.work.run;
      this.#looking.take(photo, face, anyway);
      this.#preview = preview;
      this.#desk.set(choice);
      this.#tint();
      if (preview) this.#stage.play(preview.portrait);
      this.#states.making({ share: 0, left: null, still });
    } else {
      await this.#arrive();
    }
    await this.#mine.list();
  }

  async #arrive() {
    const session = sessionIn();
    this.#looking.forget();
    closeAll();
    if (!session) return this.#showBefore();
    const own = memory.portraits().find((entry) => entry.session === session);
    if (own) await this.#open(own, false);
    else location.replace(this.#mine.pageOf(session));
  }

  #start() {
    this.#opening += 1;
    this.#looking.take(null);
    this.#preview = this.#several = this.#made = null;
    this.#desk.reset();
    this.#tint();
    this.#stage.play(this.#config.hero);
    this.#states.empty();
  }

  #fresh() {
    if (this.work.run) this.work.stop();
    named(null, true);
    this.#start();
  }

  #takeFile(file) {
    const problem = unusable(file, this.#config.mostBytes);
    if (problem) this.#states.error(problem);
    else this.#take({ file, still: URL.createObjectURL(file) });
  }

  #take(photo) {
    closeAll();
    if (this.work.run) this.work.stop();
    this.#opening += 1;
    this.#looking.take(photo);
    this.#preview = this.#several = this.#made = null;
    named(null, true);
    this.#desk.reset();
    this.#states.finding(photo.still);
    this.#looking.look();
  }

  #moved(isStep) {
    if (!this.#looking.photo) return;
    this.#tint();
    if (this.#isMade) this.#states.changed(this.#preview ?? undefined);
    else if (this.#preview) this.#states.preview(this.#preview);
    this.#desk.fault("");
    this.#looking.soon(isStep ? 0 : undefined);
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
      this.#several = answer;
      this.#offer();
    } else {
      this.#preview = answer;
      this.#showPreview();
    }
  }

  /** Which face, or all of them. */
  #offer() {
    const choose = (face) => {
      this.#looking.face = face;
      this.#states.finding(this.#several.still);
      this.#looking.look();
    };
    const all = () => {
      this.#looking.face = "all";
      this.#make();
    };
    this.#looking.face = null;
    this.#states.several(this.#several, choose, all);
  }

  /** What was there before the portrait: its preview, the faces of the photo, another portrait, or nothing. */
  #showBefore() {
    if (this.#preview) this.#showPreview();
    else if (this.#several) this.#offer();
    else if (this.#isMade) this.#finish();
    else this.#start();
  }

  /** Whether a finished portrait is what the page is about. */
  get #isMade() {
    return Boolean(this.#made && sessionIn());
  }

  /** A colour behind the preview, which is transparent then, or a picture until it is part of the preview. */
  #tint() {
    const { background, colour } = this.#desk.choice();
    const picture = this.#preview?.behind ? `center / cover url("${this.#preview.behind}")` : "";
    this.#stage.behind(background === "colour" ? colour : picture);
  }

  #showPreview() {
    this.#tint();
    this.#stage.play(this.#preview.portrait);
    if (this.#isMade) this.#states.changed(this.#preview);
    else this.#states.preview(this.#preview);
  }

  #make() {
    const choice = this.#desk.choice();
    const subject = this.#looking.subject();
    this.#looking.forget();
    this.#made = null;
    const still = subject.face === "all" ? this.#several?.still : undefined;
    const about = { ...subject, choice, preview: this.#preview, still };
    this.work.begin({ ...subject, choice, mine: memory.keys(memory.portraits()) }, about);
    this.#states.making({ share: 0, left: this.#preview?.seconds ?? null, still });
  }

  async #stop() {
    const stopped = this.work.stop();
    this.#showBefore();
    await stopped;
  }

  #worked(state, run) {
    if (state.shown) this.#stage.play(state.shown);
    const { still } = run;
    if (state.phase === "waiting") this.#states.waiting({ ...state, still });
    if (state.phase === "making") this.#states.making({ ...state, still });
    if (state.phase === "stopped") this.#showBefore();
    if (state.phase === "failed") {
      if (this.#looking.canSendAgain(state.problem)) return this.#again();
      if (this.#looking.photo) this.#states.failed(state.problem, still);
      else this.#states.error(state.problem); // another portrait was looked at meanwhile
    }
    if (state.phase === "done") {
      const { session, secret, made, choice } = run;
      const { portrait, notes, problems } = state;
      this.#made = { session, secret, made, choice, portrait, notes, problems };
      named(session, true);
      this.#finish();
      this.#mine.list();
    }
  }

  /** The app was restarted: the photo is sent once more, and the portrait made. */
  async #again() {
    const { photo } = this.#looking;
    const problem = await this.#looking.send();
    if (photo !== this.#looking.photo) return;
    if (problem) this.#states.failed(problem, this.#several?.still);
    else this.#make();
  }

  #finish() {
    this.#stage.behind("");
    this.#stage.play(this.#made.portrait);
    this.#states.done(this.#made, Boolean(this.#looking.photo) && this.#looking.face !== "all");
  }

  #restore() {
    this.#looking.forget();
    this.#desk.set(this.#made.choice);
    this.#finish();
  }

  async #open(entry, anew) {
    const turn = (this.#opening += 1);
    if (this.#made?.session === entry.session && this.#made.choice) {
      if (anew) named(entry.session, true);
      return this.#restore();
    }
    const answer = await this.#asking.ask("open", { session: entry.session });
    if (turn !== this.#opening) return;
    if (answer.problem) {
      this.#stage.play(this.#config.hero);
      return this.#states.error(answer.problem);
    }
    if (answer.expired) {
      memory.forget([entry.session]);
      named(null, false);
      this.#start();
      this.#states.expired();
      return this.#mine.list();
    }
    this.#looking.take(null);
    this.#preview = this.#several = null;
    this.#made = { ...entry, portrait: answer.portrait };
    if (anew) named(entry.session, true);
    this.#finish();
  }

  #gone(sessions) {
    // Until the app has answered, somebody may have gone on to something else.
    if (this.#made ? !sessions.includes(this.#made.session) : this.#looking.photo || this.work.run) return;
    named(null, false);
    this.#start();
    this.#states.deleted();
  }

  /** The connection is back: as before, and what was under way goes on. */
  #back() {
    this.#looking.lose();
    this.#states.online();
    this.work.again();
  }
}

/** Starts the page; called once, by Gradio, with what it gives to scripts. */
export function start(given) {
  const page = new Page(given);
  given.watch("value", () => page.work.hear(given.props.value));
  customElements.whenDefined("gaze-tracker").then(() => page.begin());
}
