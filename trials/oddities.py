"""Odd pictures that are good all the same: unusual depths, colours, palettes, animations, orientations, EXIF data."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator

import numpy as np
from PIL import Image, ImageCms

from trials.corpus import face, flipped, png_chunk, save
from trials.gamuts import GAMUTS, in_profile, lab, profile
from trials.planted import metadata


def odd() -> Iterator[tuple[str, str, bytes, Image.Image]]:
    """Pictures that are to look right: their kind, a name, the file, and how it has to look."""
    picture = face()
    grey, green = picture.convert("L").convert("RGB"), picture.getchannel("G").convert("RGB")
    deep = np.asarray(picture).astype(np.uint16) * 257
    later = [Image.new("RGB", picture.size, "white"), Image.new("RGB", picture.size, "black")]

    kind = "16 bits, floating point"
    yield kind, "grey PNG", save(Image.fromarray(deep[..., 1]), "PNG"), green
    yield kind, "grey TIFF", save(Image.fromarray(deep[..., 1]), "TIFF"), green
    yield kind, "colour PNG", deep_png(deep), picture
    yield kind, "floating-point TIFF", save(Image.fromarray(deep[..., 1] / np.float32(65535)), "TIFF"), green

    kind = "CMYK, CIELAB, grey"
    yield kind, "CMYK JPEG", save(picture.convert("CMYK"), "JPEG", quality=95), picture
    yield kind, "CMYK TIFF", save(picture.convert("CMYK"), "TIFF"), picture
    yield kind, "CIELAB TIFF", save(lab(picture), "TIFF"), picture
    yield kind, "grey JPEG", save(picture.convert("L"), "JPEG", quality=95), grey

    kind = "palettes, transparency"
    hole = (0, 0, 40, picture.height)
    half, on_white = picture.convert("RGBA"), picture.copy()
    half.paste((0, 0, 0, 0), hole)
    on_white.paste("white", hole)
    few = picture.quantize(255)
    few.putpalette([*(few.getpalette() or [])[:765], 0, 0, 0])
    clear = few.copy()
    clear.paste(255, hole)
    yield kind, "palette PNG", save(few, "PNG"), picture
    yield kind, "palette PNG with transparency", save(clear, "PNG", transparency=255), on_white
    yield kind, "GIF with transparency", save(clear, "GIF", transparency=255), on_white
    yield kind, "grey PNG with alpha", save(half.convert("LA"), "PNG"), on_white.convert("L").convert("RGB")
    for format in ("PNG", "WEBP", "AVIF", "TIFF"):
        yield kind, f"{format} with alpha", save(half, format), on_white

    kind = "animations, several pictures in a file"
    for format in ("GIF", "WEBP", "PNG", "AVIF"):
        yield (
            kind,
            f"animated {format}",
            save(picture, format, save_all=True, append_images=later, duration=99),
            picture,
        )
    for format in ("MPO", "TIFF"):
        more = [other.copy() for other in later]
        yield kind, format, save(picture, format, save_all=True, append_images=more), picture

    kind = "display P3, Adobe RGB, ProPhoto RGB"
    for name in GAMUTS:
        wide, icc = in_profile(picture, name), profile(name)
        yield kind, f"JPEG in {name}", save(wide, "JPEG", quality=97, subsampling=0, icc_profile=icc), picture
        yield kind, f"PNG in {name}", save(wide, "PNG", icc_profile=icc), picture
        yield kind, f"palette PNG in {name}", save(wide.quantize(250), "PNG", icc_profile=icc), picture
        yield kind, f"AVIF in {name}", save(wide, "AVIF", quality=97, icc_profile=icc), picture

    kind = "colour profiles that are damaged, or of another kind"
    other = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for icc in (profile("Adobe RGB")[:200], other, b"x"):
        yield kind, f"PNG, {len(icc)} bytes", save(picture, "PNG", icc_profile=icc), picture

    kind = "EXIF orientation 1 to 8, and 77"
    for format in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF"):
        for orientation in (*range(1, 9), 77):
            exif = Image.Exif()
            exif[0x0112] = orientation
            stored = turned_for(picture, orientation)
            yield kind, f"{format}, {orientation}", save(stored, format, exif=exif, quality=95), picture


def damaged_exif(seeds: Iterable[int]) -> Iterator[bytes]:
    """Good pictures whose EXIF data had bits flipped."""
    exif = metadata().tobytes()
    return (save(face(), "JPEG", exif=exif[:6] + flipped(exif[6:], 2 * seed), quality=95) for seed in seeds)


def turned_for(picture: Image.Image, orientation: int) -> Image.Image:
    """The picture as a camera stores it that was held so."""
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    return picture.transpose(Image.Transpose(turns[orientation])) if orientation in turns else picture


def grey_tiff(pixels: np.ndarray, white_is_zero: bool = False, bits: int = 0, width: int = 0) -> bytes:
    """A grey TIFF of any depth, which Pillow cannot write.

    Args:
        pixels: (h, w), whole numbers without a sign, or floating point.
        white_is_zero: what its header says of the colours.
        bits, width: where they are not those of the array: samples that do not fill bytes.
    """
    kind = 3 if pixels.dtype.kind == "f" else 1
    size = pixels.nbytes
    values = {256: width or pixels.shape[1], 257: pixels.shape[0], 258: bits or 8 * pixels.itemsize, 259: 1}
    values |= {262: 0 if white_is_zero else 1, 273: 8 + 2 + 12 * 10 + 4, 277: 1, 278: pixels.shape[0], 279: size}
    values[339] = kind
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in values.items())
    return b"II*\0" + struct.pack("<IH", 8, len(values)) + entries + bytes(4) + pixels.tobytes()


def deep_png(pixels: np.ndarray) -> bytes:
    """A PNG of 16 bits for each of three colours, which Pillow cannot write. `pixels`: (h, w, 3) uint16."""
    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)
