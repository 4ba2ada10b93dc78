"""What the endpoints for programs do: gradio_client, curl, MCP (docs/api.md); `endpoints` lists their arguments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from gaze.engines.base import choose_engine
from gaze.errors import GazeError
from gaze.grid import Expression, Strengths
from gaze.matting.background import BLUR, is_plain
from gaze.options import PREVIEW, Options
from gaze.output.bundle import write_zip
from gaze.output.metadata import Metadata
from gaze.pipeline.making import generate, run
from gaze.progress import Progress, Steps
from gaze.remote.client import HANDED_ON
from gaze.storage.sessions import SessionStore
from gaze.ui import components as ui
from gaze.ui.limit import AtOnce, Limit, check_cost, client_of
from gaze.ui.listeners import RUNNING, WAITING, Listener, Listeners
from gaze.ui.queue import Queue
from gaze.ui.routes import ZIP, session_url
from gaze.ui.sentences import refusal
from gaze.ui.visitors import for_visitors
from gaze.version import __version__

_TOLD = ("stage", "done", "total", "message", "remaining")
"""What callers learn of each `Progress`."""


class Api:
    """The endpoints. Every `GazeError` reaches the caller as it is.

    Args:
        results: where finished portraits are kept.
        previews: where previews are kept for an hour; below the system's temporary folder, as Gradio wants the zip.
        queue: those who wait for their portraits, the page's visitors included.
        remote: as in `gaze.options.Options`.
        limit: of previews, the page's included.
        listeners: those who wait for answers; whose listener is gone, that run ends.
    """

    def __init__(
        self,
        results: SessionStore,
        previews: SessionStore,
        queue: Queue,
        remote: str | None = None,
        limit: Limit | None = None,
        listeners: Listeners | None = None,
    ) -> None:
        self._results, self._previews, self._queue, self._remote = results, previews, queue, remote
        self._limit, self._listeners = limit or Limit(), listeners or Listeners()
        self._at_once = AtOnce()

    def generate(
        self,
        photo: str,
        engine: str,
        size: float,
        keys: str,
        frame_size: str,
        quality: float,
        framing: str,
        head: float,
        eyes: float,
        brows: float,
        straighten: bool,
        smile: float,
        blink: float,
        eyebrow: float,
        video: str,
        remove_background: bool,
        lid_term: bool,
        mode: str,
        effort: float,
        pack: bool,
        sheets: bool,
        sheet_size: float,
        keep: bool,
        face: str,
        anyway: bool,
        matting: str,
        background: str,
        blinking: bool,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how Gradio hands it over
    ) -> Iterator[tuple[dict[str, Any] | None, str | None]]:
        """A full portrait: its manifest, and the zip for a web page; until they are there, how far it is.

        A generator, so that a caller who cancels, or goes away, stops it.

        Args:
            photo: a portrait photo, its face seen from the front.
            head: how strongly the head follows the pointer, 0 to 2.
            eyes: how strongly the eyes do.
            remove_background: whether only the person is left.
            background: a colour as CSS writes it, or "blur".
            face: which one, 0 for the main one, or "all" for each of them on one page.
            sheets: whether the zip has sprite sheets for other programs.
        """
        out = self._results.new()
        try:
            options = Options(
                engine=engine,
                size=int(size),
                keys=int(keys) if keys.isdecimal() else keys,
                frame_size=int(frame_size) if frame_size.isdecimal() else frame_size,
                quality=int(quality),
                framing=framing,
                face=int(face) if face.isdecimal() else face,
                anyway=anyway,
                strengths=Strengths(head, eyes, brows),
                straighten=straighten,
                expression=Expression(smile, blink, eyebrow, lid_term),
                video=video,
                remove_background=remove_background,
                matting=matting,
                background=_background(background),
                mode=mode,
                effort=int(effort),
                blinking=blinking,
                pack=pack,
                sheets=sheets,
                sheet_size=int(sheet_size),
                remote=self._remote,
            )
            check_cost(options.size, options.frame_size)
            if options.wants_sheets:
                check_cost(options.size, options.sheet_size)
            given = _given(photo)
            with self._queue.enter() as turn:
                listener = self._listeners.follow()
                for place in turn.waiting():
                    _see(listener, WAITING)
                    progress(None, desc=place)
                    yield _told_of(Progress("wait", 0, 1, place)), None
                with Steps(self._results.keeping(out, run(given, out, options))) as steps:
                    for step in steps:
                        _see(listener, RUNNING)
                        progress((step.done, step.total), desc=step.message)
                        yield _told_of(step), None
            with self._previews.scratch() as folder:
                archive = folder / ZIP
                write_zip(self._results.folder(out.name), archive, sheets)
                # Gradio copies the file before it goes on.
                result = steps.result
                made = _manifest(out.name, result.metadata)
                notes = [*result.notes, *self._results.notes(out.name)]
                told = {"reason": for_visitors(result.reason), "notes": [*map(for_visitors, notes)]}
                yield {**made, **told}, str(archive)
        except GazeError as error:
            raise refusal(error) from error
        finally:
            if not keep:
                self._delete(out.name)

    def _delete(self, session: str) -> None:
        try:
            self._results.delete(session)
        except GazeError as error:
            raise refusal(error) from error

    def preview(
        self,
        photo: str,
        head: float,
        eyes: float,
        brows: float,
        straighten: bool,
        face: float,
        anyway: bool = False,
        request: gr.Request | None = None,
    ) -> dict[str, Any]:
        """A small portrait by the instant engine, kept for an hour.

        Args:
            photo: a portrait photo, its face seen from the front.
        """
        try:
            client = client_of(request)
            self._limit.take(client)
            with self._at_once.one(client):
                out = self._previews.new()
                options = replace(PREVIEW, strengths=Strengths(head, eyes, brows), straighten=straighten)
                options = replace(options, face=int(face), anyway=anyway)
                result = generate(_given(photo), out, options)
        except GazeError as error:
            raise refusal(error) from error
        return {**_manifest(out.name, result.metadata), "notes": list(result.notes)}

    def session(self, session: str) -> dict[str, Any]:
        """The manifest of a portrait that was made before."""
        try:
            return _manifest(session, self._results.metadata(session))
        except GazeError as error:
            raise refusal(error) from error

    def health(self) -> dict[str, Any]:
        """Which version and engine answer, whether a portrait is being made now, and how many wait."""
        engine, reason = choose_engine("auto")
        if self._remote:
            engine, reason = HANDED_ON, f"Portraits are made by {self._remote}."
        waiting = max(0, len(self._queue) - 1)
        return {
            "version": __version__,
            "engine": engine,
            "reason": for_visitors(reason),
            "running": len(self._queue) - waiting,
            "waiting": waiting,
        }


def _background(given: str) -> str | None:
    """A background from outside: no files of this machine."""
    if given and not is_plain(given):
        raise GazeError(f"“{given}” is not a background. Give a colour such as “#f4f1ea” or “teal”, or “{BLUR}”.")
    return given or None


def _given(photo: str | None) -> str:
    if not photo:
        raise GazeError("There is no photo. Send one as “photo”.")
    return photo


def _see(listener: Listener, patience: float) -> None:
    if listener.is_gone(patience):
        raise GazeError("Nobody has fetched the answer for a while, so the run was stopped. Ask again.")


def _manifest(session: str, metadata: Metadata) -> dict[str, Any]:
    return {**ui.manifest(session, metadata), "session": session, "zip": session_url(session, ZIP)}


def _told_of(step: Progress) -> dict[str, Any]:
    return {name: getattr(step, name) for name in _TOLD}
