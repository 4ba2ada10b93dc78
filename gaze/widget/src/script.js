/** Loads classic scripts: of packs, for pages opened from files, and the second file of this widget. */

/** @returns {Promise<HTMLScriptElement>} when it ran */
export function loadScript(url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(script);
    script.onerror = () => reject(new Error("not found"));
    document.head.append(script);
    script.remove();
  });
}
