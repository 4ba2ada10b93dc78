"""From bytes, a file or an array to a `Portrait`: upright 8-bit sRGB, bounded in size, without metadata.

Files are read in a box (`gaze.photo.box`): what is done here touches none of their bytes.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from gaze.errors import PhotoError
from gaze.photo import reading

MAX_BYTES = 40 * 2**20
KEPT_PIXELS = 26_000_000
"""As many as usual cameras give. Of larger photos each side is halved, or divided by four: no output needs more."""

_LETTERS = 100
"""Of a name that is no name, as much as is told: somebody may have given a whole picture for one."""
_WRITABLE = ("1", "L", "P", "I;16", "I", "F", "RGB", "RGBA", "CMYK", "LAB")
"""Pillow's modes that TIFF keeps as they are."""

Photo = str | Path | bytes | BinaryIO | np.ndarray | Image.Image
"""What a portrait can be read from."""


@dataclass(frozen=True)
class Original:
    """The photo that a portrait was cut from and scaled down.

    Attributes:
        photo: (height, width, 3) uint8.
        window: x, y, width and height, in its pixels, of what the portrait shows.
        framed: the portrait's picture as it was then; a portrait with another one was changed since.
    """

    photo: np.ndarray
    window: tuple[int, int, int, int]
    framed: np.ndarray


@dataclass(frozen=True)
class Portrait:
    """A photo as the engines see it.

    Attributes:
        image: (height, width, 3) uint8, sRGB, upright.
        notes: what was changed on the way in, in sentences for the person.
        alpha: (height, width) uint8, how opaque each pixel is, where the photo has transparent parts; None where it
            has none. In `image` what is transparent is put on white.
        original: where there is more to see than in `image`.
    """

    image: np.ndarray
    notes: tuple[str, ...] = ()
    alpha: np.ndarray | None = None
    original: Original | None = None

    @cached_property
    def digest(self) -> bytes:
        """Another one for every other picture, without its transparency."""
        digest = hashlib.sha256(repr(self.image.shape).encode())
        digest.update(np.ascontiguousarray(self.image).data)
        return digest.digest()

    @property
    def width(self) -> int:
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        return int(self.image.shape[0])


def load_portrait(photo: Photo) -> Portrait:
    """Read a photo.

    Args:
        photo: a path, the bytes of a file, a binary file, a Pillow image, or a (height, width, 3) uint8 RGB array.

    Raises:
        PhotoError: it is missing, no picture, damaged, too small or too large, or takes too long to be read; the
            message says which.
    """
    with closing(read_portrait(photo)) as steps:
        while True:
            try:
                next(steps)
            except StopIteration as end:
                portrait: Portrait = end.value
                return portrait


def read_portrait(photo: Photo) -> Generator[None, None, Portrait]:
    """`load_portrait` step by step, some each second; closing the generator ends the reading at once."""
    if isinstance(photo, np.ndarray):
        if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
            raise PhotoError(
                f"The array is {photo.dtype} of shape {photo.shape}. Give RGB as uint8, (height, width, 3)."
            )
        photo = Image.fromarray(photo)
    pixels = yield from reading.read(_source(photo), KEPT_PIXELS)
    return Portrait(pixels.rgb, pixels.notes, pixels.alpha)


def _source(photo: str | Path | bytes | BinaryIO | Image.Image) -> reading.Source:
    if isinstance(photo, Image.Image):
        return reading.Source(partial(_as_file, photo))
    if not isinstance(photo, (str, Path)):
        data = photo if isinstance(photo, bytes) else photo.read(MAX_BYTES + 1)
        _check_bytes(len(data))
        return reading.Source(lambda: data)
    path = Path(photo)
    try:
        if path.is_dir():
            raise PhotoError(f"{path} is a folder. Name the photo in it.")
        if not path.is_file():
            raise PhotoError(f"There is no file {path}. Check the name.")
        state = path.stat()
    except OSError as error:  # the name is too long, or leads through a folder that is not for this user
        raise PhotoError(f"{str(path)[:_LETTERS]} cannot be read: {error.strerror}. Check the name.") from error
    _check_bytes(state.st_size)
    return reading.Source(partial(_bytes_of, path), f"{path.resolve()} {state.st_size} {state.st_mtime_ns}")


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise PhotoError("The photo is not there any more. Add it again.") from error
    except OSError as error:
        raise PhotoError(f"{path} cannot be read: {error.strerror}. Check who may read it.") from error


def _check_bytes(size: int) -> None:
    if size > MAX_BYTES:
        limit = MAX_BYTES // 2**20
        raise PhotoError(f"The file is larger than {limit} MB. Export the photo smaller; 4000 pixels are enough.")


def _as_file(picture: Image.Image) -> bytes:
    """A Pillow image, and what it says of its colours and of which side is up, without loss."""
    out = io.BytesIO()
    try:
        extra = {"exif": picture.getexif(), "icc_profile": picture.info.get("icc_profile")}
        if picture.mode not in _WRITABLE or "transparency" in picture.info:
            picture = picture.convert("RGBA")
        picture.save(out, "TIFF", **{name: value for name, value in extra.items() if value})
    except Exception as error:  # a picture that is opened but not read yet is read now
        raise PhotoError("The picture is damaged or cut off. Export it again, or take another.") from error
    return out.getvalue()
