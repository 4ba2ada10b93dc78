"""HEIC, the format of most phones, read by a process of its own: on some damaged files its decoder ends the process.

That process runs this file as a program, so it imports nothing of Gaze.
"""

from __future__ import annotations

import io
import subprocess
import sys
from functools import partial
from typing import IO

from PIL import Image, ImageFile

_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
_TOO_LARGE = 3
_PATIENCE = 60
"""Seconds after which the decoder counts as hanging."""


def register_heic(pixels: int, side: int) -> None:
    """Teach Pillow to read HEIC, as its format "HEIF". Safe to call again.

    Args:
        pixels: how many a picture may have; where there are more, opening it raises `Image.DecompressionBombError`.
        side: pictures whose longer side is twice that or more are scaled down to no less.
    """
    Image.register_open("HEIF", partial(_open, pixels, side), _is_heic)
    Image.register_mime("HEIF", "image/heif")
    Image.register_extensions("HEIF", [".heic", ".heif", ".hif"])


def _is_heic(start: bytes) -> bool:
    return start[4:8] == b"ftyp" and start[8:12] in _BRANDS


def _open(pixels: int, side: int, file: IO[bytes], filename: str | bytes) -> ImageFile.ImageFile:
    command = [sys.executable, "-I", __file__, str(pixels), str(side)]
    try:
        done = subprocess.run(command, input=file.read(), capture_output=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired as error:
        raise OSError("The HEIC decoder hangs.") from error
    if done.returncode == _TOO_LARGE:
        raise Image.DecompressionBombError
    if done.returncode:
        raise OSError(f"The HEIC decoder ended with {done.returncode}: {done.stderr[-500:].decode(errors='replace')}")
    picture = Image.open(io.BytesIO(done.stdout), formats=["TIFF"])
    picture.load()
    picture.format = "HEIF"
    return picture


def _main(pixels: int, side: int) -> int:
    """From HEIC on the standard input to TIFF, without metadata but for its colour profile, on the output."""
    import pi_heif

    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    picture = Image.open(io.BytesIO(sys.stdin.buffer.read()), formats=["HEIF"])
    if picture.width * picture.height > pixels:
        return _TOO_LARGE
    profile = picture.info.get("icc_profile")
    picture.load()
    out = io.BytesIO()
    picture.reduce(max(1, max(picture.size) // side)).save(out, "TIFF", exif=b"", icc_profile=profile)
    sys.stdout.buffer.write(out.getbuffer())
    return 0


if __name__ == "__main__":
    sys.exit(_main(*map(int, sys.argv[1:])))
