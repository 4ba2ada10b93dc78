// The page: which state it is in, and what leads from one to the next.

import { Asking } from "./asking.js";
import { Desk } from "./desk.js";
import { $, toast } from "./dom.js";
import { Earlier } from "./earlier.js";
import { finishedSheets } from "./extras.js";
import * as memory from "./memory.js";
import { Mine } from "./mine.js";
import { photoWays } from "./photo.js";
import { isName, named, sessionIn } from "./place.js";
import { sender } from "./sending.js";
import { closeAll, closeable } from "./sheets.js";
import { openEye, Stage } from "./stage.js";
import { States } from "./states.js";
import { Trying } from "./trying.js";
import { unusable } from "./words.js";
import { Work } from "./work.js";

class Page {
  #config;
  #root;
  #asking;
  #states;
  #stage;
  #desk;
  #trying;
  #mine;
  #opening = 0;
  #made = null;
  #earlier = new Earlier((...given) => this.#comeBack(...given));

  constructor({ props, server, trigger, upload, root }) {
    this.#config = props.config;
    this.#root = root;
    const [onLost, onBack] = [() => this.#states.lost(), () => this.#back()];
    this.#asking = new Asking({ server, upload, root, onLost, onBack });
    this.work = new Work({
      trigger,
      ask: (...given) => this.#asking.ask(...given),
      tell: (state, run) => this.#worked(state, run),
    });
    this.#stage = new Stage(root);
    this.#desk = new Desk({
      config: this.#config,
      onMove: (isStep) => this.#trying.moved(isStep),
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
    this.#states = new States({
      stage: this.#stage,
      desk: this.#desk,
      config: this.#config,
      root,
      acts: {
        ...photoWays((file) => this.#takeFile(file), this.#config.mostBytes),
        make: () => this.#make(),
        stop: () => this.#stop(),
        restore: () => this.#restore(),
        earlier: () => this.#earlier.way,
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
    this.#trying = new Trying({
      asking: this.#asking,
      root,
      desk: this.#desk,
      stage: this.#stage,
      states: this.#states,
      isMade: () => this.#isMade,
    });
    $("new-photo").onclick = () => this.#fresh();
    memory.onChange(() => this.#check());
    addEventListener("popstate", () => this.work.run || this.#arrive()); // a run is left by Stop or a new photo
    closeable();
    openEye(document.querySelector(".mark"));
  }

  /** The first state: a run that goes on, a portrait of one's own, or the example. */
  async begin() {
    if (this.work.resume()) {
      this.#trying.resume(this.work.run);
      this.#states.making({ share: 0, left: null, many: this.#trying.isMany });
    } else await this.#arrive();
    await this.#mine.list();
  }

  async #arrive() {
    const session = sessionIn();
    this.#trying.forget();
    closeAll();
    if (!session) return this.#showBefore();
    const own = memory.portraits().find((entry) => entry.session === session);
    if (own) await this.#open(own, false);
    else if (isName(session)) location.replace(this.#mine.pageOf(session));
    else this.#startAnew("expired");
  }

  #start() {
    this.#opening += 1;
    this.#trying.clear();
    this.#made = null;
    this.#desk.reset();
    this.#trying.tint();
    this.#stage.playExample(this.#config.hero);
    this.#states.empty();
  }

  #fresh() {
    if (this.work.run) this.work.stop();
    this.#keep();
    named(null, true);
    this.#start();
  }

  #takeFile(file) {
    const problem = unusable(file, this.#config.mostBytes);
    if (!problem) return this.#take({ file, still: URL.createObjectURL(file) });
    if (this.work.run) return toast(problem.title);
    this.#keep();
    this.#trying.forget();
    this.#states.error(problem);
  }

  #take(photo) {
    closeAll();
    if (this.work.run) this.work.stop();
    this.#keep();
    this.#opening += 1;
    this.#made = null;
    named(null, true);
    this.#trying.take(photo);
  }

  #keep() {
    const made = this.#isMade ? this.#made : null;
    this.#earlier.keep({ tried: this.#trying.kept, made, behind: this.#desk.behind });
  }

  #comeBack({ tried, made, behind }, isChanged) {
    this.#opening += 1;
    this.#trying.clear();
    this.#made = made;
    if (made) named(made.session, true);
    this.#desk.behind = behind;
    if (tried) this.#trying.resume(tried);
    if (made && !isChanged) this.#finish();
    else this.#trying.show();
  }

  /** What was there before the portrait: its preview, the faces of the photo, another portrait, or nothing. */
  #showBefore() {
    if (this.#trying.show()) return;
    if (this.#isMade) this.#finish();
    else this.#start();
  }

  /** Whether a finished portrait is what the page is about. */
  get #isMade() {
    return Boolean(this.#made && sessionIn());
  }

  #make(again = false) {
    const choice = this.#desk.choice();
    const { subject, about } = this.#trying.wanted;
    this.#trying.forget();
    this.#made = null;
    this.work.begin({ ...subject, choice, mine: memory.owned(memory.portraits()) }, { ...about, choice, again });
    this.#states.making({ share: 0, left: this.#trying.seconds, many: this.#trying.isMany });
  }

  #stop() {
    this.#opening += 1; // a photo that is being sent again is not made into a portrait any more
    this.work.stop();
    this.#showBefore();
  }

  #worked(state, run) {
    if (state.shown) this.#stage.play(state.shown);
    const many = run.face === "all";
    if (state.phase === "waiting") this.#states.waiting({ ...state, many });
    if (state.phase === "making") this.#states.making({ ...state, many });
    if (state.phase === "stopped") this.#showBefore();
    if (state.phase === "failed") this.#failed(state.problem, run.again);
    if (state.phase === "done") {
      const { session, secret, made, choice } = run;
      const { portrait, notes, problems } = state;
      this.#made = { session, secret, made, choice, portrait, notes, problems };
      named(session, true);
      this.#finish();
      this.#mine.list();
    }
  }

  /** What the app has lost, by a restart, is sent once more, and the portrait made; `again`: that was done already. */
  async #failed(problem, again) {
    if (problem.gone && again && !this.#trying.isAtHand) return this.#startAnew("photo");
    if (!problem.gone || again) return this.#states.failed(problem);
    const turn = this.#opening;
    const unsent = await this.#trying.sendAgain(problem);
    if (turn !== this.#opening) return;
    if (unsent) this.#states.failed(unsent);
    else this.#make(true);
  }

  #finish() {
    this.#stage.behind();
    this.#stage.play(this.#made.portrait);
    this.#states.done(this.#made, this.#trying.hasPhoto);
  }

  #restore() {
    this.#trying.forget();
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
      this.#startAnew("expired");
      return this.#mine.list();
    }
    this.#trying.clear();
    this.#made = { ...entry, portrait: answer.portrait };
    if (anew) named(entry.session, true);
    this.#finish();
  }

  /** The start once more; `what` is gone, as `States.gone` tells it. */
  #startAnew(what) {
    closeAll();
    named(null, false);
    this.#start();
    this.#states.gone(what);
  }

  /** Another tab may have deleted what is seen here. */
  async #check() {
    const made = this.#made;
    if (!made || memory.portraits().some(({ session }) => session === made.session)) return;
    const { expired } = await this.#asking.ask("open", { session: made.session });
    if (expired && made === this.#made) this.#startAnew("expired");
  }

  #gone(sessions) {
    // Until the app has answered, somebody may have gone on to something else.
    if (this.#made ? !sessions.includes(this.#made.session) : this.#trying.hasPhoto || this.work.run) return;
    this.#earlier.forget();
    this.#startAnew("deleted");
  }

  /** The connection is back: as before, and what was under way goes on. */
  #back() {
    this.#trying.lose();
    this.#states.found();
    this.work.back();
  }
}

/** Starts the page; called once, by Gradio, with what it gives to scripts, and the app's address, `root`. */
export function start(given) {
  const page = new Page({ upload: sender(given.root), ...given });
  given.watch("value", () => page.work.hear(given.props.value));
  customElements.whenDefined("gaze-tracker").then(() => page.begin());
}
