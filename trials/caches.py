"""Caches that hold a portrait's files when it is deleted: Chromium's, and nginx's, set to keep all it may. Nobody
may see a file afterwards. Before that, whoever has a file is told in a few bytes that it is unchanged.
"""

from __future__ import annotations

import http.client
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from gradio_client import Client, handle_file

from gaze.storage.sessions import SessionStore
from tests.browser.conftest import CHROMIUM_ARGUMENTS, find_chromium
from tests.nginx import NGINX, nginx
from tests.serving import App, serving
from trials.corpus import EXAMPLE
from trials.trying import FaultError, Row, Size, Tried, attempt_here
from trials.web.client import SMALL, get

_KEPT = "proxy_cache_path {place}/cache keys_zone=all:1m;"
_PASSED = """location / {{
  proxy_pass {address}; proxy_cache all; proxy_cache_valid any 1h;
  add_header X-Cached $upstream_cache_status always;
}}"""
_FETCH = """async address => {
  const answer = await fetch(address);
  const bytes = (await answer.arrayBuffer()).byteLength;
  const image = new Image();
  const shown = new Promise(done => { image.onload = () => done(true); image.onerror = () => done(false); });
  image.src = address;
  return [answer.status, bytes, await shown];
}"""


def rows(size: Size) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as app:
        client = Client(app.address, download_files=False, verbose=False)

        def made() -> tuple[str, list[str]]:
            manifest, _ = client.predict(photo=handle_file(EXAMPLE), sheets=True, api_name="/generate", **SMALL)
            names = ["gaze.pack", "stills.pack", "poster.webp", "metadata.json", "q0.webp", "q3.webp"]
            return manifest["session"], [f"/{manifest['base']}{name}" for name in names]

        session, files = made()
        again = [attempt_here(partial(_again, app, path)) for path in files]
        yield Row("files, asked for again by whoever has them", again)
        yield Row("photos, previews and pages, which no cache may keep", list(_unkept(app, session)))
        yield Row("files in a browser's cache, when the portrait is deleted", list(_in_browser(app, session, files)))
        session, files = made()
        if NGINX:
            place = Path(folder) / "nginx"
            with nginx(place, _PASSED.format(address=app.address), _KEPT.format(place=place)) as cache:
                yield Row("files in a cache before the app", list(_in_between(app, cache, session, files)))
        else:
            yield Row("files in a cache before the app", [Tried("nginx is not installed")])


def _delete(app: App, session: str) -> None:
    store = SessionStore(app.store)
    store.delete_owned(session, store.secret(session))


def _again(app: App, path: str) -> str:
    status, headers, body = get(app, path)
    if status != 200 or not body:
        raise FaultError(f"{path}: {status}")
    status, again, nothing = get(app, path, {"If-None-Match": headers["ETag"]})
    if (status, nothing, again["ETag"]) != (304, b"", headers["ETag"]):
        raise FaultError(f"{path}: {status}, {len(nothing)} bytes.")
    return "as it was (304)"


def _unkept(app: App, session: str) -> Iterator[Tried]:
    with httpx.Client(base_url=app.address, timeout=60) as web:
        photo = web.post("/gradio_api/upload", files={"files": EXAMPLE.open("rb")}).json()[0]
    served = (f"file={photo}", f"gaze/{session}/gaze-portrait.zip")
    for path in ("/", f"/?session={session}", *(f"/gradio_api/{it}" for it in served)):
        yield attempt_here(partial(_not_kept, app, path))


def _not_kept(app: App, path: str) -> str:
    status, headers, _ = get(app, path)
    if status != 200:
        raise FaultError(f"{path}: {status}")
    if not {"no-store", "no-cache"} & {it.strip() for it in headers["Cache-Control"].split(",")}:
        raise FaultError(f"{path}: {headers['Cache-Control']}")
    return "not kept, or asked for each time"


def _in_browser(app: App, session: str, files: list[str]) -> Iterator[Tried]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_ARGUMENTS))
        page = browser.new_page()
        page.goto(f"{app.address}/gradio_api/info")
        before = {path: page.evaluate(_FETCH, path) for path in files for _ in range(2)}
        _delete(app, session)
        for path in files:
            yield attempt_here(partial(_unseen, before[path], page.evaluate(_FETCH, path), path))
        browser.close()


def _unseen(before: Any, after: Any, path: str) -> str:
    if before[0] != 200 or before[2] != path.endswith(".webp"):
        raise FaultError(f"{path} is not shown before either: {before}")
    if after[0] != 404 or after[2]:
        raise FaultError(f"{path} is seen still: {after}")
    return "seen, then gone"


def _in_between(app: App, cache: str, session: str, files: list[str]) -> Iterator[Tried]:
    with httpx.Client(base_url=cache, timeout=60) as web:
        before = {path: web.get(path).status_code for path in files for _ in range(2)}
        _delete(app, session)
        for path in files:
            answer = web.get(path)
            yield attempt_here(partial(_gone, before[path], answer.status_code, path))


def _gone(before: int, after: int, path: str) -> str:
    if (before, after) != (http.client.OK, http.client.NOT_FOUND):
        raise FaultError(f"{path}: {before}, then {after}")
    return "seen, then gone"
