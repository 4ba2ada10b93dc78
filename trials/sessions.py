"""Attacks on stored portraits, over a bare socket, so that nothing corrects the paths. "404" means any refusal that
gives nothing away.
"""

from __future__ import annotations

import http.client
import io
import os
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

from gradio_client import Client, handle_file

from gaze.options import Options
from gaze.output.bundle import write_zip
from gaze.output.validator import check
from gaze.pipeline.making import generate
from gaze.storage.publishing import publishing
from gaze.storage.sessions import SessionStore
from tests.serving import App, serving
from trials.corpus import EXAMPLE
from trials.trying import FaultError, Row, Size, Tried, attempt

_SMALL = {"size": 10, "frame_size": 128, "engine": "warp"}
_SECRET = b"the weights of a network"


def rows(size: Size) -> Iterator[Row]:
    yield Row("100,000 ids", [attempt(_ids)])
    with tempfile.TemporaryDirectory() as place:
        yield from _served(Path(place), size.of(5, 40))
        races = range(size.of(10, 200))
        yield Row("four tabs that delete at once", [attempt(partial(_race, Path(place) / f"r{n}")) for n in races])
        jumps = [seconds * sign for seconds in (1, 3600, 86400, 10**7, 10**9) for sign in (-1, 1)]
        yield Row("clocks that jump, by a second to thirty years", [attempt(partial(_jump, it)) for it in jumps])
        full = Path(place) / "full"
        full.mkdir()
        sizes = [16 * 2**number for number in range(0, 15, size.of(4, 1))]
        tries = [attempt(partial(_fill, full, size), what=f"{size} kB") for size in sizes]
        yield Row("disks of 16 kB to 256 MB", tries)


def _ids() -> str:
    store = SessionStore(Path("/nonexistent"))
    ids = {store.new().name for _ in range(100_000)}
    bits = [sum(int(session, 16) >> bit & 1 for session in ids) for bit in range(128)]
    if len(ids) < 100_000 or not all(abs(ones - 50_000) < 1000 for ones in bits):
        raise FaultError("They repeat, or some of their bits do.")
    return "all differ, and each of 128 bits is random"


def _served(place: Path, times: int) -> Iterator[Row]:
    weights = place / "weights"
    weights.mkdir()
    (weights / "spade_generator.pth").write_bytes(_SECRET)
    with serving(place, GAZE_WEIGHTS=str(weights)) as app:
        client = Client(app.address, download_files=False, verbose=False)
        session = client.predict(photo=handle_file(EXAMPLE), api_name="/generate", **_SMALL)[0]["session"]
        other = client.predict(photo=handle_file(EXAMPLE), api_name="/generate", **_SMALL)[0]["session"]
        store = SessionStore(place / "store")
        folder = store.folder(session)
        (folder / "link.webp").symlink_to(weights / "spade_generator.pth")
        (store.root / ("a" * 32)).symlink_to(weights)
        secrets = [_SECRET, (store.root / ".key").read_bytes(), (folder / "input.jpg").read_bytes()]
        if _get(app, f"/gradio_api/gaze/{session}/poster.webp")[0] != 200:
            raise FaultError("What may be had is not served either.")

        def asking(paths: list[str]) -> list[Tried]:
            return [attempt(partial(_ask, app, path, secrets), what=path) for path in paths]

        root = "/gradio_api/gaze"
        targets = [".key", "input.jpg", "keys.zip", "../.key", f"../{other}/input.jpg"]
        targets += ["../../weights/spade_generator.pth"]
        targets += ["index.html", "gaze-tracker.js", "link.webp", f"{folder}/input.jpg", "POSTER.WEBP", "poster.webp\0"]
        ways = [f"{root}/{session}/{it}" for name in targets for it in _spellings(name)]
        ways += [f"{root}/{it}" for name in ("..", ".key", "a" * 32, session.upper()) for it in _spellings(name)]
        ways += [f"{root}/{'a' * 32}/spade_generator.pth", f"{root}/{'a' * 32}/metadata.json", f"{root}/..%2f/.key"]
        yield Row("paths that lead out of a session", asking(ways))
        files = [store.root / ".key", folder / "input.jpg", folder / "poster.webp", folder, store.root, Path("app.py")]
        files += [weights / "spade_generator.pth", Path("/etc/passwd"), *place.glob("gaze-app-*/previews/*/input.jpg")]
        doors = ("file=", "file/", "static/", "proxy=", "custom_component/", "stream/")
        names = [it for path in files for it in _spellings(str(path.resolve()))]
        ways = [f"/gradio_api/{door}{name}" for door in doors for name in names]
        yield Row("Gradio's own routes to the store, the photo, the weights", asking(ways))
        made = store.folder(other)
        races = [attempt(partial(_asked_meanwhile, app, store, made, pause / 1000)) for pause in range(times)]
        yield Row("files and zips asked for while the portrait is deleted", races)
        old = time.time() - 8 * 86400
        os.utime(store.root / other, (old, old))
        yield Row("a session that was deleted, one that expired", [attempt(partial(_gone, app, store, session, other))])


def _spellings(path: str) -> Iterator[str]:
    yield from (path, quote(path, safe=""), quote(quote(path, safe=""), safe=""), path.replace("/", "\\"))
    yield from (path.replace(".", "%2e"), path.replace("..", "....//"), f"./{path}", f"{path}%00.webp", f"{path}/.")


def _get(app: App, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(app.address).netloc, timeout=20)
    try:
        # As it is, but for what cannot stand in a request at all.
        connection._validate_path = lambda _: None  # type: ignore[attr-defined]
        connection.putrequest("GET", path.replace("\0", "%00").replace(" ", "%20"))
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _ask(app: App, path: str, secrets: list[bytes]) -> str:
    status, body = _get(app, path)
    if any(secret in body for secret in secrets):
        raise FaultError("It is served.")
    if status == 200 and b"<gradio-app" not in body:
        raise FaultError(f"Something is served: {body[:80]!r}")
    if status >= 500:
        raise FaultError(f"It ends in {status}.")
    return "the page itself" if status == 200 else "404"


def _asked_meanwhile(app: App, store: SessionStore, made: Path, pause: float) -> str:
    folder = store.new()
    shutil.copytree(made, folder)
    names = ("gaze.pack", "poster.webp", "metadata.json", "q0.webp", "gaze-portrait.zip") * 3
    write_zip(made, zipped := io.BytesIO())
    names_of_zip = _names(zipped)
    with ThreadPoolExecutor(len(names)) as visitors:
        asked = [visitors.submit(_get, app, f"/gradio_api/gaze/{folder.name}/{name}") for name in names]
        time.sleep(pause)
        store.delete(folder.name)
        for name, (status, body) in zip(names, [it.result() for it in asked], strict=True):
            if status == 200 and name.endswith(".zip"):
                whole = _names(io.BytesIO(body)) == names_of_zip
            else:
                whole = status == 404 or (status == 200 and body == (made / name).read_bytes())
            if not whole:
                raise FaultError(f"{name}: {status}, {body[:80]!r}")
    return "whole, or 404"


def _names(zipped: io.BytesIO) -> list[str]:
    return zipfile.ZipFile(zipped).namelist()


def _gone(app: App, store: SessionStore, deleted: str, expired: str) -> str:
    store.delete_owned(deleted, store.secret(deleted))
    store.check()
    for session in (deleted, expired):
        if _get(app, f"/gradio_api/gaze/{session}/poster.webp")[0] != 404 or (store.root / session).exists():
            raise FaultError(f"{session} is still there.")
    return "gone from disk, and 404"


def _race(place: Path) -> str:
    store = SessionStore(place)
    session = _finished(store)
    secret = store.secret(session)
    with ThreadPoolExecutor(4) as tabs:
        for done in [tabs.submit(store.delete_owned, session, secret) for _ in range(4)]:
            done.result()
    if left := [path.name for path in place.iterdir() if path.name != ".key"]:
        raise FaultError(f"{left} is left.")
    return "gone, without an error"


def _jump(seconds: float) -> str:
    """The clock was `seconds` ahead when a session was made; another is being made meanwhile."""
    with tempfile.TemporaryDirectory() as place:
        store = SessionStore(Path(place))
        session = _finished(store)
        moment = time.time() + seconds
        os.utime(store.root / session, (moment, moment))
        with publishing(store.root / ("f" * 32)) as draft:
            os.utime(draft, (moment, moment))
            store.expire()
            if not draft.exists():
                raise FaultError("A run lost its folder.")
            (draft / "metadata.json").write_text("{}")
        if seconds > 0 and (store.root / session).stat().st_mtime > time.time() + 60:
            raise FaultError("It would be kept for longer than was promised.")
        return "kept" if store.has(session) else "expired"


def _finished(store: SessionStore) -> str:
    folder = store.new()
    with publishing(folder) as draft:
        for number in range(10):
            (draft / f"{number}.webp").write_bytes(bytes(10_000))
        (draft / "metadata.json").write_text("{}")
    return folder.name


def _mount(place: Path, kilobytes: int) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(place)]
    return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0


def _fill(place: Path, kilobytes: int) -> str:
    if not _mount(place, kilobytes):
        raise FaultError("The disk could not be made: only root may mount one.")
    try:
        store = SessionStore(place / "store")
        try:
            store.check()
            generate(EXAMPLE, store.new(), Options(engine="warp", size=10, frame_size=256))
            return "portrait"
        finally:
            whole = all(check(store.folder(session)) == [] for session in store.sessions())
            if not whole or {path.name for path in store.root.glob("*")} - {".key", *store.sessions()}:
                raise FaultError("Something unfinished is left.")
    finally:
        subprocess.run(["umount", place], check=True)
