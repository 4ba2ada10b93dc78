"""The app as the web sees it: requests that are too large or odd, more previews than one may ask for, text that would
do harm as markup, script or template, zips, and Content-Security-Policies: the app's own, in Chromium, and strict ones
of other people's sites, under which the widget and the pages of the zip have to work. What must not act under the
app's policy is first shown to act on a page without one. "Text" stands for: shown or answered as text, or not at all.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import socket
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from gradio_client import Client, handle_file

from gaze.pack import PACK
from gaze.portrait import MAX_BYTES
from gaze.sprites import METADATA
from tests.browser.conftest import CHROMIUM_ARGUMENTS, find_chromium
from tests.browser.portraits import WIDGET
from tests.serving import ROOT, App, serving
from trials.corpus import EXAMPLE
from trials.injection import FOREIGN, MARKS, TEXTS, WAYS, WORKED_OUT
from trials.packs import make_portrait
from trials.trying import FAULT, REFUSED, FaultError, Limits, Row, Tried, attempt

_SMALL = {"size": 4, "frame_size": 128, "engine": "warp"}
_WORDS, _PHOTO = 2**20, int(1.4 * MAX_BYTES)
"""Bytes that requests may have, as docs/api.md and docs/hosting.md say."""
_QUICK = Limits(seconds=5)
_BURST = 100


def rows(quick: bool) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as app:
        place = Path(folder)
        texts = TEXTS[::6] if quick else TEXTS
        yield Row("requests that announce too much, refused before the rest is sent", list(_announced(app)))
        yield Row("requests that go on for too long without having said so", list(_unannounced(app, place)))
        yield Row("odd methods, headers and lengths", list(_odd(app)))
        yield Row("pages, each with its policy", [attempt(partial(_has_policy, app, it), what=it) for it in _PAGES])
        yield Row(
            "hostile text in queries and headers, not in the page",
            [attempt(partial(_not_reflected, app, text), what=repr(text[:60])) for text in texts],
        )
        yield Row("hostile text in each argument for programs", list(_arguments(app, texts)))
        yield Row("values of another kind, or none, for each argument", list(_kinds(app)))
        yield Row("zips of what was made, and of folders with odd files in them", list(_zips(app, place)))
        yield from _previews(app)
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_ARGUMENTS))
            yield Row("the page in use, from photo to deletion: nothing it needs is forbidden", [_in_use(browser, app)])
            ways = dict(list(WAYS.items())[:: 6 if quick else 1])
            yield Row("script and requests that the page's policy has to stop", list(_stopped(browser, app, ways)))
            yield Row("hostile names of photos", list(_named(browser, app, texts)))
            yield Row("hostile addresses, opened in the browser", list(_opened(browser, app, texts)))
            yield Row("the widget under strict policies", list(_widget(browser, place)))
            yield Row("the pages of the zip under strict policies", list(_zip_pages(browser, app, place)))
            browser.close()
        yield Row("faults of our own code in the app's log after all that", [attempt(partial(_quiet, app))])


# Requests.


def _announced(app: App) -> Iterator[Tried]:
    places = {"/gradio_api/upload": _PHOTO, "/gradio_api/upload?upload_id=x": _PHOTO}
    words = ("/", "/gradio_api/run/health", "/gradio_api/queue/join", "/gradio_api/call/generate", "/nothing")
    words += ("/gradio_api/cancel", "/gradio_api/run/predict", "/gradio_api/gaze/x/y", "/config", "/%2e%2e/upload")
    for path, most in {**places, **dict.fromkeys(words, _WORDS)}.items():
        for length in (most + 1, 10**9, 10**15, 10**30):
            yield attempt(partial(_refused_at_once, app, path, length), _QUICK, f"{path}, {length} bytes")


def _refused_at_once(app: App, path: str, length: int) -> str:
    """Nothing of the body is sent: an answer shows that it was not waited for."""
    started = time.monotonic()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    answer = _raw(app, f"{head}Content-Length: {length}\r\n\r\n".encode())
    if not answer.startswith((b"HTTP/1.1 413", b"HTTP/1.1 400")):
        raise FaultError(f"It says {answer[:80]!r}.")
    if (seconds := time.monotonic() - started) > 2:
        raise FaultError(f"It took {seconds:.1f} s.")
    return REFUSED


def _unannounced(app: App, place: Path) -> Iterator[Tried]:
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
    for path, most, start in (
        ("/gradio_api/upload", _PHOTO, part),
        ("/gradio_api/run/health", _WORDS, b'{"data": ["'),
        ("/gradio_api/queue/join", _WORDS, b'{"data": ["'),
        ("/gradio_api/call/preview", _WORDS, b'{"data": ["'),
    ):
        yield attempt(partial(_broken_off, app, place, path, most, start), _QUICK, path)


def _broken_off(app: App, place: Path, path: str, most: int, start: bytes) -> str:
    before = _resident(app)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    kind = "multipart/form-data; boundary=b" if start.startswith(b"--") else "application/json"
    block, sent, answer = b"a" * 2**16, 0, b""
    with socket.create_connection(_address(app), 10) as peer:
        peer.sendall(f"{head}Content-Type: {kind}\r\n\r\n{len(start):x}\r\n".encode() + start + b"\r\n")
        try:
            while sent < 3 * most + 2**25:
                peer.sendall(b"10000\r\n" + block + b"\r\n")
                sent += len(block)
            peer.sendall(b"0\r\n\r\n")
            answer = peer.recv(100)
        except OSError:
            pass  # it has hung up
    if answer.startswith(b"HTTP/1.1 2"):
        raise FaultError(f"{sent / 1e6:.0f} MB were taken.")
    time.sleep(1)
    if left := [it for it in place.glob("gaze-app-*/uploads/**/*") if it.is_file() and it.stat().st_size > most]:
        raise FaultError(f"{left} is left.")
    if (grown := _resident(app) - before) > 3 * _PHOTO / 1e6:
        raise FaultError(f"The app grew by {grown:.0f} MB.")
    return REFUSED


def _odd(app: App) -> Iterator[Tried]:
    lengths = ("-1", "+5", "1_0", "0x10", "١", "5, 6", "", " ", "1e3", "9" * 400, "5\r\nContent-Length: 6")
    requests = [
        f"POST /gradio_api/run/health HTTP/1.1\r\nHost: x\r\nContent-Length: {it}\r\n\r\n{{}}" for it in lengths
    ]
    both = "Transfer-Encoding: chunked\r\nContent-Length: 4"
    requests += [f"POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\n{both}\r\n\r\n0\r\n\r\n"]
    requests += [
        f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n" for method in ("TRACE", "PUT", "DELETE", "PATCH", "FOO", "get")
    ]
    requests += [
        f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in ("http://foreign.test/", "*", "//x", "/%", "/%ff%fe")
    ]
    requests += [f"GET / HTTP/1.1\r\nHost: x\r\n{name}: {'a' * 70_000}\r\n\r\n" for name in ("X-A", "Cookie", "Range")]
    requests += ["GET / HTTP/9.9\r\n\r\n", "\0" * 100, "GET /\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"]
    for request in requests:
        yield attempt(partial(_survives, app, request.encode()), _QUICK, repr(request[:120]))


def _survives(app: App, request: bytes) -> str:
    answer = _raw(app, request)
    if answer.startswith(b"HTTP/1.1 5"):
        raise FaultError(f"It says {answer[:80]!r}.")
    if _get(app, "/gradio_api/info")[0] != 200:
        raise FaultError("The app does not answer any more.")
    return "answered, or refused"


def _quiet(app: App) -> str:
    """Gradio's own complaints of requests that make no sense do not count."""
    log = app.log.read_text()
    if (place := log.find(f'File "{ROOT / "gaze"}')) >= 0:
        raise FaultError(log[place:][:4000][-1500:])
    return "none"


_PAGES = (
    "/",
    "/?x=1",
    "/?__theme=dark",
    "/?session=x",
    "/?view=api",
    "/nothing",
    "/gradio_api/docs",
    "/docs",
    "/login",
)


def _has_policy(app: App, path: str) -> str:
    status, headers, body = _get(app, path)
    if headers.get("Content-Type", "").startswith("text/html"):
        policy = headers.get("Content-Security-Policy", "")
        scripts = next((it for it in policy.split("; ") if it.startswith("script-src ")), "")
        if "'self'" not in scripts or "unsafe-inline" in scripts or " *" in policy or "http" in policy:
            raise FaultError(f"Its policy is “{policy}”.")
    elif body.lstrip()[:1] == b"<":
        raise FaultError(f"It looks like a page, and is called {headers.get('Content-Type')}.")
    if headers.get("X-Content-Type-Options") != "nosniff":
        raise FaultError("Browsers may guess what it is.")
    return "with a policy" if "Content-Security-Policy" in headers else f"no page ({status})"


def _not_reflected(app: App, text: str) -> str:
    odd = "".join(it for it in text if it.isprintable() and it.isascii()) or "<x>"
    ways = [(f"/?{name}={quote(text)}", {}) for name in ("session", "__theme", "view", "x", "__lang")]
    ways += [
        (f"/?{quote(text)}", {}),
        (f"/{quote(text, safe='')}", {}),
        (f"/gradio_api/gaze/{quote(text, safe='')}/x", {}),
    ]
    ways += [
        ("/", {name: odd})
        for name in ("Host", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Gradio-Server", "Referer", "Accept-Language")
    ]
    ways += [("/", {"X-Forwarded-For": odd}), ("/", {"X-Forwarded-Prefix": odd}), ("/", {"Cookie": f"a={odd}"})]
    for path, headers in ways:
        status, told, body = _get(app, path, headers)
        if status >= 500:
            raise FaultError(f"{path} {headers}: it ends in {status}.")
        html = told.get("Content-Type", "").startswith("text/html")
        if html and ("<" in text or "{{" in text) and (text.encode() in body or odd.encode() in body):
            raise FaultError(f"{path} {headers}: it stands in the page.")
        if WORKED_OUT.encode() in body:
            raise FaultError(f"{path} {headers}: a template was run.")
    return "text"


def _arguments(app: App, texts: tuple[str, ...]) -> Iterator[Tried]:
    client = Client(app.address, download_files=False, verbose=False)
    for text in texts:
        for name, arguments in (
            *(
                ("/generate", {"photo": handle_file(EXAMPLE), **_SMALL, it: text})
                for it in ("engine", "keys", "framing")
            ),
            *(("/generate", {"photo": handle_file(EXAMPLE), **_SMALL, it: text}) for it in ("video", "mode", "size")),
            ("/session", {"session": text}),
            ("/preview", {"photo": text}),
            ("/preview", {"photo": handle_file(EXAMPLE), "head": text}),
        ):
            yield _told(partial(client.predict, api_name=name, **arguments), f"{name} {text[:60]!r}")


def _kinds(app: App) -> Iterator[Tried]:
    """Values of other kinds than are wanted; what another run of the same client would do cannot be sent by it."""
    with httpx.Client(base_url=app.address, timeout=60) as here:
        photo = {"path": here.post("/gradio_api/upload", files={"files": ("a.jpg", EXAMPLE.read_bytes())}).json()[0]}
        photo["meta"] = {"_type": "gradio.FileData"}  # type: ignore[assignment]
        right = [
            photo,
            "warp",
            4,
            "auto",
            128,
            70,
            "auto",
            1,
            1,
            1,
            True,
            0,
            0,
            0,
            "none",
            False,
            False,
            "quadrants",
            4,
        ]
        right += [True, False, 0]
        odd = (
            "null",
            "NaN",
            "1e999",
            "-1e308",
            "1" + "0" * 30,
            '"x"',
            "[]",
            "{}",
            '["warp"]',
            '{"__type__": "update"}',
        )
        for place in range(1, len(right)):
            for value in odd:
                values = [value if number == place else json.dumps(it) for number, it in enumerate(right)]
                body = f'{{"data": [{", ".join(values)}]}}'
                yield attempt(partial(_says_why, here, body), _QUICK, f"argument {place}: {value}")


def _says_why(here: httpx.Client, body: str) -> str:
    asked = here.post("/gradio_api/call/generate", content=body, headers={"Content-Type": "application/json"})
    answer = here.get(f"/gradio_api/call/generate/{asked.json()['event_id']}").text
    if "event: error" in answer and '"title": "Not possible"' not in answer:
        raise FaultError(answer[-300:])
    return REFUSED if "event: error" in answer else "portrait"


def _told(ask: Callable[[], Any], what: str) -> Tried:
    started = time.monotonic()
    try:
        ask()
    except Exception as error:
        words = str(error)
        odd = "Traceback" in words or 'File "' in words or not words
        return Tried(FAULT if odd else "text", f"{what}: {words[:300]}", time.monotonic() - started)
    return Tried(FAULT, f"{what}: it is taken.", time.monotonic() - started)


def _zips(app: App, place: Path) -> Iterator[Tried]:
    client = Client(app.address, download_files=False, verbose=False)
    made = client.predict(photo=handle_file(EXAMPLE), api_name="/generate", **_SMALL)[0]
    folder = app.store / made["session"]
    yield attempt(partial(_checked_zip, app, made["zip"]), what="as made")
    odd = ["..\\evil.webp", "a\nb", "c:evil", ".evil", "evil..webp", "ü.webp", "evil.webp ", *TEXTS[:6]]
    for name in odd:
        path = folder / name.replace("/", "∕")
        path.write_bytes(b"secret")
        yield attempt(partial(_checked_zip, app, made["zip"]), what=repr(name))
        path.unlink()
    for target in ("/etc/passwd", app.store / ".key", place):
        (folder / "evil.webp").symlink_to(target)
        yield attempt(partial(_checked_zip, app, made["zip"]), what=f"a link to {target}")
        (folder / "evil.webp").unlink()
    os.mkfifo(folder / "evil.webp")
    yield attempt(partial(_checked_zip, app, made["zip"]), what="a pipe")


def _checked_zip(app: App, path: str) -> str:
    status, _, body = _get(app, f"/{path}")
    if status != 200:
        raise FaultError(f"It ends in {status}.")
    archive = zipfile.ZipFile(io.BytesIO(body))
    names = archive.namelist()
    if archive.testzip() or len(set(names)) != len(names):
        raise FaultError("It is damaged.")
    for entry in archive.infolist():
        start, _, name = entry.filename.partition("/")
        plain = start == "gaze-portrait" and name.replace(".", "").replace("-", "").replace("_", "").isalnum()
        if not plain or "evil" in name or entry.external_attr >> 16 & 0o777 != 0o644 or entry.external_attr >> 28:
            raise FaultError(f"It has {entry.filename!r}.")
    return "plain files in one folder"


def _previews(app: App) -> Iterator[Row]:
    """Photos that cannot be read: they count, and are refused quickly."""
    with httpx.Client(base_url=app.address) as here:
        answer = here.post("/gradio_api/upload", files={"files": ("a.jpg", b"no picture")})
        photo = {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}
        told = [_preview(here, photo, {"X-Forwarded-For": "203.0.113.5"}) for _ in range(_BURST + 30)]
        refused = [it for it in told if it == "too many"]
        right = told[:_BURST].count("too many") == 0 and len(refused) >= 10
        row = [Tried("taken" if it == "taken" else REFUSED, it) for it in told]
        yield Row("previews by one client, as fast as it can", row if right else [Tried(FAULT, f"{told}")])
        others = [_preview(here, photo, {"X-Forwarded-For": f"203.0.113.{it}"}) for it in range(10, 20)]
        ok = [Tried(it if it == "taken" else FAULT, it) for it in others]
        yield Row("previews by others at that moment, behind the same web server", ok)
        started, left = time.monotonic(), 30
        while _preview(here, photo, {"X-Forwarded-For": "203.0.113.5"}) == "taken" and (left := left - 1):
            pass
        spoofed = [f"198.51.100.{it}, 203.0.113.5, 10.0.0.1" for it in range(30)]
        tries = [_preview(here, photo, {"X-Forwarded-For": it}) for it in spoofed]
        most = time.monotonic() - started + 1  # one comes back each second
        row = [Tried("taken" if it == "taken" else REFUSED, it) for it in tries]
        right = left and tries.count("taken") <= most
        yield Row(
            "previews by that client under addresses that it makes up", row if right else [Tried(FAULT, f"{tries}")]
        )


def _preview(here: httpx.Client, photo: dict[str, Any], headers: dict[str, str]) -> str:
    data = {"data": [photo, 1, 1, 1, True, 0]}
    event = here.post("/gradio_api/call/preview", json=data, headers=headers).json()["event_id"]
    answer = here.get(f"/gradio_api/call/preview/{event}", headers=headers, timeout=60).text
    return "too many" if "many previews" in answer else "taken" if "no picture that can be read" in answer else answer


def _address(app: App) -> tuple[str, int]:
    parts = urlsplit(app.address)
    return str(parts.hostname), int(parts.port or 80)


def _raw(app: App, request: bytes) -> bytes:
    """The beginning of what is answered; nothing where the app hangs up."""
    with socket.create_connection(_address(app), 10) as peer:
        try:
            peer.sendall(request)
            peer.settimeout(5)
            return peer.recv(200)
        except TimeoutError:
            return b""  # it waits for more
        except OSError:
            return b""


def _get(app: App, path: str, headers: dict[str, str] | None = None) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(*_address(app), timeout=20)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def _resident(app: App) -> float:
    return int(Path(f"/proc/{app.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


# In Chromium.

_WATCH = """window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));"""
_LOADED = "document.querySelector('gaze-tracker')?.loaded"


def _page(browser: Any, asked: list[str] | None = None) -> Any:
    """A page that keeps what its policy forbade; what it asks for elsewhere is answered, with harm, and kept."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.set_default_timeout(60_000)
    page.add_init_script(_WATCH)

    def answer(route: Any) -> None:
        if asked is not None:
            asked.append(route.request.url)
        route.fulfill(
            body="window.hacked = 1", content_type="text/javascript", headers={"Access-Control-Allow-Origin": "*"}
        )

    page.route(f"{FOREIGN}/**", answer)
    return page


def _in_use(browser: Any, app: App) -> Tried:
    page, started = _page(browser), time.monotonic()
    page.goto(app.address)
    page.wait_for_function(_LOADED)
    page.get_by_role("button", name="Example 1").click()
    page.get_by_text("A quick preview").wait_for()
    page.get_by_role("button", name="Options").click()
    page.locator("fieldset", has_text="Grid size").get_by_label("10", exact=True).check()
    page.get_by_role("button", name="Generate").click()
    page.get_by_role("button", name="Copy link").wait_for()
    page.get_by_role("button", name="Portrait 1, open").click()
    page.get_by_text("Your portrait.").wait_for()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("Deleted for good").wait_for()
    forbidden = page.evaluate("violations")
    page.context.close()
    return Tried(FAULT if forbidden else "works", f"Forbidden: {forbidden}", time.monotonic() - started)


def _stopped(browser: Any, app: App, ways: dict[str, str]) -> Iterator[Tried]:
    for name, way in ways.items():
        free = _acts(browser, "http://free.test/", way)
        held = _acts(browser, app.address, way)
        if not free:
            yield Tried(FAULT, f"{name}: it does nothing on a page without a policy either.")
        else:
            yield Tried(FAULT if held else "stopped", name)


def _acts(browser: Any, address: str, way: str) -> bool:
    """Whether it ran, or asked elsewhere."""
    asked: list[str] = []
    page = _page(browser, asked)
    page.route(
        "http://free.test/**", lambda route: route.fulfill(body="<!doctype html><body>", content_type="text/html")
    )
    page.goto(address)
    if "free.test" not in address:
        page.wait_for_function(_LOADED)
    page.evaluate(f"() => {{ try {{ {way} }} catch {{}} }}")
    page.wait_for_timeout(400)
    acted = bool(asked) or page.evaluate("window.hacked !== undefined")
    page.context.close()
    return acted


def _named(browser: Any, app: App, texts: tuple[str, ...]) -> Iterator[Tried]:
    page = _page(browser)
    page.goto(app.address)
    page.wait_for_function(_LOADED)
    for number, text in enumerate(texts):
        name = f"{text[:200]}.jpg"
        data = EXAMPLE.read_bytes() if number % 6 == 0 else b"no picture"
        page.locator("input[type=file]").first.set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": data})
        said = "A quick preview" if number % 6 == 0 else "no picture that can be read"
        try:
            page.get_by_text(said).first.wait_for(timeout=20_000)
        except Exception:
            shown = page.locator("body").inner_text()[:600]
            yield Tried(FAULT, f"{name!r}: nothing is said. The page shows: {shown}")
            continue
        yield _harmless(page, repr(name))
        page.get_by_role("button", name="Example 1").click()
        page.get_by_text("no picture that can be read").wait_for(state="detached")
        page.get_by_text("A quick preview").wait_for()
    page.context.close()


def _opened(browser: Any, app: App, texts: tuple[str, ...]) -> Iterator[Tried]:
    page = _page(browser)
    for text in texts:
        it = quote(text)
        page.goto(f"{app.address}/?session={it}&__theme={it}&view={it}&{it}={it}#{it}")
        page.wait_for_function(_LOADED)
        page.get_by_text("not there any more").wait_for()
        yield _harmless(page, repr(text[:60]))
    page.context.close()


def _harmless(page: Any, what: str) -> Tried:
    page.wait_for_timeout(100)
    hacked = page.evaluate("window.hacked !== undefined || 'polluted' in {}")
    hacked = hacked or WORKED_OUT in page.locator("body").inner_text()
    marks = page.locator(MARKS).count()
    return Tried(FAULT if hacked or marks else "text", f"{what}: script {hacked}, markup {marks}")


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


def _widget(browser: Any, place: Path) -> Iterator[Tried]:
    (place / "portrait").mkdir()
    metadata, pack, others = make_portrait(place / "portrait")
    files = {f"portrait/{name}": data for name, data in {**others, PACK: pack}.items()}
    files |= {
        WIDGET.name: WIDGET.read_bytes(),
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


def _zip_pages(browser: Any, app: App, place: Path) -> Iterator[Tried]:
    client = Client(app.address, download_files=False, verbose=False)
    made = client.predict(photo=handle_file(EXAMPLE), api_name="/generate", **{**_SMALL, "size": 10})[0]
    archive = zipfile.ZipFile(io.BytesIO(_get(app, f"/{made['zip']}")[2]))
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
    page = _page(browser)
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
