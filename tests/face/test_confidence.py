import pytest

from benchmarks.changes import patch_over, skin_over
from benchmarks.faces import read_marks
from gaze.face.confidence import DOUBTFUL, SURE, Signs, find_signs, probability
from gaze.photo.portrait import Portrait

TRUTH = read_marks("faces.json")["astronaut"]
CLEAR = Signs(beside=0.55, contrast=0.3, openness=0.28, difference=0.03, mesh=12.0, edge=1.0, radius=0.092)


def test_open_eyes_go_on_beside_irises_and_are_alike(portrait: Portrait) -> None:
    clear = find_signs(portrait.image, TRUTH, 1.0, edge=True)
    assert clear.contrast > 0.1
    assert clear.difference < 0.15
    assert find_signs(skin_over(-1)(portrait.image, TRUTH), TRUTH, 1.0, edge=True).contrast < 0.5 * clear.contrast
    patched = find_signs(patch_over(1)(portrait.image, TRUTH), TRUTH, 1.0, edge=True)
    assert patched.beside < 0.2 < clear.beside


@pytest.mark.parametrize(
    "bad",
    [
        {"beside": 0.0, "edge": 0.0},
        {"openness": 0.1},
        {"contrast": -0.1, "difference": 0.4},
        {"difference": 0.5},
        {"mesh": 2.0},
        {"edge": 0.0, "radius": 0.11},
    ],
)
def test_a_bad_sign_is_enough_for_distrust_where_others_are_fair(bad: dict[str, float]) -> None:
    fair = CLEAR._replace(beside=0.4, contrast=0.2, openness=0.25)
    assert probability(CLEAR) > 0.98
    assert probability(fair) > SURE
    assert probability(fair._replace(**bad)) < DOUBTFUL


def test_beyond_its_range_a_sign_says_no_more() -> None:
    assert probability(CLEAR._replace(beside=0.6)) == probability(CLEAR._replace(beside=5.0))
