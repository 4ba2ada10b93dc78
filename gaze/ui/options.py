"""The options on the page: one table says what each looks like and what it sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from gaze.face.framing import FRAMINGS
from gaze.grid import Strengths
from gaze.motion.keys import AUTO, KEY_CHOICES
from gaze.options import Options

Input = gr.Slider | gr.Checkbox | gr.Radio

_NORMAL = Options()
_STRENGTHS = ("head", "eyes", "brows")
PREVIEWED = (*_STRENGTHS, "straighten", "framing")
"""Options that the preview shows; its frames, its grid and its engine are its own."""

_INPUTS: dict[str, Callable[[], Input]] = {
    "head": partial(gr.Slider, 0, 2, 1, step=0.1, label="Head", info="How far the head turns."),
    "eyes": partial(gr.Slider, 0, 2, 1, step=0.1, label="Eyes", info="How far the eyes travel."),
    "brows": partial(gr.Slider, 0, 2, 1, step=0.1, label="Brows", info="How much the brows rise when it looks up."),
    "straighten": partial(
        gr.Checkbox,
        _NORMAL.straighten,
        label="Look straight",
        info="If the photo looks past the camera, the centre looks at you.",
    ),
    "remove_background": partial(
        gr.Checkbox,
        _NORMAL.remove_background,
        label="Remove the background",
        info="Only the person is left, to stand on any page; the preview keeps all.",
    ),
    "framing": partial(
        gr.Radio,
        list(zip(("Head and shoulders", "The whole photo"), FRAMINGS, strict=True)),
        value=_NORMAL.framing,
        label="Framing",
        info="How much of the photo is shown where the face is small in it.",
    ),
    "engine": partial(
        gr.Radio,
        [("The best that runs here", "auto"), ("Instant", "warp"), ("LivePortrait", "liveportrait")],
        value=str(_NORMAL.engine),
        label="Engine",
        info="What renders the portrait; the preview is always the instant engine's.",
    ),
    "size": partial(
        gr.Radio, [10, 20, 30], value=_NORMAL.size, label="Grid size", info="Rows and columns of looks: 30 makes 900."
    ),
    "keys": partial(
        gr.Radio,
        [("Automatic", AUTO), *((str(keys), keys) for keys in KEY_CHOICES)],
        value=_NORMAL.keys,
        label="Keys",
        info="Looks per side that are rendered; all others are morphed between them.",
    ),
    "frame_size": partial(
        gr.Radio,
        [("Automatic", AUTO), ("512", 512), ("768", 768), ("1024", 1024)],
        value=_NORMAL.frame_size,
        label="Frame size",
        info="Longer side in pixels; by itself as large as the photo allows, up to 768.",
    ),
    "quality": partial(
        gr.Slider,
        30,
        95,
        _NORMAL.quality,
        step=5,
        label="Quality",
        info="Of the pictures in the files: more is sharper, and larger.",
    ),
}


def option_inputs() -> dict[str, Input]:
    """An input for each option, by its name in `Options` or `Strengths`."""
    return {name: make() for name, make in _INPUTS.items()}


def read_options(values: Sequence[Any], base: Options = _NORMAL, names: Sequence[str] = tuple(_INPUTS)) -> Options:
    """`base` with what the person chose.

    Args:
        values: those of all inputs, in the order of `option_inputs`.
        base: what holds for all else.
        names: the options to take from them.
    """
    chosen = {name: value for name, value in zip(_INPUTS, values, strict=True) if name in names}
    strengths = Strengths(*(chosen.pop(name) for name in _STRENGTHS))
    return replace(base, strengths=strengths, **chosen)
