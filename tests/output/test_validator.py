import io
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gaze.options import Options
from gaze.output.pack import Frame, Pack, Payload, read_pack, write_pack
from gaze.output.validator import check
from gaze.pipeline import generate
from tests.fakes import FakeEngine


@pytest.fixture
def folder(photo: Path, tmp_path: Path) -> Path:
    return generate(photo, tmp_path / "out", Options(engine=FakeEngine(4), size=4, frame_size=128)).folder


def edit(folder: Path, **fields: Any) -> None:
    facts = {**json.loads((folder / "metadata.json").read_text()), **fields}
    (folder / "metadata.json").write_text(json.dumps(facts))


def with_frame(folder: Path, kind: str, data: bytes) -> None:
    """Puts other data in the place of a payload's last frame."""
    pack = read_pack(folder / "gaze.pack")
    payloads = []
    for payload in pack.payloads:
        frames = dict(payload.frames)
        if payload.kind == kind:
            last = list(frames)[-1]
            frames[last] = Frame(data, frames[last].parent)
        payloads.append(Payload(payload.kind, payload.about, frames))
    with (folder / "gaze.pack").open("wb") as file:
        write_pack(Pack(pack.facts, payloads), file)


def webp(width: int, height: int, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height)).save(out, "WEBP", **options)
    return out.getvalue()


def test_what_is_made_keeps_to_the_format(folder: Path) -> None:
    steps: list[tuple[int, int]] = []
    assert check(folder, lambda *step: steps.append(step)) == []
    assert steps[-1] == (32, 32)
    assert check(folder / "gaze.pack") == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"gridSize": 8}, "pixels; 512 × 512 are expected"),
        ({"gridSize": 8}, "tell different sizes"),
        ({"gridSize": "4"}, "gridSize is 4; 1 to 60 is possible"),
        ({"imageWidth": None}, "imageWidth is None"),
        ({"hasAlpha": True}, "tell different sizes"),
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
    assert check(folder) == ["q2.webp is no picture that can be read. Copy it again."]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no picture", "no WebP picture"),
        (webp(127, 128), "127 × 128 pixels"),
        (webp(128, 128)[:-9], "no WebP picture"),
        (webp(128, 128, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0"), "carries metadata"),
    ],
    ids=["no picture", "another size", "cut off", "metadata"],
)
def test_a_still_that_is_wrong_is_named(folder: Path, data: bytes, words: str) -> None:
    with_frame(folder, "stills", data)
    [problem] = check(folder)
    assert problem.startswith("stills, row ")
    assert words in problem


def test_a_video_frame_that_is_wrong_is_named(folder: Path) -> None:
    with_frame(folder, "video", b"nonsense")
    [problem] = check(folder)
    assert problem.startswith("video, row ")
    assert "cannot be decoded" in problem


def test_a_chunk_that_claims_a_giant_picture_is_not_decoded(folder: Path) -> None:
    """A VP9 key frame of 65,536 × 65,536 pixels: frame marker 2, profile 0, key frame, sync code, colours, size."""
    bits = f"{0b10:02b}00" + "0" + "0" + "1" + "0" + f"{0x498342:024b}" + "001" + "0" + f"{65535:016b}" * 2 + "0" * 64
    data = struct.pack(f"{len(bits) // 8}B", *(int(bits[i : i + 8], 2) for i in range(0, len(bits) // 8 * 8, 8)))
    pack = read_pack(folder / "gaze.pack")
    key = next(iter(pack.payloads[0].frames))
    frames = {cell: Frame(data if cell == key else f.data, f.parent) for cell, f in pack.payloads[0].frames.items()}
    with (folder / "gaze.pack").open("wb") as file:
        write_pack(Pack(pack.facts, [Payload("video", pack.payloads[0].about, frames), pack.payloads[1]]), file)
    assert any("cannot be decoded" in problem for problem in check(folder))


def test_a_pack_of_video_alone_is_not_enough_for_a_folder(folder: Path) -> None:
    pack = read_pack(folder / "gaze.pack")
    with (folder / "gaze.pack").open("wb") as file:
        write_pack(Pack(pack.facts, pack.payloads[:1]), file)
    assert check(folder / "gaze.pack") == []
    assert check(folder) == ["The pack has no stills, which browsers without VideoDecoder need."]
