"""Pictures in other colour spaces than sRGB, and the profiles that say so."""

from __future__ import annotations

import struct
from functools import cache

import numpy as np
from PIL import Image, ImageCms

from trials.corpus import MARK

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


def lab(picture: Image.Image) -> Image.Image:
    converted = ImageCms.profileToProfile(
        picture, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert converted is not None
    return converted
