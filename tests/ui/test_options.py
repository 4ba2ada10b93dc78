from dataclasses import replace

import pytest

from gaze.errors import GazeError
from gaze.grid import Strengths
from gaze.options import PREVIEW, Options
from gaze.ui.options import PREVIEWED, option_inputs, read_options


def test_untouched_inputs_are_the_normal_options() -> None:
    assert read_options([option.value for option in option_inputs().values()]) == Options()


def test_each_option_has_a_line_of_help() -> None:
    assert all(option.info for option in option_inputs().values())


def test_what_was_chosen_is_taken_and_by_the_preview_what_it_shows() -> None:
    chosen = {"head": 0.5, "framing": "whole", "size": 20, "quality": 90}
    values = [chosen.get(name, option.value) for name, option in option_inputs().items()]
    strengths = Strengths(0.5, 1, 1)
    assert read_options(values) == Options(strengths=strengths, framing="whole", size=20, quality=90)
    assert read_options(values, PREVIEW, PREVIEWED) == replace(PREVIEW, strengths=strengths, framing="whole")


def test_a_strength_out_of_range_is_refused() -> None:
    values = [option.value for option in option_inputs().values()]
    with pytest.raises(GazeError, match="head"):
        read_options([7, *values[1:]])
