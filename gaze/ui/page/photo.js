// How a photo comes in: chosen, dropped, pasted, or taken by the camera.

import { $, openSheet, toast } from "./dom.js";
import { taken, unusable } from "./words.js";

const READ = 6000; // milliseconds for a sentence that nobody expects

const hasFiles = (data) => [...(data?.types ?? [])].includes("Files");

/**
 * The ways to add a photo; returns what opens them.
 *
 * @param take called with each photo. Of several at once it is the first that may be of use, and the page says so.
 * @param {number} mostBytes of a photo.
 */
export function photoWays(take, mostBytes) {
  const isUsable = (file) => !unusable(file, mostBytes);
  const takeOne = (files) => {
    const file = files.find(isUsable) ?? files[0];
    if (file) take(file);
    if (files.length > 1 && isUsable(file)) toast(taken(file.name), READ);
  };
  const pick = $("pick"),
    selfie = $("selfie");
  for (const input of [pick, selfie]) {
    input.addEventListener("change", () => {
      const files = [...input.files];
      input.value = ""; // so that the same photo can be chosen again
      takeOne(files);
    });
  }
  takeDrops(takeOne);
  addEventListener("paste", ({ clipboardData }) => takeOne([...(clipboardData?.files ?? [])]));
  $("zone").onclick = () => pick.click();
  return { choose: () => pick.click(), selfie: () => selfie.click(), camera: camera(take) };
}

/** The whole page takes files that are dropped. */
function takeDrops(take) {
  let depth = 0;
  const show = (wanted) => {
    $("drop").hidden = !wanted;
  };
  addEventListener("dragenter", ({ dataTransfer }) => {
    if (hasFiles(dataTransfer)) {
      depth += 1;
      show(true);
    }
  });
  addEventListener("dragleave", ({ dataTransfer }) => {
    if (hasFiles(dataTransfer)) {
      depth = Math.max(0, depth - 1);
      show(depth > 0);
    }
  });
  addEventListener("dragover", (event) => {
    if (hasFiles(event.dataTransfer)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    if (!hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    depth = 0;
    show(false);
    take([...event.dataTransfer.files]);
  });
}

/** A sheet with what the camera sees, where there is no system's own camera page. */
function camera(take) {
  const sheet = $("camera"),
    view = $("viewfinder"),
    fault = $("camera-fault"),
    shoot = $("shoot");
  let stream = null;
  let turn = 0;
  const end = () => {
    turn += 1;
    stream?.getTracks().forEach((track) => track.stop());
    stream = view.srcObject = null;
  };
  sheet.addEventListener("close", end);
  shoot.onclick = () => {
    if (!stream || shoot.hasAttribute("aria-disabled")) return;
    const canvas = document.createElement("canvas");
    canvas.width = view.videoWidth;
    canvas.height = view.videoHeight;
    canvas.getContext("2d").drawImage(view, 0, 0);
    sheet.close();
    canvas.toBlob((blob) => take(new File([blob], "camera.jpg", { type: "image/jpeg" })), "image/jpeg", 0.95);
  };
  return async () => {
    fault.hidden = true;
    view.hidden = false;
    shoot.setAttribute("aria-disabled", "true");
    openSheet(sheet);
    const mine = turn;
    try {
      const wanted = { video: { facingMode: "user", width: { ideal: 1920 }, height: { ideal: 1080 } } };
      const opened = await navigator.mediaDevices.getUserMedia(wanted);
      if (mine !== turn) return opened.getTracks().forEach((track) => track.stop());
      stream = view.srcObject = opened;
      await view.play();
      shoot.removeAttribute("aria-disabled");
    } catch {
      if (mine !== turn) return; // the sheet was closed
      view.hidden = true;
      fault.hidden = false;
      fault.lastElementChild.textContent = "The camera cannot be used. Allow it in the browser, or choose a photo.";
    }
  };
}
