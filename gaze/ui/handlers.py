"""What the page's events do, apart from how the page looks."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from gaze.errors import GazeError, PhotoError
from gaze.grid import Strengths
from gaze.pipeline import PREVIEW, Options, Result, generate, run
from gaze.sessions import SessionStore
from gaze.steps import Steps
from gaze.ui import components as ui

_HOUR = 3600
_RESULTS_KEPT = 7 * 24 * _HOUR
_UNEXPECTED = "Something went wrong on our side. Try again; if it happens again, try another photo."


def example_photos() -> list[Path]:
    """The example portraits that come with the project."""
    return sorted((Path(__file__).resolve().parents[2] / "assets" / "examples").glob("*.jpg"))


class Handlers:
    """Each method returns values for the components that its event is bound to.

    Args:
        results: where finished portraits are kept.
        previews: where previews are kept for an hour.
    """

    def __init__(self, results: SessionStore, previews: SessionStore) -> None:
        self._results, self._previews = results, previews
        self._example: Result | None = None

    def welcome(self) -> tuple[Any, str]:
        """A living example before any photo is there: viewer, message."""
        if self._example is None or not self._example.folder.is_dir():
            self._example = generate(example_photos()[0], self._previews.new(), PREVIEW)
        return _shown(self._example), ui.notes_html(["This is an example. Add a photo and it will look at you, too."])

    def preview(self, photo: str | None, *choices: Any) -> tuple[Any, str, Any]:
        """The small portrait of a photo: viewer, message, Generate button. `choices` as in `_options`."""
        if not photo:
            return *self.welcome(), gr.update(interactive=False)
        self._previews.expire(_HOUR)
        try:
            result = generate(photo, self._previews.new(), _options(PREVIEW, *choices))
        except Exception as error:
            return gr.skip(), ui.error_html(_explain(error)), gr.update(interactive=False)
        return _shown(result), ui.notes_html(result.notes), gr.update(interactive=True)

    def generate(self, photo: str | None, *choices: Any) -> Iterator[tuple[Any, ...]]:
        """The full portrait: viewer, message, download, Generate and Cancel button. `choices` as in `_options`.

        The viewer has it as soon as its pack is there; the sheets follow. A generator, so that Cancel and a closed tab
        stop it at the next step.
        """
        self._results.expire(_RESULTS_KEPT)
        shown = _buttons(start=False)
        stage: Any = gr.skip()
        try:
            if not photo:
                raise PhotoError("Add a photo first.")
            out = self._results.new()
            with closing(run(photo, out, _options(Options(), *choices))) as running:
                for step in (steps := Steps(running)):
                    if step.result:
                        stage = ui.manifest(out.name, step.result.metadata)
                    yield stage, ui.progress_html(step), "", *shown
                    # Once is enough; a late update must not bring Cancel back after it was pressed.
                    stage, shown = gr.skip(), (gr.skip(), gr.skip())
        except Exception as error:
            yield gr.skip(), ui.error_html(_explain(error)), "", *_buttons(start=True)
        else:
            result = steps.result
            notes = (f"Your portrait is ready: {result.metadata['totalImages']} looks.", result.reason, *result.notes)
            download = ui.download_html(result.folder.name)
            yield _shown(result), ui.notes_html(notes), download, *_buttons(start=True)

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
    )


def _shown(result: Result) -> dict[str, Any]:
    return ui.manifest(result.folder.name, result.metadata)


def _explain(error: Exception) -> str:
    """What to tell the person; what is not theirs to mend is logged whole."""
    if isinstance(error, GazeError):
        return str(error)
    traceback.print_exception(error)
    return _UNEXPECTED
