/** Layers of a pack: the one that closes the eyes, and moods (docs/format.md, "Layers"). */

import { whole, within } from "../numbers.js";
import { checkMorph, rising } from "../pack.js";
import { LayerBoard } from "./layer_board.js";
import { Overlay } from "./overlay.js";

const BLINK = "blink";
const SIDES = { left: -1, right: 1 }; // of the picture
const MOST_PIXELS = 2 ** 24; // of all pictures of a layer
const MOST_VALUES = 8;

/**
 * Closes the eyes and opens them again, where the pack has what that takes and the browser WebGL2.
 *
 * @param {import("../widget.js").Widget} widget
 * @param {import("../player.js").MorphPlayer} [player] its own
 * @param {"left" | "right"} [eye] the only one that is closed, as the picture has it
 */
export function blink(widget, player, eye) {
  if (widget.isStill) return;
  overlayOf(widget, player)?.blink(BLINK, SIDES[eye] ?? 0);
  widget.wake();
}

/** Shows the mood that the attribute names, where the pack has a layer of that name. */
export function feel(widget, player) {
  overlayOf(widget, player)?.feel(widget.host.getAttribute("mood"), widget.isStill);
  widget.wake();
}

function overlayOf(widget, player) {
  if (!player?.isMorph || !player.transfer) return null;
  return (player.over ??= new Overlay((Kind, name) => {
    const { layers = [], gridSize, imageWidth, imageHeight } = player.transfer.header;
    const layer = layers.find((it) => it.name === name);
    const header = { ...layer, gridSize, imageWidth, imageHeight };
    return layer && isLayer(header) ? new Kind(player, header, LayerBoard, () => widget.wake()) : null;
  }));
}

function isLayer(header) {
  const { region, values, looks, payloads, imageWidth, imageHeight } = header;
  try {
    checkMorph(header);
    for (const payload of payloads) {
      if (payload.keys) rising(payload.keys, 1, looks.length, looks.length - 1);
    }
  } catch {
    return false;
  }
  const { x, y, width, height } = region ?? {};
  const isInside = whole(x, 0, imageWidth) && whole(y, 0, imageHeight) && whole(width, 1, imageWidth - x);
  const rise = Array.isArray(values) && values.length <= MOST_VALUES && values.at(-1) === 1;
  const good = rise && values.every((value, i) => within(value, i ? values[i - 1] + 1e-6 : 1e-6, 1) !== undefined);
  return (
    good &&
    isInside &&
    whole(height, 1, imageHeight - y) &&
    width * height * values.length * looks.length ** 2 <= MOST_PIXELS
  );
}
