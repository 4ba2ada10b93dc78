"""Files of too many parts, and tags that overlap: found without reading them as Pillow would."""

from __future__ import annotations

import io
import struct
import time

import pytest
from PIL import Image

from gaze.errors import PhotoError
from gaze.portrait import load_portrait
from gaze.structure import is_shredded
from trials.corpus import plain, png_chunk

MOST = 39 * 2**20
PNG, JPEG, GIF, TIFF = (plain()[name] for name in ("PNG", "JPEG", "GIF", "TIFF"))
AFTER_TABLE = 13 + 3 * 2 ** (GIF[10] % 8 + 1)

SHREDDED = {
    "chunks": PNG[:33] + png_chunk(b"teSt", b"") * (MOST // 12) + PNG[33:],
    "chunks behind": PNG[:-12] + png_chunk(b"teSt", b"") * (MOST // 12) + PNG[-12:],
    "segments": JPEG[:2] + b"\xff\xe5\0\x02" * (MOST // 4) + JPEG[2:],
    "segments of no length": JPEG[:2] + b"\xff\xe5\0\0" * (MOST // 4),
    "fill bytes": JPEG[:2] + b"\xff" * MOST + JPEG[2:],
    "comments": GIF[:AFTER_TABLE] + b"\x21\xfe\x01a\0" * (MOST // 5) + GIF[AFTER_TABLE:],
    "blocks of a comment": GIF[:AFTER_TABLE] + b"\x21\xfe" + b"\x01a" * (MOST // 2) + b"\0" + GIF[AFTER_TABLE:],
    "comments between pictures": GIF[:-1] + b"\x21\xfe\x01a\0" * (MOST // 5) + GIF[AFTER_TABLE:],
    "blocks of a picture": GIF[:AFTER_TABLE] + b"\x2c" + bytes(8) + b"\0\x08" + b"\x01a" * (MOST // 2),
}


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


def tags(start: int, count: int, size: int) -> bytes:
    """Entries of a directory that all point at the same bytes."""
    return b"".join(struct.pack("<HHII", 40_000 + number, 2, size, start) for number in range(count))


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


def strips(count: int) -> bytes:
    """A grey TIFF of a row in each strip, all at one place."""
    values = [(256, 1, 64), (257, 1, 64), (258, 1, 8), (259, 1, 1), (262, 1, 1), (273, count, 0), (277, 1, 1)]
    values += [(278, 1, 1), (279, count, 0)]
    start = 8 + 2 + 12 * len(values) + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, many, value or start) for tag, many, value in values)
    data = struct.pack("<I", 64) * count + bytes(64 * 64)
    return b"II*\0" + struct.pack("<IH", 8, len(values)) + entries + bytes(4) + data


def test_a_tiff_of_millions_of_strips_is_refused_at_once() -> None:
    assert load_portrait(strips(64)).width == 64
    started = time.process_time()
    with pytest.raises(PhotoError, match="damaged"):
        load_portrait(strips(5_000_000))
    assert time.process_time() - started < 1
