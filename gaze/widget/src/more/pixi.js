/** PixiJS: the canvas as a texture of the page's own scene. No renderer of its own: such a page has one. */

/** @type {WeakMap<object, Promise<void>>} by widget; one that failed may be tried with another address */
const underWay = new WeakMap();

/**
 * Gives a widget its texture, once; a failure is an event.
 *
 * @param {import("../widget.js").Widget} widget
 */
export function takeTexture(widget) {
  const { loader } = widget;
  if (loader.texture) return undefined;
  if (!underWay.has(widget)) {
    const made = textureOf(widget.view.canvas, widget.get("pixi-src"))
      .then((texture) => {
        loader.texture = texture;
        widget.drawn = () => update(texture.source, widget.view.canvas);
      })
      .catch((error) => widget.fail(error.message, error.url))
      .finally(() => underWay.delete(widget));
    underWay.set(widget, made);
  }
  return underWay.get(widget);
}

/** Has a source read its canvas anew. One that was destroyed is null. */
function update(source, { width, height }) {
  source?.resize(width, height);
  source?.update();
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string | null} address of the PixiJS module; null: the page's global `PIXI`
 * @returns {Promise<object>} a PIXI.Texture, the page's to destroy: its sprites use it
 */
async function textureOf(canvas, address) {
  const url = address && new URL(address, document.baseURI).href;
  const PIXI = url ? await import(/* @vite-ignore */ url).catch(() => null) : window.PIXI;
  if (PIXI?.Texture) return PIXI.Texture.from(canvas);
  const why = url ? `${url} could not be loaded as a module` : "the page has no PIXI";
  throw Object.assign(new Error(`PixiJS is missing: ${why}. Load it before, or name it with pixi-src.`), {
    url: url || "",
  });
}
