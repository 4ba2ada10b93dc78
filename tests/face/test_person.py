import hashlib
import re
import threading

import cv2
import numpy as np
import pytest

from gaze.face.face import Face
from gaze.face.person import SIDE, find_person
from gaze.photo.portrait import Portrait
from tests.conftest import ROOT

MODELS = ROOT / "gaze" / "face" / "person_models"


def test_the_models_are_those_that_their_page_names() -> None:
    rows = re.findall(r"(?m)^\| `(.+?)` \| ([\d,]+) \| `(\w{64})` \|", (MODELS / "README.md").read_text())
    assert [name for name, *_ in rows] == sorted(path.name for path in MODELS.glob("*.tflite"))
    for name, size, digest in rows:
        data = (MODELS / name).read_bytes()
        assert len(data) == int(size.replace(",", ""))
        assert hashlib.sha256(data).hexdigest() == digest
        assert name in (MODELS / "NOTICE").read_text()
    assert "Apache License" in (MODELS / "LICENSE").read_text()


def test_it_finds_the_person(before_green: tuple[Portrait, Face, np.ndarray]) -> None:
    portrait, face, _ = before_green
    found = find_person(portrait.image)
    assert found.shape == (SIDE, SIDE)
    assert found.dtype == np.float32
    x, y = round(face.centre[0] / portrait.width * SIDE), round(face.centre[1] / portrait.height * SIDE)
    assert found[y - 5 : y + 5, x - 5 : x + 5].min() > 0.9
    assert found[:10, :10].max() < 0.1


def test_threads_share_one_network(
    before_green: tuple[Portrait, Face, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kills: one for each thread, of which an app has a hundred, and 6 MB each."""
    image, loaded = before_green[0].image, []
    find_person(image)
    read = cv2.dnn.readNetFromTFLite
    monkeypatch.setattr(cv2.dnn, "readNetFromTFLite", lambda *given: loaded.append(given) or read(*given))
    thread = threading.Thread(target=find_person, args=(image,))
    thread.start()
    thread.join()
    assert not loaded


def test_it_may_run_in_several_threads_at_once(before_green: tuple[Portrait, Face, np.ndarray]) -> None:
    image = before_green[0].image
    expected = [find_person(image), find_person(image[:, ::-1].copy())]
    found: dict[int, np.ndarray] = {}

    def work(index: int) -> None:
        for _ in range(5):
            found[index] = find_person(image[:, :: -1 if index % 2 else 1].copy())

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in range(4):
        assert np.allclose(found[index], expected[index % 2], atol=1e-4)
