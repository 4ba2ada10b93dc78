"""Pictures for which decoders and colour managers take long, or much memory: no large file is needed for that."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image

from trials.bombs import overlapping_tags, strips
from trials.corpus import face, plain, png_chunk, save

_LARGE_FOR_PNG = 2**20
"""Bytes of a profile: Pillow takes no more."""


def with_profile(profile: bytes, side: int = 512) -> bytes:
    """A PNG with an ICC profile, whether it makes sense or not; a TIFF where a PNG's would be too large."""
    if len(profile) > _LARGE_FOR_PNG:
        return save(face().resize((side, side)), "TIFF", icc_profile=profile)
    whole = save(face().resize((side, side)), "PNG")
    return whole[:33] + png_chunk(b"iCCP", b"x\0\0" + zlib.compress(profile, 9)) + whole[33:]


def profile(*more: tuple[bytes, bytes], kind: bytes = b"mntr", space: bytes = b"RGB ") -> bytes:
    """A matrix profile of sRGB's primaries (ICC.1:2022), with more tags."""
    tags = [
        (b"desc", _text("x")),
        (b"cprt", _text("y")),
        (b"wtpt", _xyz(0.9642, 1, 0.8249)),
        (b"rXYZ", _xyz(0.436, 0.222, 0.014)),
        (b"gXYZ", _xyz(0.385, 0.717, 0.097)),
        (b"bXYZ", _xyz(0.143, 0.061, 0.714)),
        *((name, _curve(())) for name in (b"rTRC", b"gTRC", b"bTRC")),
    ]
    tags = [(name, data) for name, data in tags if name not in dict(more)] + list(more)
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, data in tags:
        data += bytes(-len(data) % 4)
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s12s4s4sI4s4sQI", start + len(body), b"lcms", 0x04300000, kind, space, b"XYZ ",
                       bytes(12), b"acsp", b"APPL", 0, b"none", b"none", 0, 0)  # fmt: skip
    head += struct.pack(">III", 0xF6D6, 0x10000, 0xD32D) + b"lcms" + bytes(44)
    return head + struct.pack(">I", len(tags)) + table + body


def elements(count: int) -> bytes:
    """A tag with one matrix that so many processing elements point at."""
    matrix = b"matf\0\0\0\0" + struct.pack(">HH12f", 3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1e-7, 0, 0)
    return b"mpet\0\0\0\0" + struct.pack(">HHI", 3, 3, count) + struct.pack(">II", 16 + 8 * count, 56) * count + matrix


def grid(points: int) -> bytes:
    """A tag with a table of colours, so many on each side."""
    table = b"mft2\0\0\0\0" + bytes([3, 3, points, 0]) + struct.pack(">9i", *(65536, 0, 0, 0, 65536, 0, 0, 0, 65536))
    return table + struct.pack(">HH", 4096, 4096) + bytes(2 * 3 * 4096) + bytes(6 * points**3) + bytes(2 * 3 * 4096)


def curves(count: int) -> list[tuple[bytes, bytes]]:
    """The three curves, of so many points."""
    return [(name, _curve(range(0, count * 7, 7))) for name in (b"rTRC", b"gTRC", b"bTRC")]


def fax(width: int, height: int) -> bytes:
    """A TIFF that claims many rows of CCITT data, which are nonsense: libtiff complains of each."""
    data = b"\x55" * 1000
    values = {256: width, 257: height, 258: 1, 259: 4, 262: 0, 273: 8 + 2 + 9 * 12 + 4, 277: 1, 278: height,
              279: len(data)}  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in values.items())
    return b"II*\0" + struct.pack("<IH", 8, len(values)) + entries + bytes(4) + data


def bmp(width: int, height: int, body: bytes) -> bytes:
    """Of run lengths."""
    palette = b"".join(bytes([level, level, level, 0]) for level in range(256))
    start = 54 + len(palette)
    head = b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start)
    head += struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(body), 2835, 2835, 0, 0)
    return head + palette + body


def profiles(count: int) -> bytes:
    """A PNG with so many compressed profiles of a megabyte each."""
    million = zlib.compress(bytes(1_048_000), 9)
    whole = plain()["PNG"]
    return whole[:33] + png_chunk(b"iCCP", b"a\0\0" + million) * count + whole[33:]


def chunks(count: int) -> bytes:
    """A PNG with so many chunks of text, each a byte long."""
    whole = plain()["PNG"]
    return whole[:33] + png_chunk(b"tEXt", b"a\0b") * count + whole[33:]


def gif(width: int, height: int, count: int) -> bytes:
    """A GIF of so many blocks in which nothing but “begin anew” stands (LZW's clear code, 9 bits wide)."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0) + bytes(3 * 256)
    image = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x08"
    codes = int("1" + "0" * 8, 2)
    bits = sum(codes << 9 * number for number in range(8)).to_bytes(9, "little")
    return head + image + (b"\x09" + bits) * count + b"\0;"


def junk_then_segments(count: int) -> bytes:
    """A JPEG of so many empty comments, after bytes that are no marker."""
    return b"\xff\xd8\xff\xe5\0\x02x" + b"\xff\xfe\0\x02" * count + plain()["JPEG"][2:]


def passes(count: int) -> bytes:
    """A progressive JPEG whose last pass comes so many times."""
    data = io.BytesIO()
    Image.new("L", (1000, 1000), 128).save(data, "JPEG", progressive=True)
    whole = data.getvalue()
    return whole[:-2] + whole[whole.rindex(b"\xff\xda") : -2] * count + b"\xff\xd9"


QUICK: dict[str, Callable[[], bytes]] = {
    "ICC profile of 120,000 elements": lambda: with_profile(profile((b"D2B0", elements(120_000)))),
    "BMP of runs of one pixel": lambda: bmp(7000, 7000, b"\x01\x80\0\0" * 7000 + b"\0\1"),
    "PNG of 8,000 profiles": lambda: profiles(8000),
    "JPEG of millions of segments": lambda: junk_then_segments(9_000_000),
    "JPEG of 30,000 passes": lambda: passes(30_000),
    "TIFF of overlapping tags": lambda: overlapping_tags(2000, 1_000_000),
    "TIFF of 3,000,000 strips": lambda: strips(3_000_000),
}
"""One of each kind, by name; each passes a limit."""


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(int(value * 65536) for value in values))


def _text(text: str) -> bytes:
    return b"mluc\0\0\0\0" + struct.pack(">IIHHII", 1, 12, 0x656E, 0x5553, 2 * len(text), 28) + text.encode("utf-16-be")


def _curve(points: range | tuple[int, ...]) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">I", len(points)) + b"".join(struct.pack(">H", it % 65536) for it in points)
