from dataclasses import replace

import numpy as np
import pytest

from benchmarks.changes import HIDDEN
from benchmarks.faces import read_marks
from gaze.face.confidence import DOUBTFUL, SURE, confidence, open_eye
from gaze.face.detection import find_faces
from gaze.face.face import Face, Iris
from gaze.face.irises import find_eyes
from gaze.photo.portrait import Portrait

TRUTH = read_marks("faces.json")["astronaut"]


@pytest.fixture(scope="module")
def face(portrait: Portrait) -> Face:
    return find_faces(portrait)[0]


def eyes(image: np.ndarray, face: Face) -> list[np.ndarray]:
    """Features of the eyes of a face whose mesh is known."""
    return [eye.features for eye in find_eyes(image, face.mesh)]


@pytest.mark.parametrize(
    ("how", "hidden"),
    [
        ("skin over the left eye", (True, False)),
        ("patch over the right eye", (False, True)),
        ("hair over the left eye", (True, False)),
        ("sunglasses", (True, True)),
        ("eyes closed", (True, True)),
    ],
)
def test_each_eye_is_told_by_itself(portrait: Portrait, face: Face, how: str, hidden: tuple[bool, bool]) -> None:
    """Where the mesh is known, so that only what is seen of the eye can tell."""
    assert min(map(open_eye, eyes(portrait.image, face))) > 0.9
    for it, is_hidden in zip(eyes(HIDDEN[how](portrait.image, TRUTH), face), hidden, strict=True):
        assert open_eye(it) < DOUBTFUL if is_hidden else open_eye(it) > SURE


def test_one_hidden_eye_is_enough_for_distrust(portrait: Portrait, face: Face) -> None:
    good, bad = eyes(portrait.image, face)[0], eyes(HIDDEN["sunglasses"](portrait.image, TRUTH), face)[0]
    assert confidence(portrait.image, face, [good, good]) > SURE
    assert confidence(portrait.image, face, [good, bad]) == confidence(portrait.image, face, [bad, good]) < DOUBTFUL


def test_nothing_is_trusted_beyond_the_border_or_from_the_side(portrait: Portrait, face: Face) -> None:
    features = eyes(portrait.image, face)
    beyond = replace(face, left=Iris(face.left.radius - 1, face.left.y, face.left.radius))
    assert confidence(portrait.image, beyond, features) == 0
    angle = np.radians(60)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    middle = np.array([*face.centre, 0])
    aside = replace(face, mesh=(face.mesh - middle) @ turn + middle)
    assert confidence(portrait.image, aside, features) < DOUBTFUL
