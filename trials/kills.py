"""The app is killed (kill -9) and started again. Every portrait listed then has to pass `python -m gaze check`, no
finished one may be missing, and the store and the temporary folder may hold nothing else.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from gaze.options import Options
from gaze.output.bundle import INPUT, SCRIPT
from gaze.output.metadata import METADATA
from gaze.output.pack import PACK
from gaze.output.sprites import POSTER
from gaze.output.validator import check
from gaze.pipeline.making import generate
from gaze.storage.owners import SECRET
from gaze.storage.sessions import SessionStore
from tests.serving import App, serving
from trials.corpus import EXAMPLE
from trials.trying import FaultError, Row, Size, Tried, attempt

_RUN = {"size": 20, "frame_size": 160, "engine": "warp", "sheets": True, "sheet_size": 160}
_ASK = f"""
import sys, time
from gradio_client import Client, handle_file
client = Client(sys.argv[1], download_files=False, verbose=False)
client.submit(photo=handle_file(sys.argv[2]), api_name="/generate", **{_RUN})
print(flush=True)
time.sleep(60)
"""
_REMOVE = """
import sys, pathlib, gaze.storage.sessions
store = gaze.storage.sessions.SessionStore(pathlib.Path(sys.argv[1]), 3600)
print(flush=True)
store.expire()
for session in sys.argv[2:]:
    store.delete(session)
print(flush=True)
"""
_PATIENCE = 60.0
FILES = (POSTER, PACK, INPUT, SCRIPT, "gaze.pack.js", "standalone.html", METADATA, "q0.webp", "q3.webp")
"""In the order in which a run writes them."""


def rows(size: Size) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with Trial(place) as trial:
            yield from _kills(trial, size)
    with tempfile.TemporaryDirectory() as folder:
        made = generate(EXAMPLE, Path(folder) / "made", Options(engine="warp", size=10, frame_size=128)).folder
        for what, old in (("while 40 portraits are deleted", False), ("while 40 portraits expire", True)):
            yield Row(what, list(_removals(Path(folder), made, old, size.of(5, 50))))


def _kills(trial: Trial, size: Size) -> Iterator[Row]:
    for _ in range(2):
        trial.finish_one()
    yield Row("at a random moment of a run, or shortly after", list(trial.spread(size.of(3, 20))))
    files = size.of(FILES[1::4], [*FILES, ""])
    yield Row("when a certain file appears, or the whole portrait", list(trial.aimed(files, size.of(1, 2))))
    yield Row("while the app starts, and removes what the last one left", list(trial.starting(size.of(2, 10))))


class Trial:
    """Runs that are interrupted, one after the other, in one store.

    Args:
        place: of the store and of what is temporary.
        end: the signal that ends the app.
    """

    def __init__(self, place: Path, end: signal.Signals = signal.SIGKILL) -> None:
        self._place, self._store, self._end = place, SessionStore(place / "store"), end
        self._chance = random.Random(9)
        self._seconds = 0.0
        self._stack = ExitStack()
        self._running: App | None = None

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def finish_one(self) -> None:
        """A whole run of an app that was just started, which tells how long one takes."""
        self._stop()
        with _asking(self._app()) as started:
            before = set(self._store.sessions())
            _until(lambda: set(self._store.sessions()) - before)
            self._seconds = time.monotonic() - started

    def spread(self, times: int) -> Iterator[Tried]:
        for number in range(times):
            moment = (number + self._chance.random()) / times * 1.25 * self._seconds
            yield self._interrupted(partial(time.sleep, moment), f"{moment:.2f} of {self._seconds:.2f} s")

    def aimed(self, files: Sequence[str], times: int) -> Iterator[Tried]:
        for name in [name for name in files for _ in range(times)]:
            yield self._interrupted(partial(self._wait_for, name), name)

    def starting(self, times: int) -> Iterator[Tried]:
        self._stop()
        started = time.monotonic()
        with serving(self._place):
            seconds = time.monotonic() - started
        for number in range(times):
            (left := self._store.root / f".draft-left-{number}").mkdir()
            (left / PACK).write_bytes(bytes(1000))
            (self._place / f"gaze-app-left-{number}").mkdir()
            before = set(self._store.sessions())
            settings = {**os.environ, "TMPDIR": str(self._place), "GAZE_STORE": str(self._store.root)}
            with (self._place / "log").open("w") as log:
                app = subprocess.Popen(
                    [sys.executable, "app.py"], env={**settings, "GRADIO_SERVER_PORT": "0"}, stdout=log, stderr=log
                )
                time.sleep((number + self._chance.random()) / times * seconds)
                app.kill()
                app.wait()
            yield self._after_restart(before, "start")
            self._stop()

    def _app(self) -> App:
        """The one that runs; a new one if there is none."""
        self._running = self._running or self._stack.enter_context(serving(self._place))
        return self._running

    def _stop(self) -> None:
        self._stack.close()
        self._running = None

    def _interrupted(self, wait: Callable[[], object], what: str) -> Tried:
        app, before = self._app(), set(self._store.sessions())
        with _asking(app):
            wait()
            app.process.send_signal(self._end)
            app.process.wait(30)
        self._stop()
        if self._end != signal.SIGKILL:  # whoever is asked to end tidies up itself
            return attempt(partial(_whole, self._place, self._store, before, 0), what=what)
        return self._after_restart(before, what)

    def _wait_for(self, name: str) -> None:
        before = {path.name for path in self._store.root.iterdir()}

        def there() -> bool:
            for folder in self._store.root.iterdir():
                if folder.name not in before:
                    if name and (folder / name).exists():
                        return True
                    if not name and not folder.name.startswith("."):
                        return True
            return False

        _until(there)

    def _after_restart(self, before: set[str], what: str) -> Tried:
        self._app()
        return attempt(partial(_whole, self._place, self._store, before), what=what)


class _asking:  # noqa: N801 - a context manager, as a function would be
    """A program that asks for a portrait, and is killed in the end; gives the moment at which it had asked."""

    def __init__(self, app: App) -> None:
        command = [sys.executable, "-c", _ASK, app.address, str(EXAMPLE)]
        self._client = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def __enter__(self) -> float:
        assert self._client.stdout
        self._client.stdout.readline()
        return time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._client.kill()
        self._client.communicate()


def _until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError("The run does not come so far.")
        time.sleep(0.0005)


def _whole(place: Path, store: SessionStore, before: set[str], running: int = 1) -> str:
    now = _checked(store)
    if lost := before - now:
        raise FaultError(f"{lost} is lost.")
    files = [path for path in place.rglob("*") if path.is_file() and not path.is_relative_to(store.root)]
    ours = place / "log"
    if left := {str(path) for path in files if path != ours and "examples" not in path.parts}:  # made by the new start
        raise FaultError(f"{left} is left.")
    if len(list(place.glob("gaze-app-*"))) > running:
        raise FaultError("A temporary folder is left.")
    return "the portrait is whole" if now - before else "nothing is left of it"


def _checked(store: SessionStore) -> set[str]:
    """All that is listed, which is whole, and alone in the store."""
    sessions = store.sessions()
    for session in sessions:
        if problems := check(store.folder(session)):
            raise FaultError(f"{session}: {problems[0]}")
    if left := {path.name for path in store.root.iterdir()} - {SECRET, *sessions}:
        raise FaultError(f"{left} is left in the store.")
    return set(sessions)


def _removals(place: Path, made: Path, old: bool, times: int) -> Iterator[Tried]:
    chance, seconds = random.Random(10), 0.0
    for number in range(times + 1):
        store = SessionStore(place / "store", 3600)
        store.check()
        gone = [_copy(made, store, old) for _ in range(40)]
        kept = {_copy(made, store, False) for _ in range(3)}
        command = [sys.executable, "-c", _REMOVE, str(store.root), *([] if old else gone)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
            assert program.stdout
            program.stdout.readline()
            started = time.monotonic()
            if number:
                time.sleep((number - 1 + chance.random()) / times * seconds)
                program.kill()
            else:
                program.stdout.readline()
                seconds = time.monotonic() - started
        if number:
            yield attempt(partial(_removed, store, kept, set(gone), old))
        shutil.rmtree(store.root)


def _copy(made: Path, store: SessionStore, old: bool) -> str:
    folder = store.new()
    shutil.copytree(made, folder, copy_function=os.link)
    os.utime(folder, (0, 0) if old else None)
    return folder.name


def _removed(store: SessionStore, kept: set[str], gone: set[str], old: bool) -> str:
    store.check()
    now = _checked(store)
    if lost := kept - now:
        raise FaultError(f"{lost} is lost.")
    if old and now != kept:
        raise FaultError("Some that are too old are left after the start.")
    return "all are gone, or go at the start" if old else "each is whole, or gone" if now > kept else "all are gone"
