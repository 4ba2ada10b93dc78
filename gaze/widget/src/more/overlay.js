/** What one portrait draws over its morph: the eyes as they close, and a mood. */

const [DOWN, SHUT, UP] = [130, 40, 200]; // ms to close the eyes, for which they are closed, and to open them
const MOOD = 400; // ms for a mood to come, or to go

const ease = (part) => part * part * (3 - 2 * part);

/** How far the eyes are closed so many milliseconds after a blink began; 0 before and after. */
export function closedAt(time) {
  if (!(time > 0 && time < DOWN + SHUT + UP)) return 0;
  return time < DOWN ? ease(time / DOWN) : 1 - ease(Math.max(0, time - DOWN - SHUT) / UP);
}

/** One layer, as strong as it is at the moment. */
class Strip {
  strength = 0;
  /** The half of it that is drawn, -1 left or 1 right; 0: all. */
  side = 0;
  #set;
  #wake;

  /**
   * @param {import("../player.js").MorphPlayer} player
   * @param {object} header of the layer
   * @param {() => void} wake asks for a picture
   */
  constructor(player, header, Board, wake) {
    this.#wake = wake;
    this.#set = player.layer(header, this, Board);
  }

  get isWhole() {
    return this.#set?.isWhole ?? false;
  }

  /** Called by the set. */
  changed() {
    if (this.isWhole) this.#wake();
  }

  /** Called by the set: a face without the layer is a face as well. */
  failed() {
    this.release();
    this.#set = null;
  }

  draw(row, col) {
    if (this.strength > 0 && this.isWhole) this.#set.board?.draw(row, col, this.strength, this.side);
  }

  release() {
    this.#set?.close(this);
  }
}

/** The lids: closed and opened once, whenever they are told to. */
class Blink extends Strip {
  /** When the eyes began to close; NaN: as soon as the pictures are there; Infinity: not at all. */
  #began = Infinity;

  /** @param {number} side as `Strip.side` */
  begin(side) {
    if (this.strength > 0) return;
    this.side = side;
    this.#began = NaN;
  }

  /** @returns {boolean} whether it has to be drawn, or to be taken away */
  step(now) {
    if (Number.isNaN(this.#began) && this.isWhole) this.#began = now;
    const before = this.strength;
    const time = now - this.#began;
    this.strength = closedAt(time);
    return before > 0 || this.strength > 0 || (time >= 0 && time < DOWN);
  }
}

/** A mood: it comes, stays, and goes. */
class Mood extends Strip {
  /** Whether it is wanted. */
  isWanted = true;
  /** Whether it comes and goes at once. */
  isStill = false;
  #share = 0;
  #last = NaN;

  step(now) {
    const [goal, before] = [this.isWanted && this.isWhole ? 1 : 0, this.#share];
    const most = this.isStill ? 1 : (now - this.#last) / MOOD || 0;
    this.#last = this.#share === goal ? NaN : now;
    this.#share += Math.sign(goal - before) * Math.min(Math.abs(goal - before), most);
    this.strength = ease(this.#share);
    return this.#share !== goal || this.#share !== before;
  }
}

/** All that is drawn over one portrait. */
export class Overlay {
  #open;
  #lids = null;
  /** @type {Map<string, Mood>} those that were asked for */
  #moods = new Map();

  /** @param {(Kind: typeof Strip, name: string) => Strip | null} open a layer of the pack, if it has it */
  constructor(open) {
    this.#open = open;
  }

  /** Closes the eyes, or the one at that side (`Strip.side`), and opens them again. */
  blink(name, side) {
    this.#lids ??= this.#open(Blink, name);
    this.#lids?.begin(side);
  }

  /** Shows a mood and no other; none where the pack lacks it. */
  feel(name, isStill) {
    if (name && !this.#moods.has(name)) {
      const mood = this.#open(Mood, name);
      if (mood) this.#moods.set(name, mood);
    }
    for (const [other, mood] of this.#moods) Object.assign(mood, { isWanted: other === name, isStill });
  }

  get #all() {
    return this.#lids ? [...this.#moods.values(), this.#lids] : [...this.#moods.values()];
  }

  /** @returns {boolean} whether it has to be drawn anew */
  step(now) {
    return this.#all.map((strip) => strip.step(now)).includes(true);
  }

  draw(row, col) {
    for (const strip of this.#all) strip.draw(row, col);
  }

  release() {
    for (const strip of this.#all) strip.release();
  }
}
