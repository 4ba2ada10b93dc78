"""All faces of a photo: one folder, one page, one bar; and what cannot be done with them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gaze.errors import GazeError
from gaze.options import Options
from gaze.output.metadata import Metadata
from gaze.output.pack_reader import read_pack
from gaze.output.validator import check
from gaze.photo.portrait import Portrait
from gaze.pipeline import group
from gaze.pipeline.making import generate
from gaze.progress import Progress
from gaze.ui.eta import Meter
from tests.fakes import FakeEngine

SMALL = Options(engine=FakeEngine(4), size=4, keys=5, frame_size=128, face="all")


@pytest.fixture(scope="module")
def pair(portrait: Portrait, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two faces; the larger one, which is the main one, at the right."""
    small = np.asarray(Image.fromarray(portrait.image).reduce(2))
    picture = np.zeros((portrait.height, portrait.width + small.shape[1], 3), np.uint8)
    picture[: small.shape[0], : small.shape[1]] = small
    picture[:, small.shape[1] :] = portrait.image
    path = tmp_path_factory.mktemp("pair") / "pair.png"
    Image.fromarray(picture).save(path)
    return path


def test_each_face_has_its_pack_and_all_have_one_page(pair: Path, tmp_path: Path) -> None:
    steps: list[Progress] = []
    result = generate(pair, tmp_path / "out", SMALL, steps.append)
    assert [face.pack for face in result.metadata.faces] == ["gaze-2.pack", "gaze.pack"], "from left to right"
    assert Metadata.read(result.folder) == result.metadata
    assert {path.name for path in result.folder.iterdir()} >= {*result.metadata.files, "gaze-2.pack.js"}
    assert not [path for path in result.folder.iterdir() if path.is_dir() or path.name.startswith(("q", "."))]
    assert check(result.folder) == []
    assert not any("was taken" in note for note in result.notes), "all were"
    page = (result.folder / "index.html").read_text()
    assert re.findall(r'<gaze-tracker src="(.+?)"', page) == ["gaze-2.pack", "gaze.pack"]
    assert re.findall(r'<img slot="poster" src="(.+?)"', page) == ["poster-2.webp", "poster.webp"]
    whole = (result.folder / "standalone.html").read_text()
    assert len(set(re.findall(r'src="(data:application/octet-stream;base64,.+?)"', whole))) == 2
    assert "<code>gaze-2.pack</code>" in (result.folder / "embed.html").read_text()
    readme = (result.folder / "README.txt").read_text()
    assert re.search(r"^gaze-2\.pack +the other faces", readme, re.MULTILINE)
    assert re.search(r"^gaze\.pack +the largest face, ", readme, re.MULTILINE)
    assert re.search(r"^gaze-group\.js ", readme, re.MULTILINE)
    assert steps[-1].stage == "done"
    assert [step.stage for step in steps].count("done") == 1
    assert {step.message.split(":")[0] for step in steps if step.stage == "render"} == {"Face 1 of 2", "Face 2 of 2"}


def test_one_bar_goes_over_all_and_never_falls(pair: Path, tmp_path: Path) -> None:
    meter = Meter({"read": 0.2, "render": 1.0, "pack": 0.8}, clock=lambda: 0.0)
    shares: list[float] = []

    def seen(step: Progress) -> None:
        meter.step(step)
        shares.append(meter.share)

    generate(pair, tmp_path / "out", SMALL, seen)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert any(0.25 < share < 0.5 for share in shares)
    assert any(0.6 < share < 1 for share in shares)


def test_a_broken_face_is_told_by_check(pair: Path, tmp_path: Path) -> None:
    folder = generate(pair, tmp_path / "out", SMALL).folder
    pack = folder / "gaze-2.pack"
    assert read_pack(pack).facts.width == 128
    Image.new("RGB", (5, 5)).save(folder / "poster-2.webp")
    assert check(folder) == ["poster-2.webp has 5 × 5 pixels; 128 × 128 are expected."]
    pack.unlink()
    assert "gaze-2.pack" in check(folder)[0]


def test_a_photo_with_one_face_is_an_ordinary_portrait(photo: Path, tmp_path: Path) -> None:
    result = generate(photo, tmp_path / "out", SMALL)
    assert result.metadata.faces == ()
    assert "faces" not in (result.folder / "metadata.json").read_text()


def test_notes_name_the_face_that_they_are_about() -> None:
    told = group._notes([("All.", "Dark."), ("Glasses.", "All."), ("All.",)])
    assert told == ["All.", "Face 1 of 3: Dark.", "Face 2 of 3: Glasses."]


def test_of_too_many_faces_the_largest_are_made(pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "MOST", 1)
    result = generate(pair, tmp_path / "out", SMALL)
    assert result.metadata.faces == ()


def test_a_run_that_is_cancelled_leaves_nothing(pair: Path, tmp_path: Path) -> None:
    def stop(step: Progress) -> None:
        if step.part == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(pair, tmp_path / "out", SMALL, stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("choices", "words"),
    [({"face": "some"}, "The face is “some”"), ({"face": "all", "sheets": True}, "Sprite sheets hold one face")],
)
def test_what_cannot_be_is_told(pair: Path, tmp_path: Path, choices: dict[str, object], words: str) -> None:
    with pytest.raises(GazeError, match=words):
        generate(pair, tmp_path / "out", Options(**choices))  # type: ignore[arg-type]


def test_they_cannot_be_continued(pair: Path, tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="Choose one of the faces"):
        generate(pair, tmp_path / "out", SMALL, earlier=tmp_path)
