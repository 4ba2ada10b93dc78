"""The endpoints as Gradio lists them: their names, their arguments and what these may be (docs/api.md).

They have components of their own, which nobody sees: an event of the page would hand its updates to callers.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from gaze.engines.base import ENGINES
from gaze.face.framing import FRAMINGS
from gaze.grid import EXPRESSION_RANGES
from gaze.matting.matte import MATTINGS
from gaze.motion.keys import AUTO
from gaze.options import VIDEOS, Options
from gaze.output.sprites import MODES
from gaze.ui.api import Api
from gaze.ui.photo_input import photo_input
from gaze.ui.sentences import refusal

NAMES = ("generate", "preview", "session", "health")
_LARGE, _LONG = 999_999_999, 100
"""The largest number, and the longest text, that can mean anything as an argument."""


def add_endpoints(api: Api) -> None:
    """Put the endpoints into the page that is being built."""
    with gr.Group(visible=False):
        photo = photo_input()
        strengths = [gr.Number(1, label=name, minimum=0, maximum=2) for name in ("head", "eyes", "brows")]
        straighten = gr.Checkbox(True, label="straighten")
        normal = Options()
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
            gr.Textbox(str(normal.face), label="face"),
            anyway,
            gr.Dropdown(list(MATTINGS), value=normal.matting, label="matting"),
            gr.Textbox("", label="background"),
            gr.Checkbox(normal.blinking, label="blinking"),
        ]
        manifest, archive = gr.JSON(label="manifest"), gr.File(label="zip")
        session = gr.Textbox(label="session")
        face = gr.Number(0, precision=0, label="face")
        for argument in (*choices[1:], face, session):
            _check(argument)
        # Who has to wait does so in our own queue, where the place is told; Gradio's could be filled by one client.
        freely: dict[str, Any] = {"concurrency_limit": None}
        gr.Button().click(api.generate, choices, [manifest, archive], api_name="generate", **freely)
        shown = [photo, *strengths, straighten, face, anyway]
        gr.Button().click(api.preview, shown, manifest, api_name="preview", **freely)
        gr.Button().click(api.session, session, manifest, api_name="session", **freely)
        gr.Button().click(api.health, None, manifest, api_name="health", queue=False)


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
            raise refusal(told)
        return preprocess(payload)

    argument.preprocess = checked  # type: ignore[method-assign]
