"""What the app answers to the page: previews, and runs that make a portrait."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from gaze.engines.base import choose_engine
from gaze.errors import DoubtfulFaceError, GazeError
from gaze.face.detection import clear_faces
from gaze.options import ALL, GLANCE, PREVIEW, Options
from gaze.output.bundle import CHECKPOINT, INPUT
from gaze.output.sprites import POSTER
from gaze.photo.portrait import Portrait, load_portrait
from gaze.pipeline.group import count_faces, from_left
from gaze.pipeline.making import generate, run
from gaze.pipeline.preparing import prepare_portrait
from gaze.progress import Progress, Result
from gaze.remote.client import HANDED_ON
from gaze.storage.sessions import SessionStore
from gaze.ui import components as ui
from gaze.ui.answers import Answer, GoneError, answered, problem_of, titled
from gaze.ui.eta import Estimates, Seconds
from gaze.ui.finished import Finished
from gaze.ui.hero import example_photos
from gaze.ui.jobs import Job, Jobs, State
from gaze.ui.limit import Limit, client_of
from gaze.ui.messages import FIRST, Ask, Choice, Make, Own, Photo, Running, read
from gaze.ui.photo_input import uploaded
from gaze.ui.queue import Queue
from gaze.ui.visitors import for_visitors

_PREVIEWED = ("strengths", "straighten", "framing", "face", "anyway", "remove_background", "background")
"""Options that the preview shows; its frames, its grid and its engine are its own."""


class Handlers(Finished):
    """Each public method answers one kind of message.

    Args:
        results: where finished portraits are kept.
        previews: where previews are kept for an hour.
        queue: those who wait for their portraits, programs included.
        limit: of previews.
        remote: as in `gaze.options.Options`; previews are made here nevertheless.
    """

    def __init__(
        self,
        results: SessionStore,
        previews: SessionStore,
        queue: Queue,
        limit: Limit | None = None,
        remote: str | None = None,
    ) -> None:
        self._previews = previews
        self._limit, self._remote = limit or Limit(), remote
        self._estimates = Estimates()
        super().__init__(results, Jobs(queue))
        self._looking = threading.BoundedSemaphore(os.cpu_count() or 1)

    def look(self, data: Any, request: gr.Request | None = None) -> Answer:
        """A photo was added, a face chosen, or a control moved: the preview, or what has to be asked first."""
        return answered(lambda: self._look(read(Ask, data), client_of(request)))

    def make(self, event: gr.EventData) -> Iterator[Answer]:
        """Make the portrait: how far it is, until it is there. A page that goes away does not stop it."""
        yield from self._followed(event, lambda data: self._start(read(Make, data)))

    def follow(self, event: gr.EventData) -> Iterator[Answer]:
        """A page that was loaded anew follows its run again."""
        yield from self._followed(event, lambda data: self._found(read(Running, data)))

    def begin(self, data: Any) -> Answer:
        """As `make`, for a page to which no events come any more: it asks how far the run is by `peek`."""
        return answered(lambda: self._seen(self._start(read(Make, data))))

    def peek(self, data: Any) -> Answer:
        """How far a run is, for a page that has heard nothing for a while."""
        return answered(lambda: self._seen(self._found(read(Running, data))))

    def stop(self, data: Any) -> Answer:
        """Stop a run; nothing of it stays."""

        def stopped() -> Answer:
            self.jobs.stop(read(Running, data).job)
            return {}

        return answered(stopped)

    def _look(self, ask: Ask, client: str) -> Answer:
        self._limit.take(client)
        photo = _path_of(ask.photo)
        with self._looking:
            portrait = load_portrait(photo)
            if ask.face is None:
                try:
                    faces = clear_faces(portrait, ask.anyway)
                except DoubtfulFaceError as error:
                    return {"kind": "doubtful", "text": for_visitors(error), **ui.doubtful_face(portrait)}
                if len(faces) > 1:
                    return {"kind": "several", **ui.faces_found(portrait, faces)}
            options = _preview_of(ask)
            result = generate(portrait, self._previews.new(), options)
            behind = {"blurred": _blurred(portrait, options, result)} if ask.choice.background == "remove" else {}
        return {
            "kind": "preview",
            "portrait": ui.manifest(result.folder.name, result.metadata),
            **behind,
            **self._plan(ask.choice, len(result.metadata.faces) or 1),
        }

    def _plan(self, choice: Choice, portraits: int) -> Answer:
        """How long it would take to make it, or so many, if that is known."""
        expected = self._estimates.expect(self._engine(), choice.options(0), portraits)
        return {"seconds": sum(expected.values()) if expected else None}

    def _start(self, make: Make) -> Job:
        if begun := self.jobs.find(make.job):
            return begun
        photo = _path_of(make.photo)
        options = make.choice.options(make.face or 0, make.anyway, self._remote, _picture_of(make.choice))
        engine, out = self._engine(), self._results.new()
        portraits = count_faces(load_portrait(photo), make.anyway) if make.face == ALL else 1

        def learn(took: Seconds) -> None:
            # By the name it is asked for: a cluster's is in the end that of what its replicas run.
            self._estimates.learn(engine, options, took, portraits)

        def begin() -> Generator[Progress, None, Result]:
            return self._results.keeping(out, run(photo, out, options, self._earlier(make.mine)))

        about = {"session": out.name, "secret": self._results.secret(out.name)}
        return self.jobs.start(make.job, begin, self._estimates.expect(engine, options, portraits), learn, about)

    def _found(self, running: Running) -> Job | Answer:
        """The run; or the portrait that it has made, if that is too long ago for the run to be remembered."""
        if job := self.jobs.find(running.job):
            return job
        session = running.session or ""
        if self._results.has(session):
            return {"phase": "done", **self._finished(session)}
        raise GoneError("What was being made is lost. The app was restarted: try again.")

    def _finished(self, session: str) -> Answer:
        made = ui.manifest(session, self._results.metadata(session))
        return {"portrait": made, "problems": [*self._results.notes(session)]}

    def _followed(self, event: gr.EventData, find: Callable[[Any], Job | Answer]) -> Iterator[Answer]:
        data = dict(event._data or {})
        nonce = data.pop("nonce", None)
        try:
            found = find(data)
            if not isinstance(found, Job):
                yield {"nonce": nonce, **found}
                return
            with closing(found.follow()) as states:
                for state in states:
                    yield {"nonce": nonce, **self._told(found, state)}
        except Exception as error:
            yield {"nonce": nonce, "phase": "failed", "problem": problem_of(error)}

    def _seen(self, found: Job | Answer) -> Answer:
        if not isinstance(found, Job):
            return found
        found.seen()
        return self._told(found, found.state)

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
            told |= self._finished(session) | {"notes": [*map(for_visitors, state.result.notes)]}
        if state.problem:
            told["problem"] = titled(state.problem)
        return told

    def _earlier(self, mine: Iterable[Own]) -> Iterator[Path]:
        """Folders with frames that were rendered for portraits of the same browser."""
        for own in mine:
            with suppress(GazeError):
                yield self._results.file(own.session, CHECKPOINT).parent

    def _engine(self) -> str:
        return HANDED_ON if self._remote else choose_engine("auto")[0]


def _preview_of(ask: Ask) -> Options:
    """What is made to be looked at."""
    options = ask.choice.options(ask.face or 0, ask.anyway, None, _picture_of(ask.choice))
    shown = {name: getattr(options, name) for name in _PREVIEWED}
    return replace(GLANCE if ask.side <= FIRST else PREVIEW, frame_size=ask.side, **shown)


def _blurred(whole: Portrait, options: Options, result: Result) -> list[str]:
    """What would stand behind each portrait of a preview that was cut out, if its background were out of focus."""
    folder, faces = result.folder, result.metadata.faces
    if not faces:
        with Image.open(folder / INPUT) as framed:
            return [ui.blurred(np.asarray(framed.convert("RGB")), folder / POSTER)]
    # Of several faces the folder has the main one's photo alone.
    photos = [prepare_portrait(whole, replace(options, face=face))[0] for face in from_left(whole, options.anyway)]
    posters = [folder / (face.poster or POSTER) for face in faces]
    return [ui.blurred(it.image, poster) for it, poster in zip(photos, posters, strict=True)]


def _path_of(photo: Photo) -> Path:
    """The file of a photo; no other file of the server.

    Raises:
        PhotoError: there is none, or no longer.
    """
    examples = example_photos()
    if photo.example is not None and photo.example < len(examples):
        return examples[photo.example]
    path = uploaded(photo.upload or "")
    if path is None:
        raise GoneError("Your photo is not here any more. Add it again.")
    return path


def _picture_of(choice: Choice) -> Path | None:
    """The file of the picture that is to stand behind the person.

    Raises:
        PhotoError: it is not there, or no longer.
    """
    if choice.background != "picture":
        return None
    path = uploaded(choice.picture or "")
    if path is None:
        raise GoneError("The picture for the background is not here any more. Choose it again.")
    return path
