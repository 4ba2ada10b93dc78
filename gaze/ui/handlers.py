"""What the page's events do, apart from how the page looks."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import gradio as gr

from gaze.engines.base import choose_engine
from gaze.errors import GazeError, PhotoError
from gaze.face.detection import clear_faces
from gaze.options import PREVIEW, Options
from gaze.output.bundle import KEPT
from gaze.photo.portrait import load_portrait
from gaze.pipeline import generate, run
from gaze.progress import Result, Steps
from gaze.remote import HANDED_ON
from gaze.storage.sessions import SessionStore
from gaze.ui import components as ui
from gaze.ui.eta import Pace
from gaze.ui.options import PREVIEWED, read_options
from gaze.ui.queue import Line

_HISTORY = 20
_HERE = "Here it is. Its files are still being written."
_COARSE = "This is what there is by now. It gets better while the rest is rendered."
_UNEXPECTED = "Something went wrong on our side. Try again; if it happens again, try another photo."


Made = dict[str, str]
"""A portrait as its owner's browser remembers it: what `_MADE` names."""
_MADE = ("session", "secret")
History = list[Made]


def example_photos() -> list[Path]:
    """The example portraits that come with the project."""
    return sorted(Path(str(files("gaze.ui") / "examples")).glob("*.jpg"))


class Handlers:
    """Each method returns values for the components that its event is bound to.

    Args:
        results: where finished portraits are kept.
        previews: where previews are kept for an hour.
        examples: where the living example is kept.
        line: those who wait for their portraits, programs included.
        remote: as in `gaze.options.Options`; previews are made here nevertheless.
    """

    def __init__(
        self,
        results: SessionStore,
        previews: SessionStore,
        examples: SessionStore,
        line: Line,
        remote: str | None = None,
    ) -> None:
        self._results, self._previews, self._examples, self._line = results, previews, examples, line
        self._remote = remote
        self._pace = Pace()
        self._example: Result | None = None

    def arrive(self, history: History | None, request: gr.Request) -> tuple[Any, ...]:
        """First paint: viewer, caption, actions, history in the browser and on the page.

        A link with ?session=ID opens that portrait; otherwise there is a living example.
        """
        history = _known(history)
        there = self._results.present(made["session"] for made in history)
        here = [made for made in history if made["session"] in there]
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
        """A portrait of the history: viewer, caption, actions."""
        try:
            return self._opened(event.session, _known(history))
        except GazeError as error:
            return gr.skip(), ui.error_html(str(error)), gr.skip()

    def remember(self, made: Made | None, history: History) -> tuple[Any, Any]:
        """After a portrait was made: history in the browser and on the page."""
        if not made:
            return gr.skip(), gr.skip()
        history = [made, *(other for other in _known(history) if other["session"] != made["session"])][:_HISTORY]
        return history, ui.thumbnails(other["session"] for other in history)

    def remove(self, history: History, event: gr.EventData) -> tuple[Any, ...]:
        """The owner deletes one portrait: viewer, caption, actions, history in the browser and on the page."""
        known = _known(history)
        return self._removed([made for made in known if made["session"] == event.session], known)

    def clear(self, history: History) -> tuple[Any, ...]:
        """The owner deletes all: as `remove`."""
        known = _known(history)
        return self._removed(known, known)

    def _opened(self, session: str, history: History) -> tuple[Any, str, Any]:
        metadata = self._results.metadata(session)
        owned = any(made["session"] == session for made in history)
        words = "Your portrait." if owned else "A portrait that somebody shared. Add a photo to make your own."
        return ui.manifest(session, metadata), ui.notes_html([words]), ui.actions_for(session, owned)

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
        """A living example before any photo is there: viewer, caption."""
        if self._example is None:
            self._example = self._small(example_photos()[0], self._examples, PREVIEW)
        return _shown(self._example), ui.notes_html(["This is an example. Add a photo and it will look at you, too."])

    def example(self, event: gr.EventData) -> str:
        """The example photo that was pressed."""
        return str(example_photos()[event.number])

    def plan(self, *choices: Any) -> tuple[str, str]:
        """What Generate would do: the status line, and what is wrong with the choice of engine."""
        try:
            options = read_options(choices)
            engine, reason = self._engine(options)
        except GazeError as error:
            return "", ui.error_html(str(error))
        return ui.plan_html(engine, reason, self._pace.expect(engine, options)), ""

    def faces(self, photo: str | None) -> ui.Faces | None:
        """The faces of a new photo to choose from; None where there is no choice."""
        if not photo:
            return None
        try:
            portrait = load_portrait(photo)
            return ui.faces_found(photo, portrait, clear_faces(portrait))
        except GazeError:
            return None  # the preview says why

    def preview(self, photo: str | None, faces: ui.Faces | None, *choices: Any) -> tuple[Any, ...]:
        """The small portrait of a photo: viewer, caption, message on the photo, actions, Generate button, result.

        Args:
            photo: where it is.
            faces: what the person chose among the faces of this photo, or still of an earlier one.
            choices: the values of all options.
        """
        if not photo:
            return *self.welcome(), "", None, gr.update(interactive=False), None
        try:
            options = replace(read_options(choices, PREVIEW, PREVIEWED), face=ui.chosen_face(photo, faces))
            result = self._small(photo, self._previews, options)
        except Exception as error:
            problem = ui.error_html(_explain(error))
            return gr.skip(), gr.skip(), problem, gr.skip(), gr.update(interactive=False), gr.skip()
        return _shown(result), _previewed(result), "", None, gr.update(interactive=True), result

    def generate(
        self, photo: str | None, faces: ui.Faces | None, history: History, *choices: Any
    ) -> Iterator[tuple[Any, ...]]:
        """The full portrait: viewer, caption, status, actions, what was made, Generate and Cancel button.

        Arguments as for `preview`, and the browser's history: what was rendered for one of its portraits is not
        rendered again. The viewer has the portrait as soon as its pack is there; the sheets follow. A generator, so
        that Cancel and a closed tab stop it at the next step, or take it out of the line.
        """
        shown = _buttons(start=False)
        stage: Any = gr.skip()
        caption: Any = gr.skip()
        try:
            if not photo:
                raise PhotoError("Add a photo first.")
            options = replace(
                read_options(choices), face=ui.chosen_face(photo, faces), remote=self._remote, sheets=False
            )
            engine, _ = self._engine(options)
            expected = self._pace.expect(engine, options)
            with self._line.enter(expected.total if expected else None) as turn:
                for place in turn.waiting():
                    yield stage, caption, ui.waiting_html(place), None, None, *shown
                    shown = gr.skip(), gr.skip()
                started = ready = time.monotonic()
                out = self._results.new()
                making = run(photo, out, options, self._earlier(history))
                with closing(self._results.keeping(out, making)) as running:
                    for step in (steps := Steps(running)):
                        if step.result:
                            stage, ready = ui.manifest(out.name, step.result.metadata), time.monotonic()
                            caption = ui.notes_html([_HERE if step.stage == "ready" else _COARSE])
                        yield stage, caption, ui.progress_html(step), None, None, *shown
                        # Once is enough; a late update must not bring Cancel back after it was pressed.
                        stage, caption, shown = gr.skip(), gr.skip(), (gr.skip(), gr.skip())
            result = steps.result
            learnt = engine if self._remote else result.engine
            self._pace.learn(learnt, options, ready - started, time.monotonic() - started)
        except Exception as error:
            yield gr.skip(), gr.skip(), ui.error_html(_explain(error)), None, None, *_buttons(start=True)
        else:
            told = f"Your portrait is ready: {result.metadata.grid_size**2} looks."
            session = result.folder.name
            caption = ui.notes_html([told, *_instead(result, engine), *result.notes, *self._results.notes(session)])
            made = {"session": session, "secret": self._results.secret(session)}
            actions = ui.actions_for(session, True)
            yield _shown(result), caption, self.plan(*choices)[0], actions, made, *_buttons(start=True)

    def _earlier(self, history: History) -> Iterator[Path]:
        """Folders with frames that were rendered for the portraits of the history."""
        for made in _known(history):
            with suppress(GazeError):
                yield self._results.file(made["session"], KEPT).parent

    def _engine(self, options: Options) -> tuple[str, str]:
        """Which engine Generate would take, and why."""
        if self._remote:
            return HANDED_ON, f"Rendered by {self._remote}: Generate sends the photo there. The preview is made here."
        return choose_engine(str(options.engine))

    def _small(self, photo: str | Path, store: SessionStore, options: Options) -> Result:
        started = time.monotonic()
        result = generate(photo, store.new(), options)
        self._pace.learn_preview(options, time.monotonic() - started)
        return result

    def cancelled(self, previewed: Result | None, *choices: Any) -> tuple[Any, ...]:
        """After Cancel: viewer, caption, status, Generate and Cancel button.

        A portrait that was on the stage already is gone with its files: its preview takes its place.
        """
        status = ui.notes_html(["Cancelled. Nothing was kept."]) + self.plan(*choices)[0]
        stage = (_shown(previewed), _previewed(previewed)) if previewed else (gr.skip(), gr.skip())
        return *stage, status, *_buttons(start=True)


def _known(history: object) -> History:
    """The history that a browser sent: it may be another version's, or nobody's but a caller's."""
    entries = history if isinstance(history, list) else []
    fits = (it for it in entries if isinstance(it, dict) and all(isinstance(it.get(name), str) for name in _MADE))
    return [{name: it[name] for name in _MADE} for it in fits][:_HISTORY]


def _buttons(start: bool) -> tuple[Any, Any]:
    """Either the Generate or the Cancel button."""
    return gr.update(visible=start), gr.update(visible=not start)


def _previewed(result: Result) -> str:
    """The caption of a preview."""
    return ui.notes_html(["A quick preview: Generate makes it sharp and smooth.", *result.notes])


def _instead(result: Result, promised: str) -> tuple[str, ...]:
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
