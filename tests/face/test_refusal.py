"""Each kind of photo that cannot be used is refused with its own sentence."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from benchmarks.changes import HIDDEN
from benchmarks.faces import read_marks
from gaze.errors import DoubtfulFaceError, FaceError
from gaze.face import detection
from gaze.face.confidence import DOUBTFUL, SURE, open_eye
from gaze.face.detection import clear_faces, find_faces, main_face
from gaze.face.face import Face, Iris, Opening
from gaze.face.irises import find_eyes
from gaze.face.refusal import reason
from gaze.photo.portrait import Portrait
from tests.faces import typical_face, with_openings

TRUTH = read_marks("faces.json")["astronaut"]


def looking(height: float = 12.0, turned: float = 0.0, sharpness: float = 1.0, scale: float = 1.0) -> Face:
    """A face of 100 pixels between the irises, its eyes open by twice `height` pixels, its head turned by degrees."""
    face = replace(typical_face(Iris(200, 200, 10), Iris(300, 200, 10)), sharpness=sharpness)
    openings = [
        Opening((x - 18.0, 200.0), (x + 18.0, 200.0), (float(x), 200 - height), (float(x), 200 + height))
        for x in (200, 300)
    ]
    face = with_openings(face, openings)
    angle = np.radians(turned)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    middle = np.array([250, 200, 0])
    return replace(face, mesh=(face.mesh - middle) @ turn + middle).moved(scale)


@pytest.mark.parametrize(
    ("face", "size", "words"),
    [
        (looking(scale=0.1), 500, "too small: 10 pixels"),
        (looking(scale=0.139), 500, "too small: 13 pixels between the eyes, at least 14"),
        (looking(), 290, "ends in the middle of the face"),
        (looking(turned=50), 500, "turned too far"),
        (looking(height=1), 500, "The eyes are closed"),
        (looking(sharpness=0.05), 500, "too blurred"),
        (looking(), 500, "covered or hard to see"),
    ],
)
def test_each_reason_has_its_sentence_with_what_to_do(face: Face, size: int, words: str) -> None:
    told = reason(face, size, size)
    assert words in told
    assert "Use a" in told


def test_one_closed_eye_is_told_from_two() -> None:
    wide, shut = looking(), looking(height=1)
    mesh = wide.mesh.copy()
    mesh[250:] = shut.mesh[250:]
    assert "One eye is closed" in reason(replace(wide, mesh=mesh), 500, 500)


def test_drawn_lids_over_the_eyes_are_told_as_closed(portrait: Portrait) -> None:
    with pytest.raises(FaceError, match="closed"):
        main_face(Portrait(HIDDEN["eyes closed"](portrait.image, TRUTH)))


def test_a_blurred_face_is_less_sharp(portrait: Portrait) -> None:
    sharp = find_faces(portrait)[0].sharpness
    softer, blurred = (
        find_faces(Portrait(cv2.GaussianBlur(portrait.image, (0, 0), size * TRUTH.iris_distance)))[0].sharpness
        for size in (0.02, 0.08)
    )
    assert sharp > 1.5 * softer > 3 * blurred
    enlarged = cv2.resize(portrait.image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert find_faces(Portrait(enlarged))[0].sharpness == pytest.approx(sharp, rel=0.25)


def test_blurred_eyes_are_never_taken_unasked(portrait: Portrait) -> None:
    """However open they look: where the network is sure, a person is asked, and told that the photo is blurred."""
    blurred = Portrait(cv2.GaussianBlur(portrait.image, (0, 0), 0.05 * TRUTH.iris_distance))
    face = find_faces(blurred)[0]
    assert min(open_eye(eye.features) for eye in find_eyes(blurred.image, face.mesh)) > SURE
    with pytest.raises(DoubtfulFaceError, match=r"too blurred .*Use a sharper photo"):
        main_face(blurred)


def test_between_the_limits_a_person_is_asked(portrait: Portrait, monkeypatch: pytest.MonkeyPatch) -> None:
    clear = find_faces(portrait)[0]
    for confidence, kind in ((DOUBTFUL - 0.01, FaceError), ((DOUBTFUL + SURE) / 2, DoubtfulFaceError)):
        doubted = replace(clear, confidence=confidence)
        monkeypatch.setattr(detection, "find_faces", lambda _, doubted=doubted: [doubted])
        with pytest.raises(FaceError) as told:
            clear_faces(portrait)
        assert type(told.value) is kind
    assert main_face(portrait, anyway=True) == (doubted, 1)
    monkeypatch.setattr(detection, "find_faces", lambda _: [clear, doubted])
    assert clear_faces(portrait, anyway=True) == [clear]


def test_a_picture_is_searched_once(portrait: Portrait, monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.ascontiguousarray(portrait.image[:, 1:])
    found = find_faces(Portrait(image))
    monkeypatch.setattr(detection, "detect", None)
    assert find_faces(Portrait(image.copy())) == found
