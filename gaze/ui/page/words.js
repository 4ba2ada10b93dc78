// What the line says in each state. Pure: no element is touched here.

/** Seconds as people say them. */
function duration(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  return whole < 90 ? `${whole} s` : `${Math.round(whole / 60)} min`;
}

/** "one", "two" … as they stand in a sentence. */
export const count = (number) =>
  ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"][number] ?? String(number);

/** "3 December": the last day on which a portrait is kept. */
export function keptUntil(made, days, language = "en-GB") {
  return new Date(made + days * 86400e3).toLocaleDateString(language, { day: "numeric", month: "long" });
}

/** "7 days", "one day", "12 hours". */
export function kept(days) {
  if (days >= 2) return `${Math.round(days)} days`;
  if (days >= 1) return "one day";
  const hours = Math.max(1, Math.round(days * 24));
  return hours === 1 ? "one hour" : `${hours} hours`;
}

/** When a portrait was made: "today at 14:05", "on 3 December at 14:05". */
export function madeAt(made, now = Date.now()) {
  const then = new Date(made);
  const time = then.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const today = then.toDateString() === new Date(now).toDateString();
  return `${today ? "today" : `on ${then.toLocaleDateString("en-GB", { day: "numeric", month: "long" })}`} at ${time}`;
}

const TWO_MINUTES = 110;

/** Portraits that are made of one photo; the largest faces are taken. */
export const MOST_FACES = 9;

/** Text where a face has to be chosen. */
export function several(faces) {
  const all = faces > MOST_FACES ? "nine" : faces === 2 ? "both" : "all";
  return `There are ${count(faces)} faces in this photo. Choose one, or put ${all} on one page.`;
}

/** What the button says that takes each of so many faces. */
export function takeAll(faces) {
  if (faces === 2) return "Take both";
  return `Take ${faces > MOST_FACES ? "the nine largest" : `all ${count(faces)}`}`;
}

/** Title and text while a portrait is being made, or several. */
export function making(left, many = false) {
  const close =
    left === null || left < TWO_MINUTES
      ? ["You can reload this page or close it.", `${many ? "They" : "It"} will be under “Your portraits”.`]
      : ["You can reload this page.", "If you close it, the work stops after two minutes."];
  return { title: `Your ${many ? "portraits are" : "portrait is"} being made.`, text: close.join(" ") };
}

/** Text while a change is tried, and what the button says that leads back. */
export const changed = (many) =>
  many
    ? { text: "Your portraits are safe. Make them again to use the changes.", back: "Back to your portraits" }
    : { text: "Your portrait is safe. Make it again to use the changes.", back: "Back to your portrait" };

/** What is asked before one is deleted, or several of one photo. */
export const deleting = (many) =>
  many
    ? {
        title: "Delete these portraits?",
        text: "The portraits, their files and their link are gone at once. Nobody can bring them back.",
      }
    : {
        title: "Delete this portrait?",
        text: "The portrait, its files and its link are gone at once. Nobody can bring them back.",
      };

/** What is said at the start when something is gone. */
export const GONE = {
  deleted: {
    title: "Deleted.",
    text: "The files and links are gone. Add a photo to make a new portrait.",
  },
  expired: {
    title: "This portrait is gone.",
    text: "Portraits are kept for a limited time. Add a photo to make a new one.",
  },
  photo: { title: "Your photo is not here any more.", text: "Add it again." },
};

/** Title, text, and the bar's label while others are before. */
export function waiting(place, left, many = false) {
  const others = count(place);
  const title = `${others[0].toUpperCase()}${others.slice(1)} ${place === 1 ? "portrait is" : "portraits are"} ahead of yours.`;
  const start = many ? "Yours start by themselves" : "Yours starts by itself";
  const when = left === null ? `${start}.` : `${start} in about ${duration(left)}.`;
  const text = `${when} You can reload this page: your place is kept.`;
  return { title, text, label: `Place ${place + 1} in the queue` };
}

/** What the bar says of the time that is left. */
export function remaining(left) {
  if (left === null) return "";
  return left < 1 ? "almost done" : `about ${duration(left)} left`;
}

/** What is said while the app cannot be reached: it is not there, or this device has no network. */
export const unreachable = (hasNetwork) =>
  hasNetwork
    ? {
        name: "silent",
        picture: "alert",
        title: "The app does not answer.",
        text: "Nothing is lost. If it stays away, it has to be started again.",
        label: "Trying again…",
      }
    : {
        name: "offline",
        picture: "off",
        title: "You are offline.",
        text: "Nothing is lost. You can go on when the connection is back.",
        label: "Waiting for the connection…",
      };

/** Faces from left to right; `number` is what the app calls each: to it the largest is the first. */
export const fromLeft = (faces) => faces.map((face, number) => ({ ...face, number })).sort((a, b) => a.x - b.x);

/** What is said where several files were added at once. */
export function taken(name) {
  const short = name.length > 30 ? `${name.slice(0, 29)}…` : name;
  return `One photo at a time: “${short}” was taken.`;
}

/** What is wrong with a file before it is sent; null if nothing is. */
export function unusable({ name, type, size }, mostBytes) {
  const known = type.startsWith("image/") || /\.(jpe?g|png|webp|avif|hei[cf]|gif|bmp|tiff?)$/i.test(name);
  if (!known && (type || /\.\w+$/.test(name))) {
    const kind = /pdf/i.test(type) ? "a PDF" : type.startsWith("video/") ? "a video" : "not a picture";
    return { title: `This is ${kind}.`, text: "Use a photo: JPEG, PNG, WebP, HEIC or AVIF." };
  }
  if (size > mostBytes) {
    const megabytes = (bytes) => Math.round(bytes / 2 ** 20);
    return {
      title: "This photo is too large.",
      text: `It has ${megabytes(size)} MB. The limit is ${megabytes(mostBytes)} MB.`,
    };
  }
  return size ? null : { title: "This file is empty.", text: "Choose another photo." };
}
