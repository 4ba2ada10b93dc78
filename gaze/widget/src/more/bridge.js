/** The pointer of the page around an iframe (docs/widget.md, "In an iframe"). */

/**
 * @param {object} page of src/page.js
 * @param {MessageEvent} event with the type "gaze-pointer"; without numbers in it the face looks straight ahead
 */
export function told(page, { data, origin, source }) {
  if (source !== window.parent || source === window) return;
  const { x, y, left, top, right, bottom } = data;
  const isPoint = [x, y, left, top, right, bottom].every(Number.isFinite);
  const point = isPoint ? { x, y, view: { left, top, right, bottom } } : null;
  for (const widget of page.widgets) {
    const allowed = [location.origin, ...(widget.host.getAttribute("bridge") ?? "").split(/\s+/)];
    if (allowed.includes(origin) || allowed.includes("*")) widget.pointed(point);
  }
  page.stir();
}
