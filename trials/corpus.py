"""Pictures to try: one face in every format that is read, and what damages, disguises and oddities make of it."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "assets" / "examples" / "astronaut.jpg"
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


# ---- odd, but good


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
    few.putpalette([*few.getpalette()[:765], 0, 0, 0])
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


def deep_png(pixels: np.ndarray) -> bytes:
    """A PNG of 16 bits for each of three colours, which Pillow cannot write. `pixels`: (h, w, 3) uint16."""
    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def lab(picture: Image.Image) -> Image.Image:
    converted = ImageCms.profileToProfile(
        picture, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert converted is not None
    return converted


# Primaries as x, y; the exponent of the tone curve. Their white is D65, for ProPhoto D50.
GAMUTS = {
    "display P3": (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), (0.3127, 0.3290), 2.2),
    "Adobe RGB": (((0.640, 0.330), (0.210, 0.710), (0.150, 0.060)), (0.3127, 0.3290), 563 / 256),
    "ProPhoto RGB": (((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)), (0.3457, 0.3585), 1.8),
}
_SRGB = (((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), (0.3127, 0.3290), None)
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def _to_d50(primaries: tuple[tuple[float, float], ...], white: tuple[float, float]) -> np.ndarray:
    """The matrix from linear RGB to XYZ under D50, Bradford-adapted, as ICC profiles have it."""

    def xyz(x: float, y: float) -> np.ndarray:
        return np.array([x / y, 1, (1 - x - y) / y])

    columns = np.stack([xyz(*it) for it in primaries], 1)
    matrix = columns * np.linalg.solve(columns, xyz(*white))
    cones = _BRADFORD @ _D50 / (_BRADFORD @ xyz(*white))
    return np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD @ matrix


@cache
def profile(name: str) -> bytes:
    """An ICC profile (version 2, matrix and tone curve) of a gamut, that says `MARK` in its text."""
    primaries, white, gamma = GAMUTS[name]

    def numbers(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    text = MARK + b"\0"
    about = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
    matrix = _to_d50(primaries, white)
    tags = {
        b"desc": about,
        b"cprt": b"text\0\0\0\0" + text,
        b"wtpt": numbers(*_D50),
        **{kind: numbers(*matrix[:, i]) for i, kind in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    table, body = struct.pack(">I", len(tags)), b""
    for kind, data in tags.items():
        table += kind + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    start = struct.pack(">I4sI4s4s4s", 132 + 12 * len(tags) + len(body), b"", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    start += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    start += struct.pack(">3i", *(round(value * 65536) for value in _D50))
    return start.ljust(128, b"\0") + table + body


def in_profile(picture: Image.Image, name: str) -> Image.Image:
    """The colours of an sRGB picture as numbers of another gamut, by the formulas, without any colour library."""
    share = np.asarray(picture) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    primaries, white, gamma = GAMUTS[name]
    matrix = np.linalg.solve(_to_d50(primaries, white), _to_d50(*_SRGB[:2]))
    other = np.clip(linear @ matrix.T, 0, 1) ** (1 / gamma)
    return Image.fromarray((other * 255 + 0.5).astype(np.uint8))


# ---- with something to hide


def metadata() -> Image.Exif:
    """EXIF data with a place, a name, a comment, and a maker's note."""
    exif = Image.Exif()
    exif.update({0x010E: MARK.decode(), 0x013B: MARK.decode(), 0x8298: MARK.decode()})
    exif.get_ifd(0x8769).update({0x927C: MARK, 0x9286: b"ASCII\0\0\0" + MARK, 0xA430: MARK.decode()})
    north, east = PLACE
    exif.get_ifd(0x8825).update({1: "N", 2: north, 3: "E", 4: east, 27: b"ASCII\0\0\0" + MARK, 28: MARK})
    return exif


def marked() -> Iterator[tuple[str, bytes]]:
    """The face in files that say where and by whom it was taken, in every way their formats know."""
    picture, exif = face(), metadata().tobytes()
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><a exif:GPSLatitude="' + MARK + b'"/></rdf:RDF></x:xmpmeta>'
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", 5 + len(MARK))
    iptc += b"\x1c\x02\x78" + struct.pack(">H", len(MARK)) + MARK
    jpeg = save(picture, "JPEG", exif=exif, xmp=xmp, comment=MARK, icc_profile=profile("Adobe RGB"), quality=90)
    jpeg = jpeg[:2] + b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc + jpeg[2:]
    yield "JPEG", jpeg + MARK
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", MARK)
    texts.add_text("Author", MARK, zip=True)
    texts.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=False)
    yield "PNG", save(picture, "PNG", exif=exif, pnginfo=texts, icc_profile=profile("Adobe RGB")) + MARK
    yield "WebP", save(picture, "WEBP", exif=exif, xmp=xmp, icc_profile=profile("Adobe RGB"), quality=90)
    yield "AVIF", save(picture, "AVIF", exif=exif, xmp=xmp, icc_profile=profile("Adobe RGB"), quality=90)
    yield "GIF", save(picture, "GIF", comment=MARK) + MARK
    tags = metadata()
    tags.update({700: xmp, 33723: iptc})
    yield "TIFF", save(picture, "TIFF", exif=tags, icc_profile=profile("Adobe RGB"))
    yield "HEIC", HEIC.read_bytes()


def polyglots() -> Iterator[tuple[str, bytes]]:
    """Pictures that are something else as well."""
    picture = face()
    script = b"<script>alert('" + MARK + b"')</script>"
    yield "JPEG that is HTML as well", save(picture, "JPEG", comment=b"-->" + script, quality=90) + script
    yield "JPEG that is a zip as well", save(picture, "JPEG", quality=90) + zip_file()
    yield "PNG that is PHP as well", save(picture, "PNG") + b"<?php echo '" + MARK + b"'; ?>"


def zip_file() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.html", MARK)
    return out.getvalue()


# ---- no pictures


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
    png, jpeg, tiff = (plain()[name] for name in ("PNG", "JPEG", "TIFF"))
    size, count = 30_000_000, 2000
    exif = b"II*\0" + struct.pack("<IH", 8, count) + tags(8, count, size) + bytes(4 + size)
    yield "PNG whose EXIF tags overlap", png[:33] + png_chunk(b"eXIf", exif) + png[33:]
    pieces = (b"Exif\0\0" + exif[at : at + 65_000] for at in range(0, len(exif), 65_000))
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", 2 + len(piece)) + piece for piece in pieces)
    yield "JPEG whose EXIF tags overlap", jpeg[:2] + segments + jpeg[2:]
    place = struct.unpack_from("<I", tiff, 4)[0]
    known = struct.unpack_from("<H", tiff, place)[0]
    entries = tiff[place + 2 : place + 2 + 12 * known] + tags(8, count, size)
    directory = struct.pack("<H", known + count) + entries + bytes(4 + size)
    yield "TIFF whose tags overlap", tiff[:4] + struct.pack("<I", len(tiff)) + tiff[8:] + directory
    yield "TIFF of 10,000,000 strips", strips(10_000_000)


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
    picture = face(512).resize((7000, 7000))
    alpha = picture.convert("RGBA")
    alpha.putalpha(128)
    yield "CMYK JPEG", save(picture.convert("CMYK"), "JPEG", quality=60)
    yield "progressive JPEG, 4:4:4", save(picture, "JPEG", quality=60, progressive=True, subsampling=0)
    picture, alpha = (it.resize((6700, 6700)) for it in (picture, alpha))
    yield "PNG", save(picture, "PNG", compress_level=1)
    yield "palette PNG", save(picture.quantize(64), "PNG", compress_level=1)
    yield "PNG with alpha", save(alpha, "PNG", compress_level=1)
    yield "GIF", save(picture.quantize(64), "GIF")
    yield "TIFF", save(picture, "TIFF", compression="jpeg", quality=60)
    yield "TIFF with alpha", save(alpha.reduce(7).resize((7000, 7000), 0), "TIFF", compression="tiff_adobe_deflate")
    yield "16-bit grey PNG", save(Image.new("I;16", picture.size, 40000), "PNG", compress_level=1)
    yield "floating-point TIFF", save(Image.new("F", picture.size), "TIFF", compression="tiff_adobe_deflate")
    yield "bilevel TIFF", save(Image.new("1", picture.size), "TIFF", compression="group4")
    alpha = alpha.resize((4470, 4470))
    yield "AVIF, 4:4:4 with alpha", save(alpha, "AVIF", quality=50, speed=10, subsampling="4:4:4")
    alpha = alpha.resize((4460, 4460))
    yield "WebP with alpha", save(alpha, "WEBP", quality=60, method=0)
    yield "WebP", save(alpha.convert("RGB"), "WEBP", quality=60, method=0)
    yield "JPEG", save(picture.resize((10900, 10900)), "JPEG", quality=60)
