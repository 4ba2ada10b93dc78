/** Loads classic scripts: of packs, for pages opened from files, and the second file of this widget. */

let policy;

/** A script's URL as a page wants it that demands policies for scripts (Trusted Types). */
function trusted(url) {
  if (!globalThis.trustedTypes?.createPolicy) return url;
  try {
    policy ??= trustedTypes.createPolicy("gaze-tracker", { createScriptURL: (given) => given });
    return policy.createScriptURL(url);
  } catch {
    return url; // the page names the policies that it allows, and this is not among them
  }
}

/** @returns {Promise<HTMLScriptElement>} when it ran */
export function loadScript(url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = trusted(url);
    script.onload = () => resolve(script);
    script.onerror = () => reject(new Error("not found"));
    document.head.append(script);
    script.remove();
  });
}
