"""Named endpoints for programs: gradio_client, curl, MCP (docs/api.md).

They have components of their own, which nobody sees: an event of the page would hand its updates to callers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import gradio as gr

from gaze.engines.base import ENGINES, choose_engine
from gaze.errors import GazeError
from gaze.face.framing import FRAMINGS
from gaze.grid import EXPRESSION_RANGES, Expression, Strengths
from gaze.matting.background import BLUR, is_plain
from gaze.matting.matte import MATTINGS
from gaze.motion.keys import AUTO
from gaze.options import PREVIEW, VIDEOS, Options
from gaze.output.bundle import write_zip
from gaze.output.metadata import Metadata
from gaze.output.sprites import MODES
from gaze.pipeline import generate, run
from gaze.progress import Progress, Steps
from gaze.remote.client import HANDED_ON
from gaze.storage.sessions import SessionStore
from gaze.ui import components as ui
from gaze.ui.limit import Limit, check_cost, client_of
from gaze.ui.listeners import RUNNING, WAITING, Listener, Listeners
from gaze.ui.queue import Line
from gaze.ui.routes import ZIP, session_url
from gaze.version import __version__

_TOLD = ("stage", "done", "total", "message", "remaining")
"""What callers learn of each `Progress`."""
_LARGE, _LONG = 999_999_999, 100
"""The largest number, and the longest text, that can mean anything as an argument."""


class Api:
    """The endpoints. Every `GazeError` reaches the caller as it is.

    Args:
        results: where finished portraits are kept.
        previews: where previews are kept for an hour; below the system's temporary folder, as Gradio wants the zip.
        line: those who wait for their portraits, the page's visitors included.
        remote: as in `gaze.options.Options`.
        limit: of previews, the page's included.
        listeners: those who wait for answers; whose listener is gone, that run ends.
    """

    def __init__(
        self,
        results: SessionStore,
        previews: SessionStore,
        line: Line,
        remote: str | None = None,
        limit: Limit | None = None,
        listeners: Listeners | None = None,
    ) -> None:
        self._results, self._previews, self._line, self._remote = results, previews, line, remote
        self._limit, self._listeners = limit or Limit(), listeners or Listeners()

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
        face: float,
        anyway: bool,
        matting: str,
        background: str,
        blinking: bool,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how Gradio hands it over
    ) -> Iterator[tuple[dict[str, Any] | None, str | None]]:
        """A full portrait: its manifest, and the zip for a web page; until they are there, how far it is.

        A generator, so that a caller who cancels, or goes away, stops it.
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
                face=int(face),
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
            given = _given(photo)
            with self._line.enter() as turn:
                listener = self._listeners.follow()
                for place in turn.waiting():
                    _see(listener, WAITING)
                    progress(None, desc=place)
                    yield _told_of(Progress("wait", 0, 1, place)), None
                with closing(self._results.keeping(out, run(given, out, options))) as running:
                    for step in (steps := Steps(running)):
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
                yield {**made, "reason": result.reason, "notes": notes}, str(archive)
        except GazeError as error:
            raise _told(error) from error
        finally:
            if not keep:
                self._results.delete(out.name)

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
        """A small portrait by the instant engine, kept for an hour."""
        try:
            self._limit.take(client_of(request))
            out = self._previews.new()
            options = replace(PREVIEW, strengths=Strengths(head, eyes, brows), straighten=straighten)
            options = replace(options, face=int(face), anyway=anyway)
            result = generate(_given(photo), out, options)
        except GazeError as error:
            raise _told(error) from error
        return {**_manifest(out.name, result.metadata), "notes": list(result.notes)}

    def session(self, session: str) -> dict[str, Any]:
        """The manifest of a portrait that was made before."""
        try:
            return _manifest(session, self._results.metadata(session))
        except GazeError as error:
            raise _told(error) from error

    def health(self) -> dict[str, Any]:
        """Which version and engine answer, whether a portrait is being made now, and how many wait."""
        engine, reason = choose_engine("auto")
        if self._remote:
            engine, reason = HANDED_ON, f"Portraits are made by {self._remote}."
        waiting = max(0, len(self._line) - 1)
        return {
            "version": __version__,
            "engine": engine,
            "reason": reason,
            "running": len(self._line) - waiting,
            "waiting": waiting,
        }


def add_endpoints(api: Api) -> None:
    """Put the endpoints into the page that is being built."""
    with gr.Group(visible=False):
        photo = ui.photo_input()
        strengths = [gr.Number(1, label=name, minimum=0, maximum=2) for name in ("head", "eyes", "brows")]
        straighten = gr.Checkbox(True, label="straighten")
        normal = Options()
        face = gr.Number(normal.face, precision=0, label="face")
        anyway = gr.Checkbox(normal.anyway, label="anyway")
        choices = [
            photo,
            gr.Dropdown(list(ENGINES), value=ENGINES[0], label="engine"),
            gr.Number(normal.size, precision=0, label="size"),
            gr.Textbox(AUTO, label="keys"),
            gr.Textbox(AUTO, label="frame_size"),
            gr.Number(normal.quality, precision=0, label="quality"),
            gr.Dropdown(list(FRAMINGS), value=normal.framing, label="framing"),
            *strengths,
            straighten,
            *(gr.Number(0, label=name, minimum=low, maximum=high) for name, (low, high) in EXPRESSION_RANGES.items()),
            gr.Dropdown(list(VIDEOS), value=normal.video, label="video"),
            gr.Checkbox(False, label="remove_background"),
            gr.Checkbox(normal.expression.lid_term, label="lid_term"),
            gr.Dropdown(list(MODES), value=normal.mode, label="mode"),
            gr.Number(normal.effort, precision=0, label="effort", minimum=0, maximum=6),
            gr.Checkbox(normal.pack, label="pack"),
            gr.Checkbox(False, label="sheets"),
            gr.Number(normal.sheet_size, precision=0, label="sheet_size"),
            gr.Checkbox(True, label="keep"),
            face,
            anyway,
            gr.Dropdown(list(MATTINGS), value=normal.matting, label="matting"),
            gr.Textbox("", label="background"),
            gr.Checkbox(normal.blinking, label="blinking"),
        ]
        manifest, archive = gr.JSON(label="manifest"), gr.File(label="zip")
        session = gr.Textbox(label="session")
        for argument in (*choices[1:], session):
            _check(argument)
        gr.Button().click(
            api.generate,
            choices,
            [manifest, archive],
            api_name="generate",
            concurrency_limit=None,  # who has to wait does so in our own line, where the place is told
        )
        gr.Button().click(api.preview, [photo, *strengths, straighten, face, anyway], manifest, api_name="preview")
        gr.Button().click(api.session, session, manifest, api_name="session")
        gr.Button().click(api.health, None, manifest, api_name="health", queue=False)


def _background(given: str) -> str | None:
    """A background from outside: no files of this machine."""
    if given and not is_plain(given):
        raise GazeError(f"“{given}” is no background. Give a colour, as “#f4f1ea” or “teal”, or “{BLUR}”.")
    return given or None


def _check(argument: gr.components.Component) -> None:
    """Refuse a value of another kind in words: Gradio would answer with an error that says nothing."""
    match argument:
        case gr.Number():
            low, high = argument.minimum, argument.maximum
            low, high = -_LARGE if low is None else low, _LARGE if high is None else high
            wanted = f"a number from {low} to {high}" if high < _LARGE else "a number of at most nine digits"

            def fits(value: Any) -> bool:
                return isinstance(value, int | float) and not isinstance(value, bool) and bool(low <= value <= high)
        case gr.Checkbox():
            wanted = "true or false"

            def fits(value: Any) -> bool:
                return isinstance(value, bool)
        case gr.Dropdown():
            choices = [str(value) for _, value in argument.choices]
            wanted = f"one of: {', '.join(choices)}"

            def fits(value: Any) -> bool:
                return isinstance(value, str) and value in choices
        case _:
            wanted = f"a text of at most {_LONG} letters"

            def fits(value: Any) -> bool:
                return isinstance(value, str | int) and len(str(value)) <= _LONG

    preprocess = argument.preprocess

    def checked(payload: Any) -> Any:
        if not fits(payload):
            told = f"“{argument.label}” is {str(payload)[:_LONG]}. Give {wanted}."
            raise gr.Error(told, title="Not possible", print_exception=False)
        return preprocess(payload)

    argument.preprocess = checked  # type: ignore[method-assign]


def _given(photo: str | None) -> str:
    if not photo:
        raise GazeError("There is no photo. Send one as “photo”.")
    return photo


def _see(listener: Listener, patience: float) -> None:
    if listener.is_gone(patience):
        raise GazeError("Nobody has fetched the answer for a while, so the portrait was given up. Ask again.")


def _manifest(session: str, metadata: Metadata) -> dict[str, Any]:
    return {**ui.manifest(session, metadata), "session": session, "zip": session_url(session, ZIP)}


def _told_of(step: Progress) -> dict[str, Any]:
    return {name: getattr(step, name) for name in _TOLD}


def _told(error: GazeError) -> gr.Error:
    return gr.Error(str(error), title="Not possible", print_exception=False)
