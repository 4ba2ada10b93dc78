/** What all widgets of a page share: one set of listeners, one clock. */

import { COUNT } from "./names.js";
import { second } from "./second.js";
import { made } from "./stage.js";

const REFIT_AFTER = 250; // ms without a change of size, before pictures are made for the new sizes
const HOLD = 1200; // ms for which a face looks where a finger left the screen

export const page = {
  /** @type {Set<import("./widget.js").Widget>} */
  widgets: new Set(),
  /** @type {Map<HTMLElement, import("./widget.js").Widget>} the same by element */
  hosts: new Map(),
  /** @type {Set<import("./widget.js").Widget>} those that move */
  awake: new Set(),
  /** @type {import("./follower.js").Point | null} where the pointer is; null when it is not on the page */
  pointer: null,
  listening: null,
  observers: null,
  frame: 0,
  fitTimer: 0,
  holdTimer: 0,
  stillness: null,
  /** src/more/alive.js, once a widget wants it. */
  alive: null,
  /** Whether buttons are to be seen without a pointer over them. */
  isCoarse: false,

  add(widget) {
    if (!this.widgets.size) this.listen();
    this.widgets.add(widget);
    this.hosts.set(widget.host, widget);
    for (const observer of this.observers) observer.observe(widget.host);
    this.stir();
    this.refit();
  },

  remove(widget) {
    this.widgets.delete(widget);
    this.awake.delete(widget);
    this.hosts.delete(widget.host);
    for (const observer of this.observers) observer.unobserve(widget.host);
    if (this.widgets.size) this.refit();
    else this.unlisten();
  },

  listen() {
    this.stillness ??= matchMedia("(prefers-reduced-motion: reduce)");
    this.isCoarse = matchMedia("(hover: none)").matches;
    globalThis[COUNT] = () => this.widgets.size;
    this.listening = new AbortController();
    const options = { capture: true, passive: true, signal: this.listening.signal };
    const on = (target, types, handler) => {
      for (const type of types.split(" ")) target.addEventListener(type, handler, options);
    };
    const all = (act) => () => this.widgets.forEach(act);
    on(window, "pointermove pointerdown", (event) => this.point({ x: event.clientX, y: event.clientY }));
    on(window, "pointerout", (event) => event.relatedTarget || event.pointerType === "touch" || this.point(null));
    // Touch events as well, because the pointer events of a finger end where it begins to scroll the page.
    on(window, "touchstart touchmove", ({ touches: [finger] }) => this.point({ x: finger.clientX, y: finger.clientY }));
    on(window, "touchend touchcancel", ({ touches }) => touches.length || this.letGo());
    on(window, "keydown", () => this.stir());
    on(
      window,
      "scroll",
      all((widget) => widget.scrolled()),
    );
    on(
      window,
      "resize",
      all((widget) => widget.resized()),
    );
    on(window, "message", (event) => {
      if (event.data?.type === "gaze-pointer") second().then(({ told }) => told(this, event), console.error);
    });
    on(document, "visibilitychange", () => {
      if (document.hidden) return this.sleep();
      this.widgets.forEach((widget) => widget.wake());
      this.stir();
    });
    on(
      this.stillness,
      "change",
      all((widget) => widget.calm()),
    );
    const observe = (Observer, handler, observerOptions) =>
      new Observer((entries) => {
        for (const entry of entries) {
          const widget = this.hosts.get(entry.target);
          if (widget) handler(widget, entry);
        }
      }, observerOptions);
    this.observers = [
      observe(IntersectionObserver, (widget, entry) => widget.seen(entry.isIntersecting)),
      observe(IntersectionObserver, (widget, entry) => widget.near(entry.isIntersecting), { rootMargin: "50%" }),
      observe(ResizeObserver, (widget) => widget.resized()),
    ];
  },

  unlisten() {
    this.listening.abort();
    for (const observer of this.observers) observer.disconnect();
    clearTimeout(this.fitTimer);
    clearTimeout(this.holdTimer);
    this.pointer = null;
    this.sleep();
  },

  /** The pointer is somewhere, or nowhere. */
  point(pointer) {
    clearTimeout(this.holdTimer);
    this.pointer = pointer;
    this.widgets.forEach((widget) => widget.pointed(pointer));
    this.stir();
  },

  /** A finger left the screen: the face goes on looking there for a moment. */
  letGo() {
    clearTimeout(this.holdTimer);
    this.holdTimer = setTimeout(() => this.point(null), HOLD);
  },

  wake(widget) {
    if (document.hidden) return;
    if (!this.awake.has(widget)) widget.waking(performance.now());
    this.awake.add(widget);
    this.frame ||= requestAnimationFrame((now) => this.tick(now));
  },

  sleep() {
    this.alive?.rest();
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.awake.clear();
  },

  tick(now) {
    this.frame = 0;
    for (const widget of made?.isBusy ? [] : [...this.awake]) {
      this.awake.delete(widget); // first, because a listener of gazechange may wake or remove it
      if (widget.step(now) && widget.host.isConnected) this.awake.add(widget);
    }
    made?.drawAll();
    if (this.awake.size) this.frame ||= requestAnimationFrame((next) => this.tick(next));
  },

  /** Somebody did something. */
  stir() {
    this.alive?.stir(this);
  },

  /** A widget is to live while nothing happens. */
  async enliven() {
    this.alive ??= (await second()).alive;
    this.stir();
  },

  /** Lets all widgets fit their pictures to the sizes and the memory there are now, once these stay the same. */
  refit() {
    clearTimeout(this.fitTimer);
    this.fitTimer = setTimeout(() => this.widgets.forEach((widget) => widget.fit()), REFIT_AFTER);
  },
};
