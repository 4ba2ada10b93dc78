// The sheets: embed, link, clip, and "are you sure".

import { $, make, openSheet, toast } from "./dom.js";
import { record, typeOf } from "./recording.js";

const isLocal = () => /^(localhost|127\.[\d.]+|\[::1\])$/.test(location.hostname);

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

/** The code with its element once for each face. */
function forEach(code, portrait) {
  const sized = (text, { imageWidth, imageHeight }) =>
    text.replace(/width="\d+" height="\d+"/, `width="${imageWidth}" height="${imageHeight}"`);
  if (!portrait.faces?.length) return sized(code, portrait);
  const all = code.replace(/ *<gaze-tracker[\s\S]*<\/gaze-tracker>/, (element) =>
    portrait.faces
      .map((face, at) =>
        sized(element, face)
          .replace("gaze.pack", face.pack)
          .replace("poster.webp", face.poster)
          .replaceAll('"Portrait"', `"Portrait ${at + 1} of ${portrait.faces.length}"`),
      )
      .join("\n"),
  );
  return all.replace(/(return \(\n)([\s\S]*)(\n {2}\);)/, "$1    <>\n$2\n    </>$3"); // React returns one element
}

/**
 * Code for other people's pages, one tab for each way.
 * @param portrait returns the manifest of what is to be embedded: the code says its size, so that pages keep the room.
 */
export function embedSheet(snippets, portrait) {
  let chosen = snippets[0];
  const choose = (snippet) => {
    chosen = snippet;
    $("embed-place").textContent = snippet.place;
    $("code").textContent = forEach(snippet.code, portrait());
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
  $("copy-code").onclick = () => {
    $("embed").close();
    copy($("code").textContent, "Code copied");
  };
  return () => {
    choose(chosen);
    openSheet($("embed"));
  };
}

/**
 * A link to the portrait's own page, with a caption, and with a picture of the face in previews only if the owner wants.
 * @param share asks the app: takes {caption, card}, returns {address, caption, card} or {problem}.
 */
export function linkSheet(share) {
  let about = null;
  let asked = null;
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
    await asked; // until then there is no link to copy
    await save();
    if (!$("link-fault").hidden) return;
    $("link").close();
    copy($("address").textContent, "Link copied");
  };
  return async (until) => {
    about = null;
    fail(null);
    $("address").textContent = "…";
    $("link-note").textContent = isLocal()
      ? `This link works on this computer only, until ${until}. For other computers, use Download.`
      : `Anyone with this link can see what you made, but not your photo. The link works until ${until}.`;
    openSheet($("link"));
    // What is typed must not be overwritten by what was said before.
    const fields = [$("caption"), $("card")];
    for (const field of fields) field.disabled = true;
    const mine = (asked = share({}));
    const answer = await mine;
    if (mine !== asked) return; // the sheet is another portrait's by now
    for (const field of fields) field.disabled = false;
    show(answer);
    $("caption").value = answer.caption ?? "";
    $("card").checked = answer.card ?? false;
  };
}

/**
 * A loop of a few seconds as a file: made by the app, or recorded here.
 * @param address returns where the clip of a kind and a shape is to be had.
 * @param trackers returns the players on the stage; of several the clip is always recorded.
 */
export function clipSheet(address, trackers) {
  const button = $("save-clip");
  const isMany = () => trackers().length > 1;
  const own = () => (isMany() ? recordedKind() : "mp4");
  const made = async (kind, shape) => {
    if (isMany() || kind === own()) {
      const another = isMany() ? "Try again." : "Choose WebM, WebP or GIF.";
      return record(trackers(), typeOf(kind), shape === "square").catch((error) => {
        console.warn("Gaze:", error);
        throw new Error(`This browser could not record the clip. ${another}`);
      });
    }
    const answer = await fetch(address(kind, shape));
    if (!answer.ok) throw new Error((await answer.json()).error);
    return answer.blob();
  };
  const busy = (is) => {
    button.toggleAttribute("aria-disabled", is);
    if (is) button.setAttribute("aria-disabled", "true");
    button.lastElementChild.textContent = is ? "Making the clip…" : "Save the clip";
  };
  button.onclick = async () => {
    if (button.hasAttribute("aria-disabled")) return;
    const choice = new FormData($("clip-choice"));
    const [kind, shape] = isMany() ? [own(), "square"] : [choice.get("kind"), choice.get("shape")];
    busy(true);
    $("clip-fault").hidden = true;
    try {
      const url = URL.createObjectURL(await made(kind, shape));
      make("a", { href: url, download: `gaze-portrait.${kind}` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
      $("clip").close();
      toast("Clip saved");
    } catch (error) {
      const isLost = error instanceof TypeError || error instanceof SyntaxError;
      $("clip-fault").hidden = false;
      $("clip-fault").lastElementChild.textContent = isLost
        ? "The app could not be reached. Try again."
        : error.message;
    }
    busy(false);
  };
  return () => {
    $("clip-fault").hidden = true;
    $("clip-choice").hidden = $("clip-kinds").hidden = isMany();
    $("clip-mp4").hidden = $("clip-recorded").hidden = isMany() || !typeOf("mp4");
    openSheet($("clip"));
  };
}

/** The kind in which this browser records clips; "" where it records none. */
export const recordedKind = () => ["mp4", "webm"].find(typeOf) ?? "";

/** Asks before something is deleted; resolves to whether it is wanted. */
export function sure(title, text) {
  const sheet = $("sure");
  $("sure-title").textContent = title;
  $("sure-text").textContent = text;
  openSheet(sheet);
  return new Promise((done) => {
    let yes = false;
    $("sure-yes").onclick = () => {
      yes = true;
      sheet.close();
    };
    sheet.addEventListener("close", () => done(yes), { once: true });
  });
}
