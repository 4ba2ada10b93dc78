"""Whether a picture's file is made of a sensible number of parts.

Pillow walks through the parts of a file one by one, and puts together what it finds: a file of 40 MB that was nothing
but tiny parts kept it busy for minutes, one whose tags all pointed at the same megabytes took all memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from PIL.TiffImagePlugin import ImageFileDirectory_v2

_MOST = {b"\x89PNG\r\n\x1a\n": 20_000, b"\xff\xd8": 5_000, b"GIF8": 200_000}
"""Parts that a file may have, by how it begins: 40 MB in the smallest parts that programs write."""
_EXTENSION = 40
"""As how many blocks of a GIF counts one that is no picture: each is put behind those before it."""


def is_shredded(data: bytes) -> bool:
    """Whether a PNG, JPEG or GIF has too many parts to be read in a second; what is no such file has none."""
    for start, most in _MOST.items():
        if data.startswith(start):
            count = 0
            return any((count := count + weight) > most for weight in _WALKS[start](data))
    return False


def _png(data: bytes) -> Iterator[int]:
    place = 8
    while place < len(data):
        place += 12 + int.from_bytes(data[place : place + 4])
        yield 1


def _jpeg(data: bytes) -> Iterator[int]:
    """Segments before the first pass; what comes after is read by the decoder itself, which is quick."""
    place = 2
    while place + 1 < len(data) and data[place] == 0xFF and data[place + 1] != 0xDA:
        if data[place + 1] in (0x00, 0xFF):
            place += 1
        elif data[place + 1] in (0x01, *range(0xD0, 0xD9)):
            place += 2
        else:
            place += 2 + max(2, int.from_bytes(data[place + 2 : place + 4]))
        yield 1


def _gif(data: bytes) -> Iterator[int]:
    place = 13 + _table(data, 10)
    while place < len(data):
        kind = data[place]
        place += 1
        weight = _EXTENSION if kind == 0x21 else 1
        if kind in (0x21, 0x2C):
            place += 10 + _table(data, place + 8) if kind == 0x2C else 1
            while place < len(data) and data[place]:
                place += 1 + data[place]
                yield weight
            place += 1
        yield weight


def _table(data: bytes, place: int) -> int:
    """Bytes of the colour table that these flags announce."""
    flags = data[place] if place < len(data) else 0
    return 3 * 2 ** (flags % 8 + 1) if flags & 0x80 else 0


_WALKS = dict(zip(_MOST, (_png, _jpeg, _gif), strict=True))


_PLACES = (0x0111, 0x0144)
"""The tags that tell where the strips, or tiles, of a TIFF are."""
_MOST_PLACES = 1_000_000
"""Bytes of such a tag: a quarter of a million strips, of which usual pictures have a few thousand at most."""


class _Bounded:
    """A file of which no more is read than it is long."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        here = file.tell()
        self._left = file.seek(0, 2)
        file.seek(here)

    def read(self, size: int) -> bytes:
        self._left -= size
        if self._left < 0:
            raise OSError("The tags overlap.")
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _Load:
    """Pillow's way to read a directory of tags, of TIFF or of EXIF in any format."""

    plain = ImageFileDirectory_v2.load

    @staticmethod
    def bounded(tags: ImageFileDirectory_v2, file: IO[bytes]) -> None:
        _Load.plain(tags, _Bounded(file))  # type: ignore[arg-type]
        if max(len(tags._tagdata.get(tag, b"")) for tag in _PLACES) > _MOST_PLACES:
            raise OSError("The picture has too many strips or tiles.")


def bound_tags() -> None:
    """Have Pillow read no more by the tags of a file than the file is long, and few strips. Safe to call again."""
    ImageFileDirectory_v2.load = _Load.bounded  # type: ignore[method-assign, assignment]
