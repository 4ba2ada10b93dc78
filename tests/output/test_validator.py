import io
import json
import shutil
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gaze.options import Options
from gaze.output.bundle import write_zip
from gaze.output.pack import Facts, Payload, Picture, write_pack
from gaze.output.pack_reader import read_pack
from gaze.output.validator import check
from gaze.pipeline.making import generate
from tests.browser.portraits import write_portrait
from tests.fakes import FakeEngine
from tests.packs import layer, outwards, packed, packed_1, stills


@pytest.fixture(scope="module")
def made(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("made") / "out"
    return generate(photo, place, Options(engine=FakeEngine(4), size=4, frame_size=128)).folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy, to be spoilt."""
    return shutil.copytree(made, tmp_path / "out")


def edit(folder: Path, **fields: Any) -> None:
    facts = {**json.loads((folder / "metadata.json").read_text()), **fields}
    (folder / "metadata.json").write_text(json.dumps(facts))


def test_a_zip_is_not_called_a_damaged_pack(made: Path, tmp_path: Path) -> None:
    path = tmp_path / "ada.zip"
    with path.open("wb") as file:
        write_zip(made, file)
    assert check(path) == [f"{path} is a zip. Unpack it, and check the folder in it."]


def with_picture(folder: Path, kind: str, data: bytes, first: bool = False) -> None:
    """Puts other data in the place of a payload's last picture, or its first."""
    path = folder / {"video": "gaze.pack", "stills": "stills.pack"}[kind]
    pack = read_pack(path)
    [payload] = pack.payloads
    pictures = dict(payload.pictures)
    place = list(pictures)[0 if first else -1]
    pictures[place] = Picture(data, pictures[place].parent)
    with path.open("wb") as file:
        write_pack(replace(pack, payloads=[Payload(kind, payload.about, pictures)]), file)


def webp(width: int, height: int, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height)).save(out, "WEBP", **options)
    return out.getvalue()


def test_what_is_made_keeps_to_the_format(folder: Path) -> None:
    steps: list[tuple[int, int]] = []
    assert check(folder, lambda *step: steps.append(step)) == []
    assert steps[-1] == (74, 74)
    assert check(folder / "gaze.pack") == []
    assert check(folder / "stills.pack") == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"gridSize": 8}, "pixels; 512 × 512 are expected"),
        ({"gridSize": 8}, "give different sizes"),
        ({"gridSize": "4"}, "gridSize is 4; 1 to 60 is possible"),
        ({"imageWidth": None}, "imageWidth is None"),
        ({"hasAlpha": True}, "give different sizes"),
        ({"sheets": ["../q0.webp"]}, "no, one or four file names"),
        ({"sheets": 3}, "no, one or four file names"),
        ({"sheets": ["q0.webp", "q1.webp", "q2.webp", "q9.webp"]}, "q9.webp is not there"),
        ({"poster": "q0.webp"}, "q0.webp has 256 × 256 pixels; 128 × 128 are expected"),
        ({"pack": "no.pack"}, r"no.pack cannot be read"),
        ({"pack": "../gaze.pack", "poster": 5}, "pack is ../gaze.pack; it must be the name of a file"),
        ({"sheets": ["q\0.webp"]}, "no, one or four file names"),
        ({"mobileSheets": 5}, "mobileSheets is 5; it must be a list of file names"),
        ({"mobileGridSize": "20"}, "mobileGridSize is 20; it must be a whole number"),
    ],
)
def test_metadata_that_tell_something_else(folder: Path, fields: dict[str, Any], words: str) -> None:
    edit(folder, **fields)
    assert words in "\n".join(check(folder))


def test_a_sheet_that_is_no_picture(folder: Path) -> None:
    (folder / "q2.webp").write_bytes(b"no picture")
    assert check(folder) == ["q2.webp cannot be read as a picture. Copy it again."]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no picture", "not a WebP picture"),
        (webp(127, 128), "127 × 128 pixels"),
        (webp(128, 128)[:-9], "not a WebP picture"),
        (webp(128, 128, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0"), "carries metadata"),
    ],
    ids=["no picture", "another size", "cut off", "metadata"],
)
def test_a_still_that_is_wrong_is_named(folder: Path, data: bytes, words: str) -> None:
    with_picture(folder, "stills", data)
    [problem] = check(folder)
    assert problem.startswith("stills, picture ")
    assert words in problem


def test_a_video_frame_that_is_wrong_is_named(folder: Path) -> None:
    with_picture(folder, "video", b"nonsense")
    [problem] = check(folder)
    assert problem.startswith("video, picture ")
    assert "cannot be decoded" in problem


def test_a_chunk_that_claims_a_giant_picture_is_not_decoded(folder: Path) -> None:
    """A VP9 key frame of 65,536 × 65,536 pixels: frame marker 2, profile 0, key frame, sync code, colours, size."""
    bits = f"{0b10:02b}00" + "0" + "0" + "1" + "0" + f"{0x498342:024b}" + "001" + "0" + f"{65535:016b}" * 2 + "0" * 64
    data = struct.pack(f"{len(bits) // 8}B", *(int(bits[i : i + 8], 2) for i in range(0, len(bits) // 8 * 8, 8)))
    with_picture(folder, "video", data, first=True)
    assert any("cannot be decoded" in problem for problem in check(folder))


def test_a_pack_of_video_alone_is_not_enough_for_a_folder(folder: Path) -> None:
    edit(folder, stills=None)
    fields = json.loads((folder / "metadata.json").read_text())
    del fields["stills"]
    (folder / "metadata.json").write_text(json.dumps(fields))
    assert check(folder / "gaze.pack") == []
    assert check(folder) == ["There is no pack of stills, which browsers without VideoDecoder need."]


def test_stills_of_another_portrait_are_found_out(folder: Path, photo: Path, tmp_path: Path) -> None:
    other = generate(photo, tmp_path / "other", Options(engine="warp", size=4, frame_size=128, sheets=False)).folder
    (folder / "stills.pack").write_bytes((other / "stills.pack").read_bytes())
    assert check(folder) == ["The pack and the pack of stills belong to different portraits."]


def test_a_sheets_frame_of_another_shape_is_named(folder: Path) -> None:
    edit(folder, imageWidth=64)
    assert "give different sizes" in "\n".join(check(folder))


def test_a_layer_is_checked_as_well(tmp_path: Path) -> None:
    (tmp_path / "a.pack").write_bytes(packed(stills(), layers=(layer(),)))
    assert any(problem.startswith("layer “blink”, video") for problem in check(tmp_path / "a.pack"))


def test_packs_of_version_1_are_checked_picture_by_picture(tmp_path: Path) -> None:
    facts = Facts(4, 40, 50)
    good = Payload("stills", {}, {number: Picture(webp(40, 50)) for number in outwards(16)})
    (tmp_path / "old.pack").write_bytes(packed_1(good, facts=facts))
    assert check(tmp_path / "old.pack") == []
    bad = Payload("stills", {}, {**good.pictures, 3: Picture(webp(41, 50))})
    (tmp_path / "old.pack").write_bytes(packed_1(bad, facts=facts))
    assert check(tmp_path / "old.pack") == ["stills, picture 3: The picture has 41 × 50 pixels."]


def test_a_folder_of_version_1_still_keeps_to_its_format(tmp_path: Path) -> None:
    write_portrait(tmp_path, 4, pack="gaze.pack")
    still = Payload("stills", {}, {number: Picture(webp(20, 25)) for number in outwards(16)})
    (tmp_path / "gaze.pack").write_bytes(packed_1(still, facts=Facts(4, 20, 25)))
    assert check(tmp_path) == []


def test_a_small_file_of_giant_pictures_is_refused_before_they_are_decoded(tmp_path: Path) -> None:
    giant = Payload("stills", {}, {number: Picture(b"x") for number in outwards(16)})
    (tmp_path / "bomb.pack").write_bytes(packed_1(giant, facts=Facts(4, 13000, 13000)))
    [problem] = check(tmp_path / "bomb.pack")
    assert "13000 × 13000 pixels; 16777216 are allowed" in problem
