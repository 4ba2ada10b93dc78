// Small helpers for the page's elements.

/** The element of this id. */
export const $ = (id) => document.getElementById(id);

/** A new element with properties, attributes (those with a dash, and `class`, `role`) and children; strings become text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on") || name in element) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== "" && child !== null && child !== undefined));
  return element;
}

/** One of the icons that stand in page.html. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("class", "i");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#i-${name}`);
  drawing.append(use);
  return drawing;
}

/** A button of the bar. The second click of a double click is not for what has taken the place of a button since the first. */
export function button(text, { act, kind = "", picture = "", note = "", off = false, title = "" } = {}) {
  const made = make("button", { type: "button", className: `btn ${kind}`.trim(), title });
  made.append(
    ...(picture ? [icon(picture)] : []),
    make("span", {}, text),
    ...(note ? [" ", make("small", {}, note)] : []),
  );
  if (off) made.setAttribute("aria-disabled", "true");
  else made.onclick = ({ detail }) => detail < 2 && act();
  return made;
}

/** In how many columns so many faces stand, as on the pages of the zip. */
export const columnsFor = (count) => Math.ceil(Math.sqrt(count));

/** Text that differs where there is a mouse and where there is a finger. */
export const either = (mouse, finger) => [
  make("span", { className: "fine" }, mouse),
  make("span", { className: "coarse" }, finger),
];

/** Opens a sheet; who listens hears its title first. */
export function openSheet(sheet) {
  sheet.showModal();
  sheet.querySelector("h2").focus(); // not by autofocus, which browsers refuse to a page in a frame
}

/** Who pressed a button that is gone goes on at what is next. */
export function focusIn(box) {
  const next = [...box.querySelectorAll("a, button")].find((it) => it.offsetParent);
  (next ?? $("desk")).focus({ preventScroll: true });
}

/** Says something in passing, for so many milliseconds. */
export function toast(text, time = 1800) {
  const place = $("toast");
  place.textContent = text;
  place.classList.add("on");
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => place.classList.remove("on"), time);
}
