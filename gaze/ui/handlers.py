"""What the app answers to the page. Every answer is plain JSON; a problem is an answer, too."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import gradio as gr

from gaze.engines.base import choose_engine
from gaze.errors import DoubtfulFaceError, GazeError, PhotoError
from gaze.face.detection import clear_faces
from gaze.options import PREVIEW, Options
from gaze.output.bundle import KEPT
from gaze.photo.portrait import load_portrait
from gaze.pipeline import generate, run
from gaze.progress import Progress, Result
from gaze.remote.client import HANDED_ON
from gaze.storage.sessions import SessionStore
from gaze.ui import components as ui
from gaze.ui.eta import Pace, Seconds
from gaze.ui.jobs import UNEXPECTED, Job, Jobs, State
from gaze.ui.limit import Limit, client_of
from gaze.ui.messages import Ask, Choice, Make, Mine, Own, Photo, Running, Session, Sharing, read
from gaze.ui.queue import Line
from gaze.ui.share import MOST_CAPTION, Share, read_share, write_share

Answer = dict[str, Any]
"""JSON for the page; `problem` holds a title and a text where something could not be done."""
_PREVIEWED = ("strengths", "straighten", "framing", "face", "anyway", "remove_background")
"""Options that the preview shows; its frames, its grid and its engine are its own."""
_STAGE = 384
"""Pixels of a preview: as sharp as the stage of a phone needs, and still there in about a second."""
_log = logging.getLogger(__name__)


def example_photos() -> list[Path]:
    """The example portraits that come with the project."""
    return sorted(Path(str(files("gaze.ui") / "examples")).glob("*.jpg"))


class _GoneError(PhotoError):
    """A photo that was uploaded is not there any more."""


class Handlers:
    """Each public method answers one kind of message.

    Args:
        results: where finished portraits are kept.
        previews: where previews are kept for an hour.
        examples: where the living example is kept.
        line: those who wait for their portraits, programs included.
        limit: of previews.
        remote: as in `gaze.options.Options`; previews are made here nevertheless.
    """

    def __init__(
        self,
        results: SessionStore,
        previews: SessionStore,
        examples: SessionStore,
        line: Line,
        limit: Limit | None = None,
        remote: str | None = None,
    ) -> None:
        self._results, self._previews, self._examples = results, previews, examples
        self._limit, self._remote = limit or Limit(), remote
        self._pace = Pace()
        self.jobs = Jobs(line, self._pace)
        self._looking = threading.BoundedSemaphore(os.cpu_count() or 1)
        self._hero: Answer | None = None

    def hero(self) -> Answer:
        """The living example that is on the stage before any photo is there."""
        if self._hero is None:
            whole = Options(engine="warp", sheets=False)
            result = generate(example_photos()[0], self._examples.new(), whole)
            self._hero = ui.manifest(result.folder.name, result.metadata)
        return self._hero

    def look(self, data: Any, request: gr.Request | None = None) -> Answer:
        """A photo was added, a face chosen, or a control moved: the preview, or what has to be asked first."""
        return _answered(lambda: self._look(read(Ask, data), client_of(request)))

    def make(self, event: gr.EventData) -> Iterator[Answer]:
        """Make the portrait: how far it is, until it is there. A page that goes away does not stop it."""
        yield from self._followed(event, lambda data: self._start(read(Make, data)))

    def follow(self, event: gr.EventData) -> Iterator[Answer]:
        """A page that was loaded anew follows its run again."""
        yield from self._followed(event, lambda data: self._found(read(Running, data)))

    def peek(self, data: Any) -> Answer:
        """How far a run is, for a page that has heard nothing for a while."""
        return _answered(lambda: self._told(job := self._found(read(Running, data)), job.state))

    def stop(self, data: Any) -> Answer:
        """Stop a run; nothing of it stays."""

        def stopped() -> Answer:
            if job := self.jobs.find(read(Running, data).job):
                job.stop()
            return {}

        return _answered(stopped)

    def arrive(self, data: Any) -> Answer:
        """Which of the portraits that a browser remembers are still there."""

        def there() -> Answer:
            mine = read(Mine, data).mine
            kept = self._results.present(own.session for own in mine)
            return {"there": [own.session for own in mine if own.session in kept]}

        return _answered(there)

    def open(self, data: Any) -> Answer:
        """A finished portrait, for the stage of its owner."""

        def opened() -> Answer:
            session = read(Session, data).session
            if not self._results.has(session):
                return {"expired": True}
            return {"portrait": ui.manifest(session, self._results.metadata(session))}

        return _answered(opened)

    def remove(self, data: Any) -> Answer:
        """The owner deletes portraits for good."""

        def removed() -> Answer:
            for own in read(Mine, data).mine:
                self._results.delete_owned(own.session, own.secret)
            return {}

        return _answered(removed)

    def share(self, data: Any) -> Answer:
        """The owner shares a portrait: what its page says, after a change if there is one."""

        def shared() -> Answer:
            wanted = read(Sharing, data)
            self._results.check_owner(wanted.session, wanted.secret)
            share = read_share(self._results, wanted.session)
            if wanted.caption is not None or wanted.card is not None:
                caption = share.caption if wanted.caption is None else " ".join(wanted.caption.split())[:MOST_CAPTION]
                share = Share(caption, share.card if wanted.card is None else wanted.card)
                write_share(self._results, wanted.session, share)
            return asdict(share)

        return _answered(shared)

    def _look(self, ask: Ask, client: str) -> Answer:
        self._limit.take(client)
        photo = _path_of(ask.photo)
        with self._looking:
            if ask.face is None:
                portrait = load_portrait(photo)
                try:
                    faces = clear_faces(portrait, ask.anyway)
                except DoubtfulFaceError as error:
                    return {"kind": "doubtful", "text": str(error), **ui.doubtful_face(portrait)}
                if len(faces) > 1:
                    return {"kind": "several", **ui.faces_found(portrait, faces)}
            result = self._preview(photo, ask)
        return {
            "kind": "preview",
            "portrait": ui.manifest(result.folder.name, result.metadata),
            **self._plan(ask.choice),
        }

    def _preview(self, photo: Path, ask: Ask) -> Result:
        options = ask.choice.options(ask.face or 0, ask.anyway)
        shown = {name: getattr(options, name) for name in _PREVIEWED}
        return generate(photo, self._previews.new(), replace(PREVIEW, frame_size=_STAGE, **shown))

    def _plan(self, choice: Choice) -> Answer:
        """How long it would take to make it, if that is known."""
        expected = self._pace.expect(self._engine(), choice.options(0))
        return {"seconds": sum(expected.values()) if expected else None}

    def _start(self, make: Make) -> Job:
        photo = _path_of(make.photo)
        options = make.choice.options(make.face or 0, make.anyway, self._remote)
        engine, out = self._engine(), self._results.new()

        def learn(result: Result, took: Seconds) -> None:
            self._pace.learn(engine if self._remote else result.engine, options, took)

        def begin() -> Generator[Progress, None, Result]:
            return self._results.keeping(out, run(photo, out, options, self._earlier(make.mine)))

        job = self.jobs.start(begin, self._pace.expect(engine, options), learn)
        job.about = {"session": out.name, "secret": self._results.secret(out.name)}
        return job

    def _found(self, running: Running) -> Job:
        job = self.jobs.find(running.job)
        if job is None:
            raise GazeError("This portrait is not being made any more. The app was restarted: make it again.")
        return job

    def _followed(self, event: gr.EventData, find: Callable[[Any], Job]) -> Iterator[Answer]:
        data = dict(event._data or {})
        nonce = data.pop("nonce", None)
        try:
            job = find(data)
            with closing(job.follow()) as states:
                for state in states:
                    yield {"nonce": nonce, **self._told(job, state)}
        except Exception as error:
            yield {"nonce": nonce, "phase": "failed", "problem": _problem(error)}

    def _told(self, job: Job, state: State) -> Answer:
        told: Answer = {
            "job": job.name,
            "phase": state.phase,
            "share": round(state.share, 4),
            "left": state.left,
            "place": state.place,
            **job.about,
        }
        if state.shown:
            told["shown"] = ui.manifest(job.about["session"], state.shown.metadata)
        if state.result:
            session = job.about["session"]
            told |= {"portrait": ui.manifest(session, state.result.metadata), "notes": [*self._results.notes(session)]}
        if state.problem:
            told["problem"] = _titled(state.problem)
        return told

    def _earlier(self, mine: Iterable[Own]) -> Iterator[Path]:
        """Folders with frames that were rendered for portraits of the same browser."""
        for own in mine:
            with suppress(GazeError):
                yield self._results.file(own.session, KEPT).parent

    def _engine(self) -> str:
        return HANDED_ON if self._remote else choose_engine("auto")[0]


def _path_of(photo: Photo) -> Path:
    """The file of a photo; no other file of the server.

    Raises:
        PhotoError: there is none, or no longer.
    """
    examples = example_photos()
    if photo.example is not None and photo.example < len(examples):
        return examples[photo.example]
    path = ui.uploaded(photo.path or "")
    if path is None:
        raise _GoneError("Your photo is not here any more. Add it again.")
    return path


def _answered(act: Callable[[], Answer]) -> Answer:
    try:
        return act()
    except Exception as error:
        return {"problem": _problem(error)}


def _problem(error: Exception) -> Answer:
    """What to tell the person; what is not theirs to mend is logged whole."""
    if isinstance(error, GazeError):
        return {**_titled(str(error)), "gone": isinstance(error, _GoneError)}
    _log.exception("The page could not be answered.", exc_info=error)
    return _titled(UNEXPECTED)


def _titled(message: str) -> Answer:
    """The first sentence as the title, the others as the text."""
    title, _, text = message.partition(". ")
    return {"title": title.rstrip(".") + ".", "text": text}
