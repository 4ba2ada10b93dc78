// How a photo is sent: a large one over a slow connection takes its time, and then the page says how much is there.

const LONG = 800; // milliseconds after which somebody wants to know

/**
 * What sends files to the app: takes a file, and what is to be called with the share of it that is there, if that takes
 * long; returns its `path`, or the `problem`. Throws where there is no connection.
 *
 * @param {string} root the app's address.
 */
export const sender = (root) => (file, tell) =>
  new Promise((done, fail) => {
    const request = new XMLHttpRequest(); // fetch does not tell how much is there
    const begun = performance.now();
    request.open("POST", new URL("gradio_api/upload", root));
    request.upload.onprogress = ({ loaded, total }) => {
      if (total && performance.now() - begun > LONG) tell(loaded / total);
    };
    request.onload = () => {
      const { status, responseText } = request;
      if (status === 200) return done({ path: JSON.parse(responseText)[0] });
      if ([400, 429, 507].includes(status))
        return done({ problem: { title: "The photo could not be sent.", text: responseText } });
      fail(new Error(`The upload was answered with ${status}.`));
    };
    request.onerror = () => fail(new Error("The upload broke off."));
    const form = new FormData();
    form.append("files", file);
    request.send(form);
  });
