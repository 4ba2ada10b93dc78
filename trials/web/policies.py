"""The widget and the pages of the zip under the strict policies of other people's sites."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gradio_client import Client, handle_file

from gaze.output.metadata import METADATA
from gaze.output.pack import PACK
from tests.browser.portraits import SECOND, WIDGET
from tests.serving import App
from trials.corpus import EXAMPLE
from trials.packs import make_portrait
from trials.trying import FAULT, Tried
from trials.web.browsing import new_page
from trials.web.client import SMALL, get

_ORIGIN = "http://localhost"
"""Trusted as https is: elsewhere browsers have no video decoder."""
_NARROW = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
_POLICIES = (
    "default-src 'self'",
    _NARROW,
    f"{_NARROW}; require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'; form-action 'none'",
    _NARROW.replace("'self'", f"{_ORIGIN}/"),
    f"{_NARROW}; sandbox allow-scripts allow-same-origin; frame-ancestors 'none'",
)
_SHOW = """async (properties) => {
  const element = Object.assign(document.createElement("gaze-tracker"), properties);
  element.setAttribute("loading", "eager");
  document.body.append(element);
  element.lookAt(10, 10);
}"""
_SHOWN = """async () => {
  const element = document.querySelector("gaze-tracker");
  const deadline = performance.now() + 20000;
  while (performance.now() < deadline && !(element.loaded && element.row >= 0))
    await new Promise((resolve) => setTimeout(resolve, 50));
  return [element.loaded && element.row >= 0, violations];
}"""


def widget(browser: Any, place: Path) -> Iterator[Tried]:
    (place / "portrait").mkdir()
    metadata, pack, others = make_portrait(place / "portrait")
    files = {f"portrait/{name}": data for name, data in {**others, PACK: pack}.items()}
    files |= {
        **{script.name: script.read_bytes() for script in (WIDGET, SECOND)},
        "": f'<!doctype html><script src="{WIDGET.name}"></script><body>'.encode(),
    }
    sheets = {**metadata, "pack": None}
    ways: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"src": "portrait/"}, metadata),
        ({"src": "portrait/"}, sheets),
        ({"src": f"portrait/{PACK}"}, metadata),
        ({"manifest": {**metadata, "base": "portrait/"}}, metadata),
        ({"manifest": {**sheets, "base": "portrait/"}}, metadata),
    ]
    for policy in _POLICIES:
        for properties, facts in ways:
            page = _served(browser, {**files, f"portrait/{METADATA}": json.dumps(facts).encode()}, policy)
            page.goto(f"{_ORIGIN}/")
            page.evaluate(_SHOW, properties)
            yield _seen(page, f"{policy}, {str(properties)[:40]}")
    page = _served(browser, files, "connect-src 'none'")
    page.goto(f"{_ORIGIN}/")
    page.evaluate(_SHOW, {"manifest": {**sheets, "base": "portrait/"}})
    yield _seen(page, "sheets, where nothing may be fetched", forbidden=True)


def zip_pages(browser: Any, app: App, place: Path) -> Iterator[Tried]:
    client = Client(app.address, download_files=False, verbose=False)
    made = client.predict(photo=handle_file(EXAMPLE), api_name="/generate", **{**SMALL, "size": 10})[0]
    archive = zipfile.ZipFile(io.BytesIO(get(app, f"/{made['zip']}")[2]))
    files = {name: archive.read(name) for name in archive.namelist()}
    for policy in _POLICIES:
        for name in ("index.html", "embed.html"):
            page = _served(browser, files, policy)
            page.goto(f"{_ORIGIN}/gaze-portrait/{name}")
            styled = page.evaluate("getComputedStyle(document.querySelector('gaze-tracker')).borderRadius") != "0px"
            tried = _seen(page, f"{policy}, {name}")
            yield tried if styled else Tried(FAULT, f"{policy}, {name}: it has no style.")


def _served(browser: Any, files: dict[str, bytes], policy: str) -> Any:
    """A page of a site with a policy, which needs no server."""
    page = new_page(browser)
    kinds = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json"}

    def answer(route: Any) -> None:
        name = route.request.url.removeprefix(f"{_ORIGIN}/").split("?")[0]
        if name not in files:
            route.fulfill(status=404)
            return
        kind = kinds.get(Path(name).suffix, "text/html" if not name else "application/octet-stream")
        route.fulfill(body=files[name], content_type=kind, headers={"Content-Security-Policy": policy})

    page.route(f"{_ORIGIN}/**", answer)
    return page


def _seen(page: Any, what: str, forbidden: bool = False) -> Tried:
    """Whether the widget shows its portrait, and nothing it wanted was forbidden, unless that is `forbidden`."""
    started = time.monotonic()
    shown, violations = page.evaluate(_SHOWN)
    page.context.close()
    fault = not shown or (violations and not forbidden)
    return Tried(FAULT if fault else "portrait", f"{what}: shown {shown}, {violations}", time.monotonic() - started)
