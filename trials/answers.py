"""Bad answers from another Gaze (`--remote`). Each has to end in a portrait, or in a refusal that names no path of
this machine, and leave nothing behind. Limits on bytes are a sixteenth of the usual ones.
"""

from __future__ import annotations

import inspect
import io
import itertools
import json
import stat
import tempfile
import threading
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr

from gaze.errors import GazeError
from gaze.options import Options
from gaze.output.bundle import write_zip
from gaze.pipeline.making import generate
from gaze.progress import Progress
from gaze.remote import fetching
from gaze.remote.fetching import fetch, unpack
from gaze.storage.sessions import SessionStore
from gaze.ui.api import Api
from gaze.ui.endpoints import add_endpoints
from gaze.ui.queue import Queue
from trials.corpus import EXAMPLE, flipped, truncated
from trials.trying import FaultError, Row, Size, Tried, attempt_here

_SMALL = Options(engine="warp", size=4, frame_size=128, sheets=False)
_STEP = {"stage": "render", "done": 1, "total": 9, "message": "Rendering frame 1 of 9", "remaining": 1.5}
_ODD: tuple[Any, ...] = (
    None,
    7,
    -1e308,
    "text",
    "x" * 10**6,
    [],
    [[[]]],
    {},
    {"stage": "render"},
    True,
    {"a": {"b": [1] * 1000}},
)


def rows(size: Size) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, _liar(Path(folder)) as liar:
        made = generate(EXAMPLE, Path(folder) / "made", _SMALL).folder
        good = Path(folder) / "good.zip"
        write_zip(made, good, sheets=False)
        whole = good.read_bytes()
        tried = partial(_tried, liar, Path(folder))
        few = slice(None, None, size.of(4, 1))
        yield Row("an answer as it should be", [tried("whole", [_STEP], {}, whole)])
        steps = [{**_STEP, name: odd} for name in _STEP for odd in _ODD] + list(_ODD)
        yield Row("steps of other kinds", [tried(repr(step)[:60], [step], {}, whole) for step in steps[few]])
        unending = itertools.cycle({**_STEP, "message": letter * 100_000} for letter in "ab")
        yield Row("steps without end", [tried("endless", unending, {}, whole)])
        manifests = [{name: odd} for name in ("reason", "notes", "stage") for odd in _ODD] + list(_ODD)
        yield Row("manifests of other kinds", [tried(repr(it)[:60], [], it, whole) for it in manifests[few]])
        yield Row("no zip", [tried("none", [], {}, None)])
        yield Row("zips cut off at every 5 %", [_unpacked(f"part {n}", it) for n, it in enumerate(truncated(whole))])
        seeds = range(size.of(20, 1000))
        yield Row("zips with bits flipped", [_unpacked(f"seed {seed}", flipped(whole, seed)) for seed in seeds])
        yield Row("zips that are odd", [_unpacked(what, data) for what, data in _zips(made)])
        yield Row("metadata.json with odd values", [_unpacked(what, data) for what, data in _metadata(made)])
        endless = [attempt_here(partial(_endless, Path(folder), kind), kind) for kind in ("told", "untold")]
        yield Row("zips without end", endless)


class _Liar(Api):
    """Answers what it is told to."""

    steps: Iterable[Any]
    manifest: Any
    zip: Path | None

    def generate(self, *arguments: Any) -> Iterator[tuple[Any, str | None]]:
        for step in self.steps:
            yield step, None
        yield self.manifest, str(self.zip) if self.zip else None


_Liar.generate.__signature__ = inspect.signature(Api.generate)  # type: ignore[attr-defined]


@contextmanager
def _liar(folder: Path) -> Iterator[tuple[_Liar, str]]:
    """It, and where it answers; with limits of less."""
    store, most = SessionStore(folder / "store"), fetching.MOST
    with gr.Blocks() as page:
        add_endpoints(liar := _Liar(store, store, Queue()))
    page.launch(prevent_thread_lock=True, quiet=True, allowed_paths=[str(folder)])
    fetching.MOST = most // 16
    try:
        yield liar, page.local_url
    finally:
        fetching.MOST = most
        page.close()


def _tried(
    it: tuple[_Liar, str], folder: Path, what: str, steps: Iterable[Any], manifest: Any, data: bytes | None
) -> Tried:
    liar, address = it
    liar.steps, liar.manifest, liar.zip = steps, manifest, folder / "answer.zip" if data is not None else None
    if liar.zip:
        liar.zip.write_bytes(data or b"")

    def act() -> str:
        with tempfile.TemporaryDirectory() as place, _naming_none(place, str(folder)):
            told: list[Progress] = []
            try:
                generate(EXAMPLE, Path(place) / "out", Options(**{**vars(_SMALL), "remote": address}), told.append)
            except GazeError as error:
                if list(Path(place).iterdir()):
                    raise FaultError("Something is left.") from error
                raise
            if any(len(step.message) > 2000 for step in told):
                raise FaultError("It tells a person more than anybody reads.")
            return "portrait"

    return attempt_here(act, what)


def _unpacked(what: str, data: bytes) -> Tried:
    """What becomes of a zip, once it is here."""

    def act() -> str:
        with tempfile.TemporaryDirectory() as place, _naming_none(place):
            (archive := Path(place) / "zip").write_bytes(data)
            (out := Path(place) / "out").mkdir()
            unpack(archive, "there", out)
            if {path.suffix for path in Path(place).rglob("*.*")} - {".pack", ".webp", ".json"}:
                raise FaultError("More was unpacked than a portrait's files.")
            return "portrait"

    return attempt_here(act, what)


@contextmanager
def _naming_none(*places: str) -> Iterator[None]:
    """See to it that no refusal names one of these places."""
    try:
        yield
    except GazeError as error:
        if any(place in str(error) for place in places):
            raise FaultError(f"It names a path: {error}") from error
        raise


def _zips(made: Path) -> Iterator[tuple[str, bytes]]:
    files = {f"gaze-portrait/{path.name}": path.read_bytes() for path in made.iterdir() if path.suffix != ".jpg"}
    pack = "gaze-portrait/gaze.pack"
    yield "none", b""
    yield "no zip", b"<html>"
    yield "empty", _zip({})
    yield "without a pack", _zip({name: data for name, data in files.items() if name != pack})
    yield (
        "with paths",
        _zip({**files, "gaze-portrait/../../evil.webp": b"x", "/etc/evil.webp": b"x", "..\\x.webp": b"x"}),
    )
    for name in ("gaze.pack", "stills.pack"):
        large = (made / name).read_bytes().replace(b"RIFF", b"RIFX")
        yield f"whose {name} has other pictures", _zip({**files, f"gaze-portrait/{name}": large})
    yield "with another portrait's stills", _zip({**files, "gaze-portrait/stills.pack": files[pack]})
    yield "with pages", _zip({**files, "gaze-portrait/evil.html": b"<script>", "gaze-portrait/.key": b"x" * 32})
    yield "of many files", _zip({**files, **{f"{number}": b"" for number in range(5000)}})
    yield "that unpacks to much", _zip({**files, pack: bytes(2 * fetching.MOST)})
    whole = _zip(files)
    for what, places in {
        "encrypted": ((b"PK\3\4", 6, 1), (b"PK\1\2", 8, 1)),
        "of another compression": ((b"PK\3\4", 8, 99), (b"PK\1\2", 10, 99)),
        "that says less of its size": ((b"PK\1\2", 24, 1),),
    }.items():
        spoilt = bytearray(whole)
        for mark, place, value in places:
            spoilt[spoilt.index(mark) + place] = value
        yield what, bytes(spoilt)
    link = zipfile.ZipInfo(pack)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    yield "with a link", _zip({name: data for name, data in files.items() if name != pack}, (link, b"/etc/passwd"))
    yield "with a file twice", _zip(files, (zipfile.ZipInfo(pack), b"x"))


def _metadata(made: Path) -> Iterator[tuple[str, bytes]]:
    files = {f"gaze-portrait/{path.name}": path.read_bytes() for path in made.iterdir() if path.suffix != ".jpg"}
    plain = json.loads((made / "metadata.json").read_text())
    values: tuple[Any, ...] = (
        None,
        -1,
        10**30,
        1e308,
        "../../x.webp",
        "/etc/passwd",
        "<script>",
        [],
        {},
        ["a"] * 10_000,
    )
    for name in plain:
        for value in values:
            text = json.dumps({**plain, name: value}).encode()
            yield f"{name}: {value!r}"[:60], _zip({**files, "gaze-portrait/metadata.json": text})


def _zip(files: dict[str, bytes], *more: tuple[zipfile.ZipInfo, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for entry, content in more:
            archive.writestr(entry, content)
    return data.getvalue()


def _endless(folder: Path, kind: str) -> str:
    class Endless(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            if kind == "told":
                self.send_header("Content-Length", str(10**12))
            self.end_headers()
            with suppress(OSError):
                while True:
                    self.wfile.write(bytes(2**16))

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client: Any = SimpleNamespace(src_prefixed=f"http://127.0.0.1:{server.server_port}/", headers={}, cookies={})
    try:
        for _ in fetch(client, "it", "x", folder / "endless"):
            pass
    finally:
        server.shutdown()
        if (folder / "endless").stat().st_size > 2 * fetching.MOST:
            raise FaultError("More was fetched than may be.")
    return "fetched"
