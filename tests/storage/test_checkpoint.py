import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gaze.errors import GazeError
from gaze.grid import GazeGrid, Look, Strengths
from gaze.output.bundle import KEPT
from gaze.storage.checkpoint import Kept, fingerprint, keep, kept_frames, take_up

SHAPE = (10, 8, 3)
LOOKS = [Look(0.0, 0.0), Look(14.5, 14.5), Look(29 / 6, 29.0)]


def noise(look: Look) -> np.ndarray:
    return np.random.default_rng((int(look.row * 10), int(look.col * 10))).integers(0, 256, SHAPE, np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keep(tmp_path, "print", Kept({look: noise(look) for look in LOOKS}, 4.5))
    return tmp_path


def test_frames_come_back_to_the_bit(folder: Path) -> None:
    kept = take_up(folder, "print", SHAPE)
    assert kept.seconds == 4.5
    assert list(kept.frames) == LOOKS, "equal to the bit: looks are found by them"
    assert all(np.array_equal(frame, noise(look)) for look, frame in kept.frames.items())


def test_other_frames_are_not_taken(folder: Path) -> None:
    with pytest.raises(GazeError, match="its frames are others than what was asked for"):
        take_up(folder, "another", SHAPE)


def test_a_portrait_without_kept_frames_is_named(folder: Path) -> None:
    with pytest.raises(GazeError, match=f"nowhere cannot be continued: there is no {KEPT}"):
        take_up(folder / "nowhere", "print", SHAPE)


def test_a_damaged_file_is_named(folder: Path) -> None:
    data = (folder / KEPT).read_bytes()
    for damaged in (b"", b"text", data[: len(data) // 2], data.replace(b"RIFF", b"RAFF")):
        (folder / KEPT).write_bytes(damaged)
        with pytest.raises(GazeError, match="is damaged"):
            take_up(folder, "print", SHAPE)
        assert kept_frames(folder, SHAPE) == {}


@pytest.mark.parametrize("looks", [[[0]], [["a", "b"]], 5, None, [[0, 0]] * 4])
def test_looks_that_are_none_are_damage(folder: Path, looks: object) -> None:
    with zipfile.ZipFile(folder / KEPT) as archive:
        about = json.loads(archive.read("keys.json"))
        frames = {name: archive.read(name) for name in archive.namelist() if name.endswith(".webp")}
    with zipfile.ZipFile(folder / KEPT, "w") as archive:
        archive.writestr("keys.json", json.dumps({**about, "looks": looks}))
        for name, data in frames.items():
            archive.writestr(name, data)
    with pytest.raises(GazeError, match="is damaged"):
        take_up(folder, "print", SHAPE)


def test_frames_of_another_size_are_damage(folder: Path) -> None:
    with pytest.raises(GazeError, match="is damaged"):
        take_up(folder, "print", (12, 8, 3))


def test_a_portraits_own_frames_are_taken_without_its_fingerprint(folder: Path) -> None:
    assert list(kept_frames(folder, SHAPE)) == LOOKS
    assert kept_frames(folder / "nowhere", SHAPE) == {}


def test_whatever_changes_a_frame_changes_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    image = noise(Look(0, 0))
    choices = (GazeGrid(30), True, "warp")
    prints = [
        fingerprint(image, *choices),
        fingerprint(image.reshape(8, 10, 3), *choices),
        fingerprint(image ^ 1, *choices),
        fingerprint(image, GazeGrid(30, Strengths(eyes=0.9)), True, "warp"),
        fingerprint(image, GazeGrid(20), True, "warp"),
        fingerprint(image, GazeGrid(30), False, "warp"),
        fingerprint(image, GazeGrid(30), True, "liveportrait"),
    ]
    monkeypatch.setattr("gaze.storage.checkpoint.__version__", "99")
    prints.append(fingerprint(image, *choices))
    assert len(set(prints)) == len(prints)
    assert fingerprint(image.copy(), *choices) == prints[-1]
