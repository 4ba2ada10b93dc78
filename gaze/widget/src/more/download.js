/** Pictures, still encoded. */

/**
 * Of this page's own server they come by fetch, because a Blob is decoded off the main thread; everything else comes by
 * <img>, which file:// and servers without CORS allow too.
 *
 * @param {boolean} isForWebGL the picture must be one that WebGL accepts
 * @returns {Promise<Blob | HTMLImageElement>}
 */
export async function download(url, signal, isForWebGL) {
  if (/^https?:/.test(url) && new URL(url).origin === location.origin) {
    const response = await fetch(url, { signal }).catch((error) => {
      if (signal.aborted) throw error; // else refused by the page's policy, perhaps, and <img> is allowed
    });
    if (response && !response.ok) throw new Error(`status ${response.status}`);
    if (response) return response.blob();
  }
  return new Promise((resolve, reject) => {
    const image = new Image();
    if (isForWebGL) image.crossOrigin = "anonymous";
    const stop = () => image.removeAttribute("src");
    image.onload = () => {
      signal.removeEventListener("abort", stop); // which would keep the picture
      resolve(image);
    };
    image.onerror = () => reject(new Error("not found, or not a picture"));
    signal.addEventListener("abort", stop);
    image.src = url;
  });
}
