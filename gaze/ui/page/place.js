// The page's address names the portrait that is on the stage.

/** The session that the address names; null if it names none. */
export const sessionIn = () => new URLSearchParams(location.search).get("session");

/** Whether a session may have this name: of letters and digits, as the app gives them. */
export const isName = (session) => /^\w+$/.test(session);

/** Lets the address name a session, or none; `push` makes it one to come back from. */
export function named(session, push) {
  const url = new URL(location.href);
  if (session) url.searchParams.set("session", session);
  else url.searchParams.delete("session");
  if (url.href === location.href) return;
  history[push ? "pushState" : "replaceState"](null, "", url);
}
