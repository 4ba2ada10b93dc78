// What this browser remembers: the last portraits, and, for this tab alone, the run it waits for.
// A browser may keep the storage from a frame; then nothing is remembered, and all else works.

const PORTRAITS = "gaze-portraits-1";
const RUN = "gaze-run-1";
const MOST = 20;

function read(storage, key, fallback) {
  try {
    return JSON.parse(window[storage].getItem(key)) ?? fallback;
  } catch {
    return fallback;
  }
}

function write(storage, key, value) {
  try {
    if (value === null) window[storage].removeItem(key);
    else window[storage].setItem(key, JSON.stringify(value));
  } catch {
    // It is full, or not to be had.
  }
}

const isEntry = (entry) => typeof entry?.session === "string" && typeof entry?.secret === "string";

/** The portraits, the newest first: `session`, `secret`, and `made` in milliseconds. */
export function portraits() {
  const found = read("localStorage", PORTRAITS, []);
  return Array.isArray(found) ? found.filter(isEntry).slice(0, MOST) : [];
}

/** Portraits as the app asks for them: each with what shows that it is one's own. */
export const owned = (entries) => entries.map(({ session, secret }) => ({ session, secret }));

/** Remembers a portrait. */
export function remember(entry) {
  write(
    "localStorage",
    PORTRAITS,
    [entry, ...portraits().filter(({ session }) => session !== entry.session)].slice(0, MOST),
  );
}

/** Forgets portraits, by their sessions. */
export function forget(sessions) {
  write(
    "localStorage",
    PORTRAITS,
    portraits().filter(({ session }) => !sessions.includes(session)),
  );
}

/** Calls back when another tab has changed what is remembered. */
export function onChange(act) {
  addEventListener("storage", ({ key }) => {
    if (key === PORTRAITS || key === null) act();
  });
}

/** The run that this tab waits for, with what its page showed; null if there is none. */
export const run = () => read("sessionStorage", RUN, null);
export const rememberRun = (value) => write("sessionStorage", RUN, value);
