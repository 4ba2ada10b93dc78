"""From bytes, a file or an array to a `Portrait`: upright 8-bit sRGB, bounded in size, without metadata."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from gaze.errors import PhotoError
from gaze.photo.file_limits import bound_tags, is_shredded
from gaze.photo.heic import register_heic

MAX_BYTES = 40 * 2**20
MAX_PIXELS = 50_000_000
_MAX_PIXELS_OF = {
    "JPEG": 120_000_000,
    "MPO": 120_000_000,
    "PNG": 45_000_000,
    "AVIF": 20_000_000,
    "WEBP": 20_000_000,
}
"""Other limits where decoders take less or more of the 500 MB that a picture may take: JPEG is scaled down while it is
read, AVIF and WebP need up to 16 bytes a pixel."""
_PASS = b"\xff\xda"
"""How one begins; within it these bytes cannot stand together."""
_USUAL_PASSES, _MAX_PASSED = 20, 1_500_000_000
"""As many passes as any program writes, and pixels in all passes together that take a second to read."""
MIN_SIDE = 64
WORKING_SIDE = 2048
"""Longer side, in pixels, beyond which a photo is scaled down when it is read: no output needs more."""

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "TIFF")
"""What is read. Everything else Pillow knows is left out: some of its readers run other programs (EPS)."""
_ANIMATED = ("GIF", "PNG", "WEBP", "AVIF")
"""Where several pictures in a file are an animation. Elsewhere they are previews or pages beside the main one."""

_ACCEPTED = "Use a JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP or TIFF picture."

Photo = str | Path | bytes | BinaryIO | np.ndarray | Image.Image
"""What a portrait can be read from."""


@dataclass(frozen=True)
class Portrait:
    """A photo as the engines see it.

    Attributes:
        image: (height, width, 3) uint8, sRGB, upright.
        notes: what was changed on the way in, in sentences for the person.
        alpha: (height, width) uint8, how opaque each pixel is, where the photo has transparent parts; None where it
            has none. In `image` what is transparent is put on white.
    """

    image: np.ndarray
    notes: tuple[str, ...] = ()
    alpha: np.ndarray | None = None

    @property
    def width(self) -> int:
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        return int(self.image.shape[0])


def register_formats() -> None:
    """Teach Pillow to read HEIC, the format of most phones, and tags with care. Safe to call again."""
    register_heic(MAX_PIXELS, WORKING_SIDE)
    bound_tags()


def load_portrait(photo: Photo) -> Portrait:
    """Read a photo.

    Args:
        photo: a path, the bytes of a file, a binary file, a Pillow image, or a (height, width, 3) uint8 RGB array.

    Raises:
        PhotoError: it is missing, no picture, damaged, too small or too large; the message says which.
    """
    if isinstance(photo, np.ndarray):
        if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
            raise PhotoError(
                f"The array is {photo.dtype} of shape {photo.shape}. Give RGB as uint8, (height, width, 3)."
            )
        photo = Image.fromarray(photo)
    notes: list[str] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = photo if isinstance(photo, Image.Image) else _open(photo)
            _check_size(image)
            if image.format in _ANIMATED and getattr(image, "is_animated", False):
                notes.append("The picture is animated; its first frame is used.")
                image.seek(0)
            image.draft(image.mode, (WORKING_SIDE, WORKING_SIDE))
            image.load()
            rgb = _to_srgb(_upright(_reduced(image)), notes)
    except PhotoError:
        raise
    except Exception as error:  # Decoders give all kinds for damaged files.
        raise PhotoError("The picture is damaged or cut off. Export it again, or take another.") from error
    if max(rgb.size) > WORKING_SIDE:
        rgb.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.LANCZOS)
    return Portrait(np.array(rgb), tuple(notes))


def _open(photo: str | Path | bytes | BinaryIO) -> Image.Image:
    """Read the header, and no more, of a file or its bytes."""
    if isinstance(photo, (str, Path)):
        path = Path(photo)
        if path.is_dir():
            raise PhotoError(f"{path} is a folder. Name the photo in it.")
        if not path.is_file():
            raise PhotoError(f"There is no file {path}. Check the name.")
        size = path.stat().st_size
        data = path.read_bytes() if size <= MAX_BYTES else b""
    else:
        data = photo if isinstance(photo, bytes) else photo.read(MAX_BYTES + 1)
        size = len(data)
    if size == 0:
        raise PhotoError(f"The file is empty. {_ACCEPTED}")
    if size > MAX_BYTES:
        limit = MAX_BYTES // 2**20
        raise PhotoError(f"The file is larger than {limit} MB. Export the photo smaller; 2000 pixels are plenty.")
    if is_shredded(data):
        raise PhotoError("The picture's file is made of too many parts to be read. Export it again.")
    register_formats()
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        _check_passes(image, data)
        return image
    except UnidentifiedImageError as error:
        raise PhotoError(f"This is no picture that can be read. {_ACCEPTED}") from error
    except Image.DecompressionBombError as error:
        raise _too_large(MAX_PIXELS) from error


def _check_passes(image: Image.Image, data: bytes) -> None:
    """A JPEG may hold any number of passes over the whole picture, of a few bytes each; usual are one to twelve."""
    passes = data.count(_PASS) if image.format in ("JPEG", "MPO") else 0
    if passes > _USUAL_PASSES and passes * image.width * image.height > _MAX_PASSED:
        raise PhotoError(f"The picture is stored in {passes} passes, which take too long to read. Export it again.")


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    most = MAX_PIXELS if image.info.get("progressive") else _MAX_PIXELS_OF.get(image.format or "", MAX_PIXELS)
    if width * height > most:
        raise _too_large(most)
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            f"The picture has only {width} × {height} pixels. Use one with at least {MIN_SIDE} on each side, "
            "better 512 or more."
        )


def _too_large(most: int) -> PhotoError:
    return PhotoError(
        f"The picture has more than {most // 1_000_000} million pixels. "
        "Scale it down; 2000 on the longer side are plenty."
    )


def _reduced(image: Image.Image) -> Image.Image:
    """The picture without most of what is beyond the working size: copies of 50 million pixels take 200 MB each."""
    factor = max(image.size) // WORKING_SIDE
    if factor < 2:
        return image
    if image.mode in ("P", "1") or image.mode.startswith("I;"):
        plain = "I" if image.mode.startswith("I;") else "RGBA" if "transparency" in image.info else "RGB"
        image = image.convert(plain)
    return image.reduce(factor)


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # Damaged EXIF data say nothing about the picture itself.
        return image


def _to_srgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """Any Pillow mode to RGB: embedded profile applied, deep pictures scaled to 8 bits, transparency put on white."""
    if image.mode.startswith(("I", "F")):
        deep = np.asarray(image, np.float64)
        # PNG and TIFF store 16-bit grey on the full range; a picture in [0, 1] or 8 bits in a wide type keeps its own.
        top = 65535.0 if deep.max() > 255 else 255.0 if deep.max() > 1 else 1.0
        return Image.fromarray((np.clip(deep / top, 0, 1) * 255 + 0.5).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        if np.asarray(rgba)[..., 3].min() < 255:
            notes.append("Transparent parts of the picture were filled with white.")
        backdrop = Image.new("RGBA", rgba.size, "white")
        backdrop.alpha_composite(rgba)
        backdrop.info["icc_profile"] = image.info.get("icc_profile")
        image = backdrop.convert("RGB")
    if image.mode == "P":
        image = image.convert("RGB")
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # A broken or mismatched profile: the plain conversion is the best that is left.
    return image.convert("RGB")
