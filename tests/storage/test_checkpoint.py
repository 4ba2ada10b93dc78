import json
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from gaze.errors import GazeError
from gaze.grid import GazeGrid, Look, Strengths
from gaze.output.bundle import CHECKPOINT
from gaze.storage.checkpoint import Checkpoint, checkpoint_frames, fingerprint_of, read_checkpoint, write_checkpoint

SHAPE = (10, 8, 3)
LOOKS = [Look(0.0, 0.0), Look(14.5, 14.5), Look(29 / 6, 29.0)]


def noise(look: Look) -> np.ndarray:
    return np.random.default_rng((int(look.row * 10), int(look.col * 10))).integers(0, 256, SHAPE, np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path, "print", Checkpoint({look: noise(look) for look in LOOKS}, 4.5))
    return tmp_path


def test_frames_come_back_to_the_bit(folder: Path) -> None:
    checkpoint = read_checkpoint(folder, "print", SHAPE)
    assert checkpoint.seconds == 4.5
    assert list(checkpoint.frames) == LOOKS, "equal to the bit: looks are found by them"
    assert all(np.array_equal(frame, noise(look)) for look, frame in checkpoint.frames.items())


def test_other_frames_are_not_taken(folder: Path) -> None:
    with pytest.raises(GazeError, match="its frames were made with another photo"):
        read_checkpoint(folder, "another", SHAPE)


def test_a_portrait_without_kept_frames_is_named(folder: Path) -> None:
    with pytest.raises(GazeError, match=f"nowhere cannot be continued: there is no {CHECKPOINT}"):
        read_checkpoint(folder / "nowhere", "print", SHAPE)


def test_a_damaged_file_is_named(folder: Path) -> None:
    data = (folder / CHECKPOINT).read_bytes()
    for damaged in (b"", b"text", data[: len(data) // 2], data.replace(b"RIFF", b"RAFF")):
        (folder / CHECKPOINT).write_bytes(damaged)
        with pytest.raises(GazeError, match="is damaged"):
            read_checkpoint(folder, "print", SHAPE)
        assert checkpoint_frames(folder, SHAPE) == {}


def test_wherever_a_file_is_damaged_that_is_no_bug(folder: Path) -> None:
    data = (folder / CHECKPOINT).read_bytes()
    heads = [place for place in range(len(data)) if data[place : place + 4] in (b"PK\3\4", b"PK\1\2", b"PK\5\6")]
    for place in (head + byte for head in heads for byte in range(20)):
        (folder / CHECKPOINT).write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        with suppress(GazeError):
            frames = read_checkpoint(folder, "print", SHAPE).frames
            assert all(np.array_equal(frame, noise(look)) for look, frame in frames.items())
        checkpoint_frames(folder, SHAPE)


def test_frames_of_a_person_who_fills_the_picture_come_back(tmp_path: Path) -> None:
    frame = np.dstack([noise(LOOKS[0]), np.full(SHAPE[:2], 255, np.uint8)])
    write_checkpoint(tmp_path, "print", Checkpoint({LOOKS[0]: frame}, 4.5))
    assert np.array_equal(read_checkpoint(tmp_path, "print", frame.shape).frames[LOOKS[0]], frame)


@pytest.mark.parametrize("looks", [[[0]], [["a", "b"]], 5, None, [[0, 0]] * 4])
def test_looks_that_are_none_are_damage(folder: Path, looks: object) -> None:
    with zipfile.ZipFile(folder / CHECKPOINT) as archive:
        about = json.loads(archive.read("keys.json"))
        frames = {name: archive.read(name) for name in archive.namelist() if name.endswith(".webp")}
    with zipfile.ZipFile(folder / CHECKPOINT, "w") as archive:
        archive.writestr("keys.json", json.dumps({**about, "looks": looks}))
        for name, data in frames.items():
            archive.writestr(name, data)
    with pytest.raises(GazeError, match="is damaged"):
        read_checkpoint(folder, "print", SHAPE)


def test_frames_of_another_size_are_damage(folder: Path) -> None:
    with pytest.raises(GazeError, match="is damaged"):
        read_checkpoint(folder, "print", (12, 8, 3))


def test_a_portraits_own_frames_are_taken_without_its_fingerprint(folder: Path) -> None:
    assert list(checkpoint_frames(folder, SHAPE)) == LOOKS
    assert checkpoint_frames(folder / "nowhere", SHAPE) == {}


def test_whatever_changes_a_frame_changes_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    image = noise(Look(0, 0))
    choices = (GazeGrid(30), True, "warp")
    prints = [
        fingerprint_of(image, *choices),
        fingerprint_of(image.reshape(8, 10, 3), *choices),
        fingerprint_of(image ^ 1, *choices),
        fingerprint_of(image, GazeGrid(30, Strengths(eyes=0.9)), True, "warp"),
        fingerprint_of(image, GazeGrid(20), True, "warp"),
        fingerprint_of(image, GazeGrid(30), False, "warp"),
        fingerprint_of(image, GazeGrid(30), True, "liveportrait"),
    ]
    monkeypatch.setattr("gaze.storage.checkpoint.__version__", "99")
    prints.append(fingerprint_of(image, *choices))
    assert len(set(prints)) == len(prints)
    assert fingerprint_of(image.copy(), *choices) == prints[-1]
