import io
import math
from pathlib import Path

import av
import numpy as np
import pytest
from av.container import InputContainer
from PIL import Image

from gaze.__main__ import main
from gaze.errors import GazeError
from gaze.options import Options
from gaze.output import clip
from gaze.output.clip import KINDS, SECONDS, path, write_clip
from gaze.output.pack import Facts
from gaze.pipeline.making import generate


@pytest.fixture(scope="module")
def portrait(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small portrait that is wider than high or higher than wide."""
    options = Options(engine="warp", keys=5, frame_size=160, framing="whole", sheets=False)
    with Image.open(photo) as picture:
        high = tmp_path_factory.mktemp("photo") / "high.png"
        picture.crop((100, 0, 412, 500)).save(high)
    return generate(high, tmp_path_factory.mktemp("clip") / "portrait", options).folder


def frames_of(data: bytes, kind: str) -> list[np.ndarray]:
    if kind == "webm":
        with av.open(io.BytesIO(data)) as video:
            assert isinstance(video, InputContainer)
            return [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    frames = []
    with Image.open(io.BytesIO(data)) as picture:
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            frames.append(np.asarray(picture.convert("RGB")))
    return frames


@pytest.mark.parametrize("kind", KINDS)
def test_the_path_is_a_loop_without_jumps(kind: str) -> None:
    looks = path(kind)
    assert len(looks) == SECONDS * KINDS[kind].rate
    steps = [math.dist(looks[number - 1], looks[number]) for number in range(len(looks))]
    assert max(steps) < 1.6 * sum(steps) / len(steps), "the first step, which closes the loop, is like the others"
    assert all(abs(value) <= 1 for look in looks for value in look)


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_moves_loops_and_has_its_shape(portrait: Path, tmp_path: Path, kind: str) -> None:
    for shape in ("square", "framed"):
        target = tmp_path / f"{shape}.{kind}"
        write_clip(portrait, target, kind, shape)
        frames = frames_of(target.read_bytes(), kind)
        assert len(frames) == SECONDS * KINDS[kind].rate
        height, width = frames[0].shape[:2]
        assert (height == width) == (shape == "square")
        quarter = len(frames) // 4
        moved = np.abs(frames[quarter].astype(int) - frames[3 * quarter]).mean()
        closed = np.abs(frames[0].astype(int) - frames[-1]).mean()
        assert moved > 2 * closed
    if kind != "webm":
        with Image.open(target) as picture:
            assert picture.info["loop"] == 0


def test_it_blinks_once(portrait: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made() -> list[np.ndarray]:
        out = io.BytesIO()
        write_clip(portrait, out, "webp", "framed")
        return frames_of(out.getvalue(), "webp")

    with_blink = made()
    monkeypatch.setattr(clip, "decode_layer", lambda *_: None)
    differ = [np.abs(a.astype(int) - b).max() for a, b in zip(with_blink, made(), strict=True)]
    blinking = [number for number, by in enumerate(differ) if by > 60]
    assert blinking, "the eyes close"
    assert blinking[-1] - blinking[0] <= 8, "for no more than 0.4 seconds"
    assert max(differ[: blinking[0] - 2]) <= 30, "what came before is the same, but for the coding"


def test_what_is_shown_is_a_part_of_the_packs_frame_not_of_a_sheets() -> None:
    assert clip._box(Facts(30, 768, 600, face=(0.5, 0.3)), "square") == (84, 0, 600, 600)
    assert clip._box(Facts(30, 768, 600), "framed") == (0, 0, 768, 600)


def test_what_cannot_be_made_says_why(portrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in (
        (("mp4", "square"), "no kind of clip called “mp4”. Choose one of: webm, webp, gif"),
        (("gif", "round"), "no shape of clip called “round”"),
    ):
        with pytest.raises(GazeError, match=words):
            write_clip(portrait, io.BytesIO(), *arguments)
    assert main(["clip", str(tmp_path)]) == 1
    assert main(["clip", str(portrait), "-o", str(tmp_path / "no" / "clip.gif")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_the_command_line_makes_one(portrait: Path, tmp_path: Path) -> None:
    assert main(["clip", str(portrait), "-o", str(tmp_path / "clip.gif"), "--shape", "framed"]) == 0
    assert (tmp_path / "clip.gif").read_bytes().startswith(b"GIF89a")
