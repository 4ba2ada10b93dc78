"""`<gaze-tracker>` in Chromium, with hostile manifests and damaged packs. It has to show the portrait or fire an
error event ("refused") within 30 seconds; no error may be uncaught, no text may become markup or script. Seconds are
wall time; memory is all that the renderer holds.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gaze.output.metadata import METADATA
from gaze.output.pack import PACK
from tests.browser.conftest import CHROMIUM_ARGUMENTS, find_chromium
from tests.browser.portraits import SECOND, WIDGET
from trials.corpus import flipped, truncated
from trials.packs import HOSTILE, make_portrait, random_packs, spoilt_headers, spoilt_manifests
from trials.trying import FAULT, REFUSED, Row, Size, Tried

ORIGIN = "http://localhost"
"""Trusted as https is: elsewhere browsers have no video decoder."""
_LIMIT_MB = 600
_PAGE = """<!doctype html><meta charset="utf-8"><title>trial</title><script src="/gaze-tracker.js"></script>
<style>gaze-tracker { width: 200px }</style>"""
_TRY = """async ([src, manifest, patience]) => {
  const element = document.createElement("gaze-tracker");
  const started = performance.now();
  const happened = new Promise((resolve) => {
    const loaded = () => element.loaded && element.row >= 0 && resolve(["portrait", ""]);
    element.addEventListener("error", (event) => resolve(["refused", event.detail.message]));
    element.addEventListener("load", () => setTimeout(loaded, 50));
    setTimeout(() => resolve(["FAULT", "It neither shows nor says anything."]), patience);
  });
  element.setAttribute("loading", "eager");
  if (src) element.setAttribute("src", src);
  if (src.endsWith("/")) element.setAttribute("mode", "quadrants"); // then metadata.json is read first
  else element.manifest = manifest;
  document.body.append(element);
  element.lookAt(10, 10);
  let [what, words] = await happened;
  const seconds = (performance.now() - started) / 1000;
  await new Promise((resolve) => setTimeout(resolve, 20));
  const strangers = element.shadowRoot.querySelectorAll(":not(div, canvas, slot, img, button, svg, path)").length;
  if (window.hacked || strangers || "polluted" in {}) [what, words] = ["FAULT", "Text became markup or script."];
  element.remove();
  return [what, words, seconds];
}"""


def rows(size: Size) -> Iterator[Row]:
    seeds = range(size.of(20, 500))
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        metadata, pack, files = make_portrait(Path(folder))
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_ARGUMENTS))
        bench = Bench(browser.new_page(), files)
        values = size.of(HOSTILE[::5], HOSTILE)
        manifests = list(spoilt_manifests(metadata, values, seeds))
        yield Row("metadata.json with hostile values", [bench.folder(it, pack) for it in manifests])
        yield Row("the same, where there is no pack", [bench.folder({**it, "pack": None}, b"") for it in manifests])
        yield Row("metadata.json that is no object", [bench.folder(it, pack) for it in ODD_JSON])
        yield Row("`manifest` with hostile values", [bench.manifest(it, pack) for it in [*manifests, *ODD_OBJECTS]])
        yield Row("packs with hostile values in the header", [bench.pack(it) for it in spoilt_headers(pack, values)])
        yield Row("packs cut off at every 5 %", [bench.pack(it) for it in truncated(pack)])
        yield Row("packs, bits flipped", [bench.pack(flipped(pack, seed), f"seed {seed}") for seed in seeds])
        yield Row("random bytes after a pack's beginning", [bench.pack(it) for it in random_packs(pack, seeds)])
        browser.close()


ODD_JSON = ("null", "5", '"text"', "[]", "[[[[", "{", "", "\0", '{"__proto__": {"polluted": 1}}', "[" * 100_000)
ODD_OBJECTS: tuple[Any, ...] = (5, "text", True, [], [1], {}, {"base": "http://["}, {"__proto__": {"polluted": 1}})


class Bench:
    """A page that is handed one portrait after the other, without a server.

    Args:
        page: of playwright.
        files: what else lies in the portrait's folder.
    """

    def __init__(self, page: Any, files: dict[str, bytes]) -> None:
        self._page = page
        self._given: dict[str, bytes] = {}
        self._files = files
        self._errors: list[str] = []
        page.on("pageerror", lambda error: self._errors.append(str(error)))
        page.route("**/*", self._answer)
        page.goto(f"{ORIGIN}/")

    def folder(self, metadata: Any, pack: bytes) -> Tried:
        """A folder by `src`; metadata that are text stand in the file as they are."""
        text = metadata if isinstance(metadata, str) else json.dumps(metadata)
        return self._try({METADATA: text.encode(), PACK: pack}, "portrait/", None, text)

    def manifest(self, manifest: Any, pack: bytes) -> Tried:
        """The element's property."""
        if isinstance(manifest, dict):
            manifest = {"base": "portrait/", **manifest}
        return self._try({PACK: pack}, "", manifest, json.dumps(manifest))

    def pack(self, pack: bytes, what: str = "") -> Tried:
        """A pack alone."""
        return self._try({PACK: pack}, "portrait/gaze.pack", None, what or repr(pack[:300]))

    def _try(self, given: dict[str, bytes], src: str, manifest: Any, what: str) -> Tried:
        self._given = given
        self._errors.clear()
        happened, words, seconds = self._page.evaluate(_TRY, [src, manifest, 30_000])
        memory = _renderer_megabytes()
        if self._errors:
            happened, words = FAULT, f"Uncaught: {self._errors[0]}"
        if happened == REFUSED and not words.startswith("gaze-tracker: "):
            happened = FAULT
        if memory > _LIMIT_MB:
            happened, words = FAULT, f"The renderer took {memory:.0f} MB."
        return Tried(happened, f"{what[:400]}: {words}", seconds, memory)

    def _answer(self, route: Any) -> None:
        url = route.request.url
        name = url.removeprefix(f"{ORIGIN}/").removeprefix("portrait/").split("?")[0]
        if url.startswith("http://foreign.test/"):
            route.fulfill(body="window.hacked = 1", content_type="text/javascript")
        elif name == "":
            route.fulfill(body=_PAGE, content_type="text/html")
        elif name in (WIDGET.name, SECOND.name):
            route.fulfill(body=WIDGET.with_name(name).read_text(), content_type="text/javascript")
        elif name in self._given or name in self._files:
            route.fulfill(body={**self._files, **self._given}[name])
        else:
            route.fulfill(status=404)


def _renderer_megabytes() -> float:
    """What the largest renderer holds now; of all browsers of this machine, since they are hard to tell apart."""
    most = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if b"--type=renderer" in (status.parent / "cmdline").read_bytes():
                lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
                most = max(most, int(lines["VmRSS"].split()[0]))
        except (OSError, KeyError):
            continue  # it has just ended
    return most * 1024 / 1e6
