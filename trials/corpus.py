"""One face in every format that is read, and what damages make of it."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from PIL import Image

from benchmarks.instant import PHOTO

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = PHOTO
HEIC = ROOT / "tests" / "data" / "portrait.heic"
"""The example, since nothing here can write HEIC (tests/data/README.md)."""
MARK = b"PLANTED-48.8584N-2.2945E"
"""What is put wherever a file can say something about a person, and must reach no output."""
PLACE = ((48.0, 51.0, 30.24), (2.0, 17.0, 40.2))
SUFFIXES = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "AVIF": ".avif",
    "GIF": ".gif",
    "BMP": ".bmp",
    "TIFF": ".tif",
    "HEIC": ".heic",
}


@cache
def face(side: int = 256) -> Image.Image:
    """The example portrait, RGB, `side` × `side` pixels; in these sizes one clear face."""
    with Image.open(EXAMPLE) as picture:
        return picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)


def save(picture: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.copy().save(out, format, **options)  # a copy: encoders leave settings behind that other formats refuse
    return out.getvalue()


@cache
def plain() -> dict[str, bytes]:
    """The face in every format, by name."""
    picture = face()
    return {
        "JPEG": save(picture, "JPEG", quality=90),
        "progressive JPEG": save(picture, "JPEG", quality=90, progressive=True),
        "PNG": save(picture, "PNG"),
        "WebP": save(picture, "WEBP", quality=90),
        "lossless WebP": save(picture, "WEBP", lossless=True),
        "AVIF": save(picture, "AVIF", quality=85, speed=9),
        "HEIC": HEIC.read_bytes(),
        "GIF": save(picture, "GIF"),
        "BMP": save(picture, "BMP"),
        "TIFF": save(picture, "TIFF"),
        "LZW TIFF": save(picture, "TIFF", compression="tiff_lzw"),
    }


def suffix_of(name: str) -> str:
    return SUFFIXES[name.split()[-1].upper()]


def truncated(data: bytes) -> Iterator[bytes]:
    """At every twentieth of its length."""
    return (data[: len(data) * share // 20] for share in range(1, 20))


def flipped(data: bytes, seed: int) -> bytes:
    """With 1 to 20 bits of it flipped, one half of the time near its beginning, where headers are."""
    chance = random.Random(seed)
    end = len(data) if seed % 2 else min(512, len(data))
    spoiled = bytearray(data)
    for _ in range(chance.randint(1, 20)):
        spoiled[chance.randrange(end)] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
