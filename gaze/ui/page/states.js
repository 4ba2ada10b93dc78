// The states of the page: what is on the stage, in the line, on the desk and in the bar.

import { $, button, either, focusIn, icon, make } from "./dom.js";
import { alarm, line } from "./line.js";
import { Progress } from "./progress.js";
import { recordedKind } from "./sheets.js";
import { changed, GONE, keptUntil, making, remaining, several, takeAll, unreachable, waiting } from "./words.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const LOST = ["offline", "silent"];

export class States {
  #stage;
  #desk;
  #config;
  #root;
  #acts;
  #name = "";
  #shown = null;
  #before = null;
  #progress = null;

  constructor({ stage, desk, config, root, acts }) {
    this.#stage = stage;
    this.#desk = desk;
    this.#config = config;
    this.#root = root;
    this.#acts = acts;
  }

  empty() {
    const text = either(
      "One portrait photo becomes a face that follows the pointer. Put it on any web page.",
      "One portrait photo becomes a face that follows the finger or the pointer. Put it on any web page.",
    );
    this.#show("empty", {
      stage: { chip: "Example", glance: true },
      words: line("Your photo looks at you.", text, "hello"),
      desk: ["start", { mine: true }],
      bar: this.#startBar(),
    });
  }

  /** The start once more; `name`: what is gone. */
  gone(name) {
    this.#show(name, {
      stage: { chip: "Example", glance: true },
      words: line(GONE[name].title, [GONE[name].text]),
      desk: ["start", { mine: true }],
      bar: this.#startBar(),
    });
  }

  finding(still, many = false) {
    const [title, text] = many ? ["Finding the faces…", "seconds"] : ["Finding the face…", "a second"];
    this.#show("finding", {
      stage: { still, scan: true },
      words: line(title, [`This takes ${text}.`]),
      desk: ["controls", { frozen: true }],
      bar: ["one", button(many ? "Make them" : "Make it", { off: true })],
    });
  }

  /** How much of the photo was sent, while its face cannot be looked for yet. */
  sending(share) {
    if (this.#name !== "finding") return;
    const text = `${Math.round(share * 100)} % has arrived.`;
    if (share === 1) this.#say(this.#shown.words);
    else if ($("sent")) $("sent").textContent = text;
    else {
      // Who listens hears the title once, and no numbers.
      const told = make("span", { id: "sent", "aria-hidden": "true" }, text);
      this.#say(line("Sending the photo…", [told]));
    }
  }

  several(found, { choose, all }) {
    const number = found.faces.length;
    this.#stage.offer(found, choose);
    this.#desk.faces(found.faces, choose);
    this.#show("several", {
      stage: { still: found.still, faces: true },
      words: line("Which face?", [several(number)]),
      desk: ["faces"],
      bar: [
        "two",
        button(takeAll(number), { act: all, kind: "primary", picture: "people" }),
        button("Another photo", { act: this.#acts.choose, kind: "narrow" }),
      ],
    });
  }

  doubtful(found, use) {
    this.#show("doubtful", {
      stage: { still: found.still, where: found },
      words: line("The eyes are hard to see.", [
        `${found.text.split(". ")[0].replace(/\.$/, "")}. The eyes of the portrait may look wrong.`,
      ]),
      desk: ["tips"],
      bar: [
        "two",
        button("Use it anyway", { act: use, kind: "primary" }),
        ...this.#wayBack(button("Choose another", { act: this.#acts.choose })),
      ],
    });
  }

  /** `another`: leads back to the other faces of the photo, if it has others. */
  preview({ seconds, many, another }) {
    const choose = many ? "Choose one face" : "Choose another face";
    const choices = make("button", { type: "button", className: "inline", onclick: another }, choose);
    const text = another
      ? [many ? "Change what you like, then make them. " : "Change what you like, then make it. ", choices]
      : [
          ...either("Move the pointer and see.", "Move a finger over it and see."),
          " Change what you like, then make it.",
        ];
    this.#show("preview", {
      stage: { chip: "Preview" },
      words: line(many ? "They look at you." : "It looks at you.", text),
      desk: ["controls"],
      bar: ["one", this.#makeIt(seconds, many)],
    });
  }

  making({ share, left, many }) {
    const { title, text } = making(left, many);
    const label = many ? "Making them" : "Making it";
    this.#running("making", line(title, [text]), { label, left: remaining(left), share });
  }

  waiting({ place, left, many }) {
    const { title, text, label } = waiting(place, left, many);
    this.#running("waiting", line(title, [text]), { label, left: "", share: 0 });
  }

  done({ session, made, portrait, notes, problems }, hasPhoto) {
    const many = Boolean(portrait.faces?.length);
    const [title, it] = many ? ["Your portraits are ready.", "They are"] : ["Your portrait is ready.", "It is"];
    const until = made ? [`${it} kept until ${keptUntil(made, this.#config.days)}. `] : [];
    const words = many ? "Delete them" : "Delete it";
    const remove = make("button", { type: "button", className: "inline", onclick: this.#acts.remove }, words);
    const zip = make("a", {
      className: "btn primary",
      href: new URL(`${portrait.base}gaze-portrait.zip`, this.#root).href,
      download: "gaze-portrait.zip",
    });
    zip.append(icon("download"), make("span", {}, "Download"));
    this.#desk.fault((problems ?? []).join(" "));
    const link = () => this.#acts.link(keptUntil(made ?? Date.now(), this.#config.days));
    this.#show("done", {
      stage: {},
      words: line(title, [...until, remove]),
      desk: [hasPhoto ? "controls" : "own", { mine: true, current: session, notes }],
      bar: [
        "done",
        zip,
        button("Link", { picture: "link", act: link }),
        button("Embed", { picture: "code", act: this.#acts.embed }),
        ...(many && !recordedKind() ? [] : [button("Clip", { picture: "film", act: this.#acts.clip })]),
      ],
    });
  }

  changed({ seconds, many }) {
    const { text, back } = changed(many);
    this.#show("changed", {
      stage: { chip: "Preview of changes" },
      words: line("This shows your changes.", [text]),
      desk: ["controls", { mine: true }],
      bar: ["two", this.#makeIt(seconds, many), button(back, { act: this.#acts.restore, kind: "narrow" })],
    });
  }

  error(problem, still = "") {
    const photo = { still, instead: this.#acts.earlier()?.shown ?? this.#config.hero };
    const ways = this.#wayBack(
      button("Take a selfie", { act: this.#acts.selfie, kind: "coarse" }),
      button("Use the camera", { act: this.#acts.camera, kind: "fine" }),
    );
    this.#show("error", {
      stage: still ? photo : (this.#shown?.stage ?? { chip: "Example" }),
      words: alarm(problem),
      desk: ["tips"],
      bar: ["two", button("Choose another", { act: this.#acts.choose, kind: "primary", picture: "image" }), ...ways],
    });
  }

  failed(problem) {
    this.#show("error-making", {
      stage: { chip: "Preview" },
      words: alarm(problem),
      desk: ["controls"],
      bar: ["one", button("Try again", { act: this.#acts.make, kind: "primary" })],
    });
  }

  /** The app cannot be reached. */
  lost() {
    const { name, picture, label, ...words } = unreachable(navigator.onLine);
    if (this.#name === name) return;
    if (!this.#shown) this.empty();
    if (!this.#isLost) this.#before = { name: this.#name, shown: this.#shown };
    const { shown } = this.#before;
    this.#show(name, {
      ...shown,
      words: alarm(words, picture, "calm"),
      desk: [shown.desk[0], { ...shown.desk[1], frozen: true }],
      bar: ["one", button(label, { off: true })],
    });
  }

  /** It can be reached again. */
  found() {
    if (this.#isLost) this.#show(this.#before.name, this.#before.shown);
  }

  get #isLost() {
    return LOST.includes(this.#name);
  }

  refresh() {
    if (this.#shown) this.#desk.show(...this.#shown.desk);
  }

  #running(name, words, told) {
    if (this.#name !== name) {
      this.#progress = new Progress();
      this.#show(name, {
        stage: { chip: "Preview" },
        words,
        desk: ["controls", { frozen: true }],
        bar: ["run", this.#progress.element, button("Stop", { act: this.#acts.stop })],
      });
    }
    this.#progress.show(told);
    this.#say(words);
  }

  /** What leads back to what was before the photo; `others` if nothing was. */
  #wayBack(...others) {
    const earlier = this.#acts.earlier();
    return earlier ? [button(earlier.words, { act: earlier.act, kind: "narrow" })] : others;
  }

  /** Words that are there already are not put in anew: a screen reader would say them once more. */
  #say(words) {
    if (!words.isEqualNode($("words").firstElementChild)) $("words").replaceChildren(words);
  }

  #startBar() {
    const { selfie, choose, camera } = this.#acts;
    return [
      "two",
      button("Take a selfie", { act: selfie, kind: "primary coarse", picture: "camera" }),
      button("Choose a photo", { act: choose, kind: "coarse" }),
      button("Choose a photo", { act: choose, kind: "primary fine", picture: "image" }),
      button("Use the camera", { act: camera, kind: "fine" }),
    ];
  }

  #makeIt(seconds, many) {
    const note = seconds ? `about ${Math.max(1, Math.round(seconds))} s` : "";
    return button(many ? "Make them" : "Make it", { act: this.#acts.make, kind: "primary", note });
  }

  #show(name, shown) {
    // On a phone the face and the words are seen when something new begins; who moves a control stays where it is.
    if (name !== this.#name && !["preview", "changed", ...LOST].includes(name))
      scrollTo({ top: 0, behavior: calm.matches ? "auto" : "smooth" });
    this.#name = name;
    this.#shown = shown;
    const held = document.activeElement;
    document.querySelector(".page").dataset.state = name;
    this.#stage.arrange(shown.stage);
    this.#say(shown.words);
    this.#desk.show(...shown.desk);
    const [kind, ...buttons] = shown.bar;
    $("acts").className = `acts ${kind}`;
    $("acts").replaceChildren(...buttons);
    $("new-photo").hidden = shown.desk[0] === "start";
    if (!held?.checkVisibility()) focusIn($("acts"));
  }
}
