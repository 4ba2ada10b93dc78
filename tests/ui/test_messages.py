from pathlib import Path
from typing import Any

import pytest

from gaze.errors import GazeError
from gaze.grid import Strengths
from gaze.options import Options
from gaze.ui.messages import Ask, Choice, Make, Mine, Running, read


def test_untouched_controls_are_the_normal_options() -> None:
    assert Choice().options(0) == Options(sheets=False)


def test_the_strength_multiplies_the_others_up_to_the_most() -> None:
    chosen = Choice(
        strength=1.5,
        head=0.5,
        eyes=2,
        background="remove",
        framing="whole",
        frame_size=768,
        straighten=False,
        blinking=False,
    )
    wanted = Options(
        strengths=Strengths(0.75, 2, 1.5),
        framing="whole",
        frame_size=768,
        straighten=False,
        blinking=False,
        remove_background=True,
        face=2,
        remote="x/y",
        sheets=False,
    )
    assert chosen.options(2, remote="x/y") == wanted


@pytest.mark.parametrize(
    ("chosen", "removed", "behind"),
    [
        ({"background": "keep", "colour": "#102030"}, False, None),
        ({"background": "remove"}, True, None),
        ({"background": "colour", "colour": "#102030"}, False, "#102030"),
        ({"background": "blur"}, False, "blur"),
        ({"background": "picture", "picture": "x"}, False, Path("a.jpg")),
    ],
)
def test_what_stands_behind(chosen: dict[str, Any], removed: bool, behind: Any) -> None:
    options = read(Choice, chosen).options(0, picture=Path("a.jpg"))
    assert (options.remove_background, options.background) == (removed, behind)


@pytest.mark.parametrize(
    "data",
    [
        *(None, 5, "x", [], {}, {"photo": None}, {"photo": {"upload": 5}}, {"photo": {"upload": "x" * 5000}}),
        *({"photo": {}, "choice": choice} for choice in (5, {"strength": 3}, {"strength": "1e999"}, {"frame_size": 4})),
        *({"photo": {}, "choice": choice} for choice in ({"colour": "red;x"}, {"background": "/etc/passwd"})),
        *({"photo": {}, "side": side} for side in (0, 5000)),
        *({"photo": {}, "face": face} for face in [-1, 10**9, "x", list[int]()]),
        {"photo": {}, "more": 1},
    ],
)
def test_what_makes_no_sense_is_refused_in_words(data: Any) -> None:
    with pytest.raises(GazeError, match="Reload it and try again"):
        read(Ask, data)


def test_lists_and_names_are_bounded() -> None:
    own = {"session": "0" * 32, "secret": "s"}
    assert len(read(Mine, {"mine": [own] * 20}).mine) == 20
    for kind, data in (
        (Mine, {"mine": [own] * 21}),
        (Make, {"photo": {}, "job": "0" * 32, "mine": [own] * 21}),
        (Make, {"photo": {}, "job": "../../etc"}),
        (Running, {"job": "x" * 101}),
    ):
        with pytest.raises(GazeError):
            read(kind, data)
