"""From the bytes of a picture to rows of upright 8-bit sRGB, reduced where it is large.

Runs in a process of its own (`worker`), so it imports nothing of Gaze. What hostile files make it take is bounded by
that process alone: it walks through no format itself.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

import pi_heif
from PIL import AvifImagePlugin, Image, ImageCms, ImageOps, UnidentifiedImageError

_MOST = 50
"""Millions of pixels that a picture may have."""
_MOST_OF = {"JPEG": 120, "MPO": 120, "PNG": 45, "AVIF": 20, "WEBP": 20, "HEIF": 26}
"""The same, where decoders do more or less in a second, or need more memory: JPEG is scaled down while it is read,
AVIF and WebP need up to 16 bytes a pixel."""
_MOST_TRANSPARENT = {"TIFF": 40, "PNG": 26}
"""The same, with transparency."""
_LONGER = {"HEIF": 3.0}
"""How many times more time than others a format gets for its pixels: phones make HEIC of 24 million."""
_MIN_SIDE = 64
_ACCEPTED = "Use a JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP or TIFF picture."

_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "TIFF")
"""What is read. Everything else Pillow knows is left out: some of its readers run other programs (EPS)."""
_PLUGINS = ("Bmp", "Gif", "Jpeg", "Mpo", "Png", "Tiff", "WebP")
_ANIMATED = ("GIF", "PNG", "WEBP", "AVIF")
"""Where several pictures in a file are an animation. Elsewhere they are previews or pages beside the main one."""
_STRANGERS = (
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript drawing"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"PK\3\4", "a zip archive or an office document"),
    (0, b"\x1aE\xdf\xa3", "a video"),
    (0, b"<svg", "an SVG drawing"),
    (0, b"<!doctype", "a web page"),
    (0, b"<html", "a web page"),
    (0, b"OggS", "a sound or a video"),
    (0, b"ID3", "a sound"),
    (8, b"AVI ", "a video"),
    (8, b"WAVE", "a sound"),
    (4, b"ftyp", "a video"),
    (4, b"moov", "a video"),
    (4, b"mdat", "a video"),
)
"""Files that people take for photos: where what stands in them. HEIC and AVIF were tried before."""
_WHITE_IS_ZERO, _PHOTOMETRIC, _BITS, _SAMPLE_FORMAT = 0, 262, 258, 339
"""Of TIFF 6.0: a value, and three tags."""


class RefusedError(Exception):
    """A picture that cannot be used; the text is for the person who gave it."""


@dataclass(frozen=True)
class Decoded:
    """A picture whose rows are still to come.

    Attributes:
        height, width: in pixels.
        has_alpha: whether parts of it are transparent.
        notes: what was changed, in sentences for the person.
        rows: the bytes of blocks of rows: RGB, (n, width, 3), on white; and, where there is one, alpha, (n, width).
    """

    height: int
    width: int
    has_alpha: bool
    notes: tuple[str, ...]
    rows: Iterator[tuple[bytes, bytes]]


def prepare() -> None:
    """Teach this process's Pillow to read HEIC, and its decoders to use one thread."""
    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    for name in _PLUGINS:
        import_module(f"PIL.{name}ImagePlugin")  # else the first picture of each kind would wait for it
    Image.MAX_IMAGE_PIXELS = None  # limits of our own follow
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1


def decode(data: bytes, most: int, rows: int = 256, allow: Callable[[float], None] | None = None) -> Decoded:
    """Read a picture.

    Args:
        data: its file.
        most: pixels above which it is reduced.
        rows: in each block of the result.
        allow: called when its header is read, with how large it is: 1 is as large as its format may be, and more where
            that takes longer.

    Raises:
        RefusedError: it is no picture, damaged, too small or too large; the message says which.
        MemoryError: there is not enough for it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decode(data, most, rows, allow)
    except (RefusedError, MemoryError):
        raise
    except Exception as error:  # decoders give all kinds for damaged files
        raise RefusedError("The picture is damaged or cut off. Export it again, or take another.") from error


def _decode(data: bytes, most: int, rows: int, allow: Callable[[float], None] | None) -> Decoded:
    if not data:
        raise RefusedError(f"The file is empty. {_ACCEPTED}")
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError as error:
        raise RefusedError(f"This is {_name_of(data)}. {_ACCEPTED}") from error
    size = _size(image)
    if allow:
        allow(size * _LONGER.get(image.format or "", 1.0))
    notes = []
    if image.format in _ANIMATED and getattr(image, "is_animated", False):
        notes.append("The picture is animated; its first frame is used.")
        image.seek(0)
    factor = _factor(image, most)
    image.draft(image.mode, (image.width // factor, image.height // factor))
    image.load()
    depth = _depth(image)
    image = _upright(_plain(_reduced(image, most)))
    has_alpha = image.mode == "RGBA" and image.getchannel("A").getextrema()[0] != 255
    return Decoded(image.height, image.width, has_alpha, tuple(notes), _rows(image, depth, has_alpha, rows))


def _name_of(data: bytes) -> str:
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for place, mark, name in _STRANGERS:
        if start[place : place + len(mark)] == mark.lower():
            return f"{name}, not a picture"
    if start.startswith(b"<?xml") and b"<svg" in start:
        return "an SVG drawing, not a picture"
    return "not a picture that can be read"


def _size(image: Image.Image) -> float:
    """How large a picture is, of the largest of its format."""
    width, height = image.size
    kind = image.format or ""
    most = _MOST if image.info.get("progressive") else _MOST_OF.get(kind, _MOST)
    if image.has_transparency_data:
        most = _MOST_TRANSPARENT.get(kind, most)
    size = width * height / (most * 1e6)
    if size > 1:
        raise RefusedError(
            f"The picture has more than {most} million pixels. Scale it down; 4000 on the longer side are enough."
        )
    if min(width, height) < _MIN_SIDE:
        raise RefusedError(
            f"The picture has only {width} × {height} pixels. Use one with at least {_MIN_SIDE} on each side, "
            "better 512 or more."
        )
    return size


def _factor(image: Image.Image, most: int) -> int:
    """By how much each side is to be divided, a power of two as JPEG's decoder needs it."""
    return 1 << max(0, math.ceil(math.log2(image.width * image.height / most) / 2))


def _reduced(image: Image.Image, most: int) -> Image.Image:
    factor = _factor(image, most)
    if factor < 2:
        return image
    if image.mode in ("P", "1"):
        image = image.convert("RGBA" if "transparency" in image.info else "RGB" if image.mode == "P" else "L")
    elif image.mode.startswith("I;"):
        image = image.convert("I")
    return image.reduce(factor)


def _upright(image: Image.Image) -> Image.Image:
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except MemoryError:
        raise
    except Exception:  # damaged EXIF data say nothing about the picture itself
        pass
    return image


def _plain(image: Image.Image) -> Image.Image:
    """Without palettes and odd kinds of transparency."""
    if image.mode == "RGBA":
        return image
    if image.mode in ("LA", "PA", "La", "RGBa") or (
        "transparency" in image.info and image.mode in ("P", "L", "RGB", "1")
    ):
        plain = image.convert("RGBA")
    elif image.mode == "P":
        plain = image.convert("RGB")
    else:
        return image
    plain.info |= {name: image.info[name] for name in ("icc_profile", "exif") if name in image.info}
    return plain


@dataclass(frozen=True)
class _Depth:
    """How the numbers of a deep grey picture are to be read: `top` is white, or black if `inverted`."""

    unsigned: bool
    top: float
    inverted: bool


def _depth(image: Image.Image) -> _Depth | None:
    """None for pictures of 8 bits."""
    if not image.mode.startswith(("I", "F")):
        return None
    import numpy as np  # takes as long as all else that a process needs to start, and few pictures are so deep

    tags = getattr(image, "tag_v2", {})  # a TIFF's
    inverted = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    bits = max(tags.get(_BITS, (16,)))
    unsigned = image.mode == "I" and bits == 32 and max(tags.get(_SAMPLE_FORMAT, (1,))) == 1
    # A sample is enough, and a few pixels beyond all others are none's white.
    step = max(1, math.isqrt(image.width * image.height // 1_000_000))
    small = (max(1, image.width // step), max(1, image.height // step))
    sample = np.asarray(image.resize(small, Image.Resampling.NEAREST))  # an array of all would be a second picture
    sample = sample.view(np.uint32) if unsigned else sample
    sample = sample[np.isfinite(sample)]
    high = float(np.percentile(sample, 99.5)) if sample.size else 1.0
    # Programs write levels of 8, 16 or 32 bits into a wide type; floating point is [0, 1], or a little more.
    tops = [255.0, 2.0**bits - 1] if image.mode.startswith("I;") else [255.0, 65535.0, 2.0**32 - 1]
    if image.mode == "F":
        tops = [1.0, *tops]
    fits = 1.5 if image.mode == "F" else 1.0
    return _Depth(unsigned, next((top for top in tops if high <= fits * top), high), inverted)


def _rows(image: Image.Image, depth: _Depth | None, has_alpha: bool, rows: int) -> Iterator[tuple[bytes, bytes]]:
    profile = image.info.get("icc_profile") if depth is None else None
    if image.mode == "RGBA" and not has_alpha:
        image = image.convert("RGB")
    managed = _managing(profile, "RGB" if has_alpha else image.mode) if profile else None
    for top in range(0, image.height, rows):
        block = image.crop((0, top, image.width, min(image.height, top + rows)))
        alpha = b""
        if depth:
            rgb = _levels(block, depth)
        else:
            if has_alpha:
                alpha = block.getchannel("A").tobytes()
                white = Image.new("RGB", block.size, "white")
                white.paste(block, mask=block)
                block = white
            rgb = (managed and ImageCms.applyTransform(block, managed)) or block.convert("RGB")
        yield rgb.tobytes(), alpha


def _levels(block: Image.Image, depth: _Depth) -> Image.Image:
    import numpy as np

    pixels = np.asarray(block)
    values = (pixels.view(np.uint32) if depth.unsigned else pixels).astype(np.float64)
    share = np.clip(np.nan_to_num(values, nan=0.0) / depth.top, 0, 1)
    share = 1 - share if depth.inverted else share
    return Image.fromarray((share * 255 + 0.5).astype(np.uint8)).convert("RGB")


def _managing(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way from an embedded profile to sRGB."""
    if mode not in ("RGB", "CMYK", "L", "LAB"):
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None  # a broken or mismatched profile: the plain conversion is the best that is left
