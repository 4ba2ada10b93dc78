"""Files of too many parts, and tags that overlap: found without reading them as Pillow would."""

from __future__ import annotations

import io
import struct
import time

import pytest
from PIL import Image

from gaze.errors import PhotoError
from gaze.photo.file_limits import is_shredded
from gaze.photo.portrait import load_portrait
from trials.bombs import shredded, strips, tags
from trials.corpus import plain, png_chunk

PNG, TIFF = plain()["PNG"], plain()["TIFF"]
SHREDDED = dict(shredded())


@pytest.mark.parametrize("name", SHREDDED)
def test_a_file_of_millions_of_parts_is_refused_at_once(name: str) -> None:
    started = time.process_time()
    with pytest.raises(PhotoError, match=r"too many parts to be read\. Export it again"):
        load_portrait(SHREDDED[name])
    assert time.process_time() - started < 1


def test_usual_files_are_taken() -> None:
    noise = Image.effect_noise((1600, 1600), 80).convert("RGB")
    for format, options in (("PNG", {}), ("JPEG", {"quality": 95, "comment": b"x" * 60_000}), ("GIF", {})):
        data = io.BytesIO()
        noise.save(data, format, **options)
        assert not is_shredded(data.getvalue()), format
    frames = [Image.new("P", (64, 64), number) for number in range(200)]
    data = io.BytesIO()
    frames[0].save(data, "GIF", save_all=True, append_images=frames[1:])
    assert not is_shredded(data.getvalue())


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"GIF89a" + b"!" * 99]
)
def test_what_is_cut_off_has_few_parts(data: bytes) -> None:
    assert not is_shredded(data)


def test_tags_that_overlap_take_no_more_memory_than_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    size, count = 1_000_000, 200
    exif = b"II*\0" + struct.pack("<IH", 8, count) + tags(8, count, size) + bytes(4 + size)
    place = struct.unpack_from("<I", TIFF, 4)[0]
    known = struct.unpack_from("<H", TIFF, place)[0]
    entries = TIFF[place + 2 : place + 2 + 12 * known] + tags(8, count, size)
    tiff = TIFF[:4] + struct.pack("<I", len(TIFF)) + TIFF[8:] + struct.pack("<H", known + count) + entries
    tiff += bytes(4 + size)
    png = PNG[:33] + png_chunk(b"eXIf", exif) + PNG[33:]
    read: list[int] = []
    plain_read = io.BytesIO.read

    class Counted(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = plain_read(self, size)
            read.append(len(data))
            return data

    monkeypatch.setattr(io, "BytesIO", Counted)
    for data in (tiff, png):
        read.clear()
        assert load_portrait(data).width >= 64
        assert sum(read) < 8 * len(data) < count * size


def test_a_tiff_of_millions_of_strips_is_refused_at_once() -> None:
    assert load_portrait(strips(64)).width == 64
    started = time.process_time()
    with pytest.raises(PhotoError, match="damaged"):
        load_portrait(strips(5_000_000))
    assert time.process_time() - started < 1
