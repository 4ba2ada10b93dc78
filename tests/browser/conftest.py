"""A real Chromium, a page that fails its test on any error, and a folder served over http."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.driving import new_context
from tests.browser.visitor import Visitor
from tests.serving import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first is the same browser without windows, and takes about half of the processor's time."""

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--use-angle=swiftshader",  # WebGL without a GPU
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)

CHEAPLY = "--disable-gpu-compositing"
"""As WebGL is drawn by the processor, pages are not put together by it: that would take six times as long. Only tests
ask for it; benchmarks measure what a browser does by itself."""


def find_chromium() -> str | None:
    """The Chromium to drive: $GAZE_CHROMIUM, else the first one on PATH."""
    named = os.environ.get("GAZE_CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


# Not for the whole session: while playwright runs, no other test of this thread can start an asyncio loop.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One headless Chromium for all browser tests."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium found: install one (Debian: chromium-headless-shell) or name one in GAZE_CHROMIUM")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=[*CHROMIUM_ARGUMENTS, CHEAPLY])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """While this file is there, runs of `quick_app` go on."""
    gate = tmp_path_factory.mktemp("gate") / "open"
    gate.touch()
    return gate


@pytest.fixture(scope="package")
def address(browser: Browser, gate: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One app with small portraits for all tests of the page."""
    with serving(tmp_path_factory.mktemp("app"), "-m", "tests.browser.quick_app", str(gate)) as app:
        yield app.address + "/"
    assert "Traceback" not in app.log.read_text()


@pytest.fixture(scope="module")
def visitor(browser: Browser, address: str) -> Iterator[Visitor]:
    """A visitor of the app whose page stays open from test to test: to open it takes longer than most of them."""
    visitor = Visitor(browser, address)
    yield visitor
    visitor.close()


@dataclass
class Record:
    """What the pages of a test asked for and complained about.

    Attributes:
        requests: URLs, in order.
        errors: console errors and uncaught exceptions.
        allowed: patterns; an error that one of them is found in does not fail the test.
    """

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> Callable[[], None]:
        """Records a page, until what is returned is called."""
        heard: dict[Any, Callable[[Any], None]] = {
            "request": lambda request: self.requests.append(request.url),
            "console": lambda message: self.errors.append(message.text) if message.type == "error" else None,
            "pageerror": lambda error: self.errors.append(str(error)),
        }
        for event, act in heard.items():
            page.on(event, act)

        def stop() -> None:
            for event, act in heard.items():
                page.remove_listener(event, act)

        return stop

    def unexpected(self) -> list[str]:
        return [error for error in self.errors if not any(re.search(pattern, error) for pattern in self.allowed)]


@pytest.fixture
def record() -> Iterator[Record]:
    """Requests and errors of the test's pages; errors fail the test unless `record.allowed` names them."""
    record = Record()
    yield record
    assert not record.unexpected()


@pytest.fixture
def open_page(browser: Browser, record: Record, site: Site) -> Iterator[Callable[..., Page]]:
    """Opens a fresh, recorded page; takes another browser, if need be, and the options of `Browser.new_context`.

    It asks for `site` so that pages are closed before the server they load from.
    """
    contexts: list[BrowserContext] = []

    def open_(other: Browser | None = None, **options: Any) -> Page:
        options.setdefault("viewport", {"width": 1280, "height": 800})
        context = new_context(other or browser, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        record.listen(page)
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A page of 1280×800."""
    return open_page()


class FolderHandler(SimpleHTTPRequestHandler):
    """Serves files quietly; a site's `headers` are added to every answer, and `held` paths wait to be let go."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".webp": "image/webp"}  # noqa: RUF012

    def __init__(self, *arguments: Any, site: Site, **options: Any) -> None:
        self.site = site
        super().__init__(*arguments, directory=str(site.folder), **options)

    def send_head(self) -> Any:
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        path = Path(self.translate_path(self.path))
        if not (self.site.ranges and start and path.is_file()):
            return super().send_head()
        size = path.stat().st_size
        self.send_response(HTTPStatus.PARTIAL_CONTENT)
        self.send_header("Content-Range", f"bytes {start[1]}-{size - 1}/{size}")
        self.send_header("Content-Length", str(size - int(start[1])))
        self.end_headers()
        file = path.open("rb")
        file.seek(int(start[1]))
        return file

    def copyfile(self, source: Any, outputfile: Any) -> None:
        length, gate = self.site.stalled.get(self.path, (0, None))
        if gate is not None:
            outputfile.write(source.read(length))
            outputfile.flush()
            gate.wait(30)
        super().copyfile(source, outputfile)

    def do_GET(self) -> None:
        if self.path == "/favicon.ico":
            self.send_response(HTTPStatus.NO_CONTENT)
            self.end_headers()
            return
        self.site.asked.append(self.path)
        gate = self.site.held.get(self.path)
        if gate is not None:
            gate.wait(30)
        with contextlib.suppress(ConnectionError):  # the page no longer wants it
            super().do_GET()

    def end_headers(self) -> None:
        for name, value in self.site.headers.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *arguments: Any) -> None:
        pass


@dataclass
class Site:
    """A folder and the address it is served at.

    Attributes:
        folder: put files here.
        url: ends in "/".
        headers: added to every answer.
        held: paths ("/q0.webp") that are answered only after their event is set.
        stalled: paths of which so many bytes are sent, and the rest after their event is set.
        ranges: whether it sends the part of a file that is asked for, or always all of it.
        asked: paths that were asked for, in order.
    """

    folder: Path
    url: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"Cache-Control": "no-cache"})
    held: dict[str, threading.Event] = field(default_factory=dict)
    stalled: dict[str, tuple[int, threading.Event]] = field(default_factory=dict)
    ranges: bool = False
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An empty folder, served over http on a free port of this machine."""
    site = Site(tmp_path / "site")
    site.folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(FolderHandler, site=site))
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield site
    for gate in [*site.held.values(), *(gate for _, gate in site.stalled.values())]:
        gate.set()
    server.shutdown()
    thread.join()
    server.server_close()
