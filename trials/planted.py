"""The face in files with something to hide: metadata about a person, or another kind of file within."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator

from PIL import Image, PngImagePlugin

from trials.corpus import HEIC, MARK, PLACE, face, save
from trials.gamuts import profile


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
