"""What the page's events do, apart from how the page looks."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from gaze.engines.base import choose_engine
from gaze.errors import GazeError, PhotoError
from gaze.grid import Strengths
from gaze.kept import KEPT
from gaze.pipeline import PREVIEW, Options, Result, generate, run
from gaze.sessions import SessionStore
from gaze.steps import Steps
from gaze.ui import components as ui

_HISTORY = 20
_UNEXPECTED = "Something went wrong on our side. Try again; if it happens again, try another photo."


Made = dict[str, str]
"""A portrait as its owner's browser remembers it: `session` and `secret`."""
History = list[Made]


def example_photos() -> list[Path]:
    """The example portraits that come with the project."""
    return sorted((Path(__file__).resolve().parents[2] / "assets" / "examples").glob("*.jpg"))


class Handlers:
    """Each method returns values for the components that its event is bound to.

    Args:
        results: where finished portraits are kept.
        previews: where previews are kept for an hour.
        remote: as in `gaze.pipeline.Options`; previews are made here nevertheless.
    """

    def __init__(self, results: SessionStore, previews: SessionStore, remote: str | None = None) -> None:
        self._results, self._previews, self._remote = results, previews, remote
        self._example: Result | None = None

    def arrive(self, history: History | None, request: gr.Request) -> tuple[Any, ...]:
        """First paint: viewer, message, actions, history in the browser and on the page.

        A link with ?session=ID opens that portrait; otherwise there is a living example.
        """
        there = self._results.present(made["session"] for made in history or [])
        here = [made for made in history or [] if made["session"] in there]
        kept = here, ui.thumbnails(made["session"] for made in here)
        session = request.query_params.get("session")
        if not session:
            return *self.welcome(), None, *kept
        try:
            return *self._opened(session, here), *kept
        except GazeError as error:
            shown, _ = self.welcome()
            return shown, ui.error_html(str(error)), None, *kept

    def open(self, history: History, event: gr.EventData) -> tuple[Any, str, Any]:
        """A portrait of the history: viewer, message, actions."""
        try:
            return self._opened(event.session, history)
        except GazeError as error:
            return gr.skip(), ui.error_html(str(error)), gr.skip()

    def remember(self, made: Made | None, history: History) -> tuple[Any, Any]:
        """After a portrait was made: history in the browser and on the page."""
        if not made:
            return gr.skip(), gr.skip()
        history = [made, *(other for other in history if other["session"] != made["session"])][:_HISTORY]
        return history, ui.thumbnails(other["session"] for other in history)

    def remove(self, history: History, event: gr.EventData) -> tuple[Any, ...]:
        """The owner deletes one portrait: viewer, message, actions, history in the browser and on the page."""
        return self._removed([made for made in history if made["session"] == event.session], history)

    def clear(self, history: History) -> tuple[Any, ...]:
        """The owner deletes all: as `remove`."""
        return self._removed(history, history)

    def _opened(self, session: str, history: History) -> tuple[Any, str, Any]:
        facts = self._results.metadata(session)
        owned = any(made["session"] == session for made in history)
        words = "Your portrait." if owned else "A portrait that somebody shared. Add a photo to make your own."
        return ui.manifest(session, facts), ui.notes_html([words]), ui.actions_for(session, owned)

    def _removed(self, gone: History, history: History) -> tuple[Any, ...]:
        try:
            for made in gone:
                self._results.delete_owned(made["session"], made["secret"])
        except GazeError as error:
            return gr.skip(), ui.error_html(str(error)), gr.skip(), gr.skip(), gr.skip()
        left = [made for made in history if made not in gone]
        shown, _ = self.welcome()
        words = "Deleted for good: the portrait, its files and its link." if gone else "There was nothing to delete."
        return shown, ui.notes_html([words]), None, left, ui.thumbnails(made["session"] for made in left)

    def welcome(self) -> tuple[Any, str]:
        """A living example before any photo is there: viewer, message."""
        if self._example is None or not self._example.folder.is_dir():
            self._example = generate(example_photos()[0], self._previews.new(), PREVIEW)
        return _shown(self._example), ui.notes_html(["This is an example. Add a photo and it will look at you, too."])

    def preview(self, photo: str | None, *choices: Any) -> tuple[Any, str, Any]:
        """The small portrait of a photo: viewer, message, Generate button. `choices` as in `_options`."""
        if not photo:
            return *self.welcome(), gr.update(interactive=False)
        try:
            result = generate(photo, self._previews.new(), _options(PREVIEW, *choices))
        except Exception as error:
            return gr.skip(), ui.error_html(_explain(error)), gr.update(interactive=False)
        return _shown(result), ui.notes_html(result.notes), gr.update(interactive=True)

    def generate(self, history: History, photo: str | None, *choices: Any) -> Iterator[tuple[Any, ...]]:
        """The full portrait: viewer, message, actions, what was made, Generate and Cancel button.

        `choices` as in `_options`. The viewer has it as soon as its pack is there; the sheets follow. A generator, so
        that Cancel and a closed tab stop it at the next step. What was rendered for a portrait of the history is not
        rendered again.
        """
        shown = _buttons(start=False)
        stage: Any = gr.skip()
        try:
            if not photo:
                raise PhotoError("Add a photo first.")
            out = self._results.new()
            options = _options(Options(remote=self._remote), *choices)
            promised = None if self._remote else choose_engine(str(options.engine))[0]
            making = run(photo, out, options, self._earlier(history))
            with closing(self._results.keeping(out, making)) as running:
                for step in (steps := Steps(running)):
                    if step.result:
                        stage = ui.manifest(out.name, step.result.metadata)
                    yield stage, ui.progress_html(step), None, None, *shown
                    # Once is enough; a late update must not bring Cancel back after it was pressed.
                    stage, shown = gr.skip(), (gr.skip(), gr.skip())
        except Exception as error:
            yield gr.skip(), ui.error_html(_explain(error)), None, None, *_buttons(start=True)
        else:
            result = steps.result
            ready = f"Your portrait is ready: {result.metadata['totalImages']} looks."
            session = result.folder.name
            notes = (ready, *_instead(result, promised), *result.notes, *self._results.notes(session))
            made = {"session": session, "secret": self._results.secret(session)}
            yield _shown(result), ui.notes_html(notes), ui.actions_for(session, True), made, *_buttons(start=True)

    def _earlier(self, history: History) -> Iterator[Path]:
        """Folders with frames that were rendered for the portraits of the history."""
        for made in history:
            with suppress(GazeError):
                yield self._results.file(made["session"], KEPT).parent

    def wait(self) -> tuple[str, Any, Any]:
        """Between the click and the first step: message, Generate and Cancel button."""
        return ui.notes_html(["Waiting for a free place: one portrait is made at a time."]), *_buttons(start=False)

    def cancelled(self) -> tuple[str, Any, Any]:
        """After Cancel: message, Generate and Cancel button."""
        return ui.notes_html(["Cancelled. Nothing was kept."]), *_buttons(start=True)


def _buttons(start: bool) -> tuple[Any, Any]:
    """Either the Generate or the Cancel button."""
    return gr.update(visible=start), gr.update(visible=not start)


def _options(
    base: Options,
    head: float,
    eyes: float,
    brows: float,
    straighten: bool,
    framing: str,
    frame_size: float | None = None,
    size: float | None = None,
    engine: str | None = None,
    keys: str | int | None = None,
) -> Options:
    """`base` with what the person chose on the page; a preview has frames, a grid and an engine of its own."""
    return replace(
        base,
        strengths=Strengths(head, eyes, brows),
        straighten=straighten,
        framing=framing,
        frame_size=int(frame_size or base.frame_size),
        size=int(size or base.size),
        engine=engine or base.engine,
        keys=keys or base.keys,
    )


def _instead(result: Result, promised: str | None) -> tuple[str, ...]:
    """Which engine it was, and why, if it was not the one that the page had promised."""
    return () if result.engine == promised else (result.reason,)


def _shown(result: Result) -> dict[str, Any]:
    return ui.manifest(result.folder.name, result.metadata)


def _explain(error: Exception) -> str:
    """What to tell the person; what is not theirs to mend is logged whole."""
    if isinstance(error, GazeError):
        return str(error)
    traceback.print_exception(error)
    return _UNEXPECTED
