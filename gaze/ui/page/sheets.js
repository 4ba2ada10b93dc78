// The sheets: embed, link, and "are you sure".

import { $, make, toast } from "./dom.js";

/** Puts text into the clipboard, or shows it where that is not allowed. */
async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    toast(said);
  } catch {
    prompt("Copy this:", text);
  }
}

/** Closes each sheet by its own button and by a press beside it. */
export function closeable() {
  for (const sheet of document.querySelectorAll("dialog.sheet")) {
    sheet.addEventListener("click", (event) => {
      if (event.target === sheet || event.target.closest("[data-close]")) sheet.close();
    });
  }
}

export const closeAll = () => {
  for (const sheet of document.querySelectorAll("dialog.sheet[open]")) sheet.close();
};

/** Code for other people's pages, one tab for each way. */
export function embedSheet(snippets) {
  const choose = ({ place, code }) => {
    $("embed-place").textContent = place;
    $("code").textContent = code;
  };
  $("tabs").replaceChildren(
    ...snippets.map((snippet, at) =>
      make(
        "label",
        {},
        make("input", {
          type: "radio",
          name: "tab",
          value: snippet.name,
          checked: !at,
          onchange: () => choose(snippet),
        }),
        snippet.name,
      ),
    ),
  );
  choose(snippets[0]);
  $("copy-code").onclick = () => {
    $("embed").close();
    copy($("code").textContent, "Code copied");
  };
  return () => $("embed").showModal();
}

/**
 * A link to the portrait's own page, with a caption, and with a picture of the face in previews only if the owner wants.
 * @param share asks the app: takes {caption, card}, returns {address, caption, card} or {problem}.
 */
export function linkSheet(share) {
  let about = null;
  const fail = (problem) => {
    $("link-fault").hidden = !problem;
    if (problem) $("link-fault").lastElementChild.textContent = `${problem.title} ${problem.text}`.trim();
    return problem;
  };
  const show = (answer) => {
    if (fail(answer.problem)) return;
    about = answer;
    $("address").textContent = answer.address;
  };
  const save = async () => {
    const [caption, card] = [$("caption").value.trim(), $("card").checked];
    if (about && (caption !== about.caption || card !== about.card)) show(await share({ caption, card }));
  };
  $("caption").onchange = $("card").onchange = save;
  $("copy-link").onclick = async () => {
    await save();
    if (!$("link-fault").hidden) return;
    $("link").close();
    copy($("address").textContent, "Link copied");
  };
  return async (until) => {
    about = null;
    fail(null);
    $("address").textContent = "…";
    $("link-note").textContent =
      `Anyone with this link can see the portrait, but not your photo. The link works until ${until}.`;
    $("link").showModal();
    const answer = await share({});
    show(answer);
    $("caption").value = answer.caption ?? "";
    $("card").checked = answer.card ?? false;
  };
}

/** Asks before something is deleted; resolves to whether it is wanted. */
export function sure(title, text) {
  const sheet = $("sure");
  $("sure-title").textContent = title;
  $("sure-text").textContent = text;
  sheet.showModal();
  return new Promise((done) => {
    let yes = false;
    $("sure-yes").onclick = () => {
      yes = true;
      sheet.close();
    };
    sheet.addEventListener("close", () => done(yes), { once: true });
  });
}
