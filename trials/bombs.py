"""Files that are no picture, of impossible or the largest sizes, or that unpack to much."""

from __future__ import annotations

import json
import random
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from trials.corpus import face, plain, png_chunk, save
from trials.planted import metadata, zip_file


def strangers() -> Iterator[tuple[str, bytes]]:
    """What is no picture that is read, under the name of one."""
    small = face(64)
    yield "nothing", b""
    yield "one byte", b"\xff"
    yield "zeros", bytes(65536)
    yield "text", "Ein Porträt".encode()
    yield "HTML", b"<!doctype html><html><body><img src=x onerror=alert(1)></body></html>"
    yield "SVG", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    yield "XML with an entity", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'
    yield "PDF", save(small, "PDF")
    yield "PDF that is a JPEG further on", b"%PDF-1.4\n" + save(small, "JPEG")
    yield "EPS", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n%%EndComments\n(/etc/passwd) run\n"
    yield "ZIP", zip_file()
    yield "JSON", json.dumps({"a": [1] * 100}).encode()
    for format in ("ICO", "JPEG2000", "PPM", "TGA", "PCX", "DDS", "SGI", "ICNS"):
        yield format, save(small, format)
    for seed in range(200):
        yield "random bytes", random.Random(seed).randbytes(2000)
        head = plain()[list(plain())[seed % len(plain())]][:16]
        yield "random bytes after a true beginning", head + random.Random(seed).randbytes(2000)


def sizes() -> Iterator[tuple[str, bytes]]:
    """Pictures of sizes that cannot become a portrait."""
    for width, height in ((1, 1), (1, 20000), (20000, 1), (63, 512), (64, 20000), (40000, 64)):
        for format in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
            if max(width, height) <= (16383 if format == "WEBP" else 65535):
                yield f"{width} × {height}", save(Image.new("RGB", (width, height), "red"), format)


def claims(side: int) -> Iterator[tuple[str, bytes]]:
    """Headers that claim so many rows and columns, with the data of 256 × 256 pixels behind."""
    old = face().width
    data = plain()
    for name, start in (("JPEG", b"\xff\xc0\0\x11\x08"), ("progressive JPEG", b"\xff\xc2\0\x11\x08")):
        yield name, data[name].replace(start + struct.pack(">HH", old, old), start + struct.pack(">HH", side, side))
    png = data["PNG"]
    yield "PNG", png[:8] + png_chunk(b"IHDR", struct.pack(">II", side, side) + png[24:29]) + png[33:]
    yield "GIF", data["GIF"].replace(struct.pack("<HH", old, old), struct.pack("<HH", side, side))
    yield "BMP", data["BMP"].replace(struct.pack("<ii", old, old), struct.pack("<ii", side, side), 1)
    for name in ("TIFF", "LZW TIFF"):
        tiff = data[name]
        for tag in (256, 257):
            for kind, form in ((3, "<HHIHH"), (4, "<HHII")):
                before = struct.pack(form, tag, kind, 1, old, *[0] * (kind == 3))
                tiff = tiff.replace(before, struct.pack("<HHII", tag, 4, 1, side))
        yield name, tiff
    for name in ("AVIF", "HEIC"):
        box = b"ispe\0\0\0\0"
        yield name, data[name].replace(box + struct.pack(">II", old, old), box + struct.pack(">II", side, side))
    most = min(side, 16383)
    key = b"\x9d\x01\x2a"
    yield "WebP", data["WebP"].replace(key + struct.pack("<HH", old, old), key + struct.pack("<HH", most, most))


def bombs() -> Iterator[tuple[str, bytes]]:
    """Small files that unpack to much, or lead round in circles."""
    png = plain()["PNG"]
    flood = zlib.compress(bytes(200_000_000), 9)
    yield "PNG with 200 MB of text", png[:33] + png_chunk(b"zTXt", b"a\0\0" + flood) + png[33:]
    yield "PNG with a profile of 200 MB", png[:33] + png_chunk(b"iCCP", b"a\0\0" + flood) + png[33:]
    yield "PNG with 200 MB of pixels too many", png[:33] + png_chunk(b"IDAT", flood) + png[-12:]
    yield "PNG of 200,000 chunks", png[:33] + png_chunk(b"teSt", b"") * 200_000 + png[33:]
    jpeg = plain()["JPEG"]
    passes = save(Image.new("L", (6000, 6000), 128), "JPEG", progressive=True)
    last = passes[passes.rindex(b"\xff\xda") : -2]
    yield "JPEG of 1,000 passes", passes[:-2] + last * 1000 + passes[-2:]
    yield "JPEG of 50,000 segments", jpeg[:2] + b"\xff\xe5\0\x04ab" * 50_000 + jpeg[2:]
    frames = [Image.new("P", (256, 256), i) for i in range(2)] * 1000
    yield "GIF of 2,001 frames", save(face().quantize(), "GIF", save_all=True, append_images=frames, optimize=False)
    tiff = plain()["TIFF"]
    start = struct.unpack_from("<I", tiff, 4)[0]
    end = start + 2 + 12 * struct.unpack_from("<H", tiff, start)[0]
    yield "TIFF whose pages go in a circle", tiff[:end] + struct.pack("<I", start) + tiff[end + 4 :]
    exif = metadata().tobytes()
    loop = exif[:6] + exif[6:14] + struct.pack("<H", 1) + struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    yield "JPEG whose EXIF goes in a circle", save(face(), "JPEG", exif=loop)
    yield from shredded()
    yield from overlapping()


def shredded() -> Iterator[tuple[str, bytes]]:
    """Files as large as may be, of nothing but tiny parts."""
    most = 39 * 2**20
    png, jpeg, gif = (plain()[name] for name in ("PNG", "JPEG", "GIF"))
    chunks = png_chunk(b"teSt", b"") * (most // 12)
    yield "PNG of 3,000,000 chunks", png[:33] + chunks + png[33:]
    yield "PNG of 3,000,000 chunks at its end", png[:-12] + chunks + png[-12:]
    yield "JPEG of 10,000,000 segments", jpeg[:2] + b"\xff\xe5\0\x02" * (most // 4) + jpeg[2:]
    yield "JPEG of 10,000,000 segments of no length", jpeg[:2] + b"\xff\xe5\0\0" * (most // 4)
    yield "JPEG of 40,000,000 fill bytes", jpeg[:2] + b"\xff" * most + jpeg[2:]
    start = 13 + 3 * 2 ** (gif[10] % 8 + 1)
    comments = b"\x21\xfe\x01a\0" * (most // 5)
    yield "GIF of 8,000,000 comments", gif[:start] + comments + gif[start:]
    yield "GIF of 8,000,000 comments between two pictures", gif[:-1] + comments + gif[start:]
    yield (
        "GIF of a comment of 20,000,000 blocks",
        gif[:start] + b"\x21\xfe" + b"\x01a" * (most // 2) + b"\0" + gif[start:],
    )
    yield "GIF of a picture of 20,000,000 blocks", gif[:start] + b"\x2c" + bytes(8) + b"\0\x08" + b"\x01a" * (most // 2)


def overlapping() -> Iterator[tuple[str, bytes]]:
    """Files whose 2,000 tags all point at the same 30 MB."""
    png, jpeg = (plain()[name] for name in ("PNG", "JPEG"))
    size, count = 30_000_000, 2000
    exif = b"II*\0" + struct.pack("<IH", 8, count) + tags(8, count, size) + bytes(4 + size)
    yield "PNG whose EXIF tags overlap", png[:33] + png_chunk(b"eXIf", exif) + png[33:]
    pieces = (b"Exif\0\0" + exif[at : at + 65_000] for at in range(0, len(exif), 65_000))
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", 2 + len(piece)) + piece for piece in pieces)
    yield "JPEG whose EXIF tags overlap", jpeg[:2] + segments + jpeg[2:]
    yield "TIFF whose tags overlap", overlapping_tags(count, size)
    yield "TIFF of 10,000,000 strips", strips(10_000_000)


def overlapping_tags(count: int, size: int) -> bytes:
    """A TIFF with so many tags that all point at the same bytes."""
    tiff = plain()["TIFF"]
    place = struct.unpack_from("<I", tiff, 4)[0]
    known = struct.unpack_from("<H", tiff, place)[0]
    entries = tiff[place + 2 : place + 2 + 12 * known] + tags(8, count, size)
    head = tiff[:4] + struct.pack("<I", len(tiff)) + tiff[8:]
    return head + struct.pack("<H", known + count) + entries + bytes(4 + size)


def tags(start: int, count: int, size: int) -> bytes:
    """Entries of a directory that all point at the same bytes."""
    return b"".join(struct.pack("<HHII", 40_000 + number, 2, size, start) for number in range(count))


def strips(count: int) -> bytes:
    """A grey TIFF of a row in each strip, all at one place."""
    values = [(256, 1, 64), (257, 1, 64), (258, 1, 8), (259, 1, 1), (262, 1, 1), (273, count, 0), (277, 1, 1)]
    values += [(278, 1, 1), (279, count, 0)]
    start = 8 + 2 + 12 * len(values) + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, many, value or start) for tag, many, value in values)
    data = struct.pack("<I", 64) * count + bytes(64 * 64)
    return b"II*\0" + struct.pack("<IH", 8, len(values)) + entries + bytes(4) + data


def largest() -> Iterator[tuple[str, bytes]]:
    """Whole pictures as large as they may be."""
    picture = _grainy(7000)
    yield "CMYK JPEG", save(picture.convert("CMYK"), "JPEG", quality=90)
    yield "progressive JPEG, 4:4:4", save(picture, "JPEG", quality=60, progressive=True, subsampling=0)
    deflated = {"compression": "tiff_adobe_deflate"}
    yield "GIF", save(picture.quantize(64), "GIF")
    yield "TIFF", save(picture, "TIFF", compression="jpeg", quality=60)
    yield "floating-point TIFF", save(Image.new("F", picture.size), "TIFF", **deflated)
    yield "bilevel TIFF", save(Image.new("1", picture.size), "TIFF", compression="group4")
    picture = _grainy(6320)
    yield "TIFF with alpha", save(_clear(picture.resize((500, 500))).resize(picture.size, 0), "TIFF", **deflated)
    picture = _grainy(6700)
    yield "PNG", save(picture, "PNG", compress_level=1)
    yield "palette PNG", save(picture.quantize(64), "PNG", compress_level=1)
    yield "16-bit grey PNG", save(Image.new("I;16", picture.size, 40000), "PNG", compress_level=1)
    yield "PNG with alpha", save(_clear(_grainy(5090)), "PNG", compress_level=1)
    picture = _grainy(4470)
    yield "AVIF, 4:4:4 with alpha", save(_clear(picture), "AVIF", quality=50, speed=10, subsampling="4:4:4")
    yield "WebP with alpha", save(_clear(picture), "WEBP", quality=60, method=0)
    yield "WebP", save(picture, "WEBP", quality=60, method=0)
    yield "JPEG", save(_grainy(10900), "JPEG", quality=90)


def _grainy(side: int) -> Image.Image:
    """The face again and again, with a camera's noise; `side` × `side` pixels."""
    noise = np.random.default_rng(1).normal(0, 3, (1000, 1000, 3))
    tile = np.clip(np.asarray(face(1000)) + noise, 0, 255).astype(np.uint8)
    times = -(-side // 1000)
    return Image.fromarray(np.tile(tile, (times, times, 1))[:side, :side])


def _clear(picture: Image.Image) -> Image.Image:
    """Half transparent."""
    picture = picture.convert("RGBA")
    picture.putalpha(128)
    return picture
