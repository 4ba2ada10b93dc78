"""Packs of version 2 for the widget's tests, and the morph of docs/format.md drawn in numpy, to compare pixels with."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

SIZE = 30
"""Rows and columns of the grid."""
RANK = 2
UNIT = 1 / 16
_BT709 = 1


@dataclass(frozen=True, eq=False)
class Keys:
    """What is in a pack. Tests share them: nobody writes to the arrays.

    Attributes:
        pictures: by key, (height, width, 3 or 4) uint8, as a decoder has them.
        columns, rows: lines of the mesh.
        fields: (RANK, rows, columns, 2) pixels.
        coefficients: (n, n, RANK).
        moving: (rows, columns) in 0 to 1.
        trust: (n, n, rows, columns) in 0 to 1.
    """

    pictures: list[np.ndarray]
    columns: np.ndarray
    rows: np.ndarray
    fields: np.ndarray
    coefficients: np.ndarray
    moving: np.ndarray
    trust: np.ndarray

    @property
    def n(self) -> int:
        return len(self.coefficients)


def picture_of_key(row: int, col: int, n: int, width: int, height: int) -> np.ndarray:
    """A soft pattern with two dark irises that stand where the key looks, (height, width, 3) uint8."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    red = 150 + 40 * np.sin(x / 9) * np.cos(y / 11)
    green = 130 + 40 * np.cos(x / 13 + y / 17)
    blue = 120 + 30 * np.sin(y / 7)
    picture = np.stack([red, green, blue], axis=2)
    middle = (n - 1) / 2
    for eye in (0.36, 0.64):
        cx = width * eye + (col - middle) / middle * width * 0.05
        cy = height * 0.42 + (row - middle) / middle * height * 0.04
        inside = np.clip(width * 0.07 - np.hypot(x - cx, y - cy), 0, 2)[..., None] / 2
        picture = picture * (1 - inside) + np.array([40, 50, 60 + 15 * row]) * inside
    return picture.round().astype(np.uint8)


@cache
def make_keys(n: int = 5, width: int = 160, height: int = 200, alpha: bool = False, trust: bool = False) -> Keys:
    """Keys as `picture_of_key` has them, and a motion that carries the eyes."""
    pictures = [picture_of_key(row, col, n, width, height) for row in range(n) for col in range(n)]
    if alpha:
        mask = np.zeros((height, width, 1), np.uint8)
        mask[:, width // 8 : -width // 8] = 255
        mask[: height // 8, width // 8 : -width // 8] = 128
        pictures = [np.concatenate([picture, mask], axis=2) for picture in pictures]
    columns = np.arange(width // 4, width - width // 4 + 1, 8)
    rows = np.arange(height // 5, height - height // 5 + 1, 8)
    x, y = np.meshgrid(columns, rows)
    bump = np.exp(-(((x - width / 2) / (width * 0.14)) ** 2) - ((y - height * 0.42) / (height * 0.1)) ** 2)
    moving = np.ones(x.shape)
    moving[[0, -1]] = moving[:, [0, -1]] = 0
    bump *= moving
    fields = np.zeros((RANK, *x.shape, 2))
    fields[0, ..., 0] = fields[1, ..., 1] = np.round(bump * width * 0.05 / UNIT) * UNIT
    steps = np.linspace(-1, 1, n)
    coefficients = np.stack(np.broadcast_arrays(steps[None, :], steps[:, None] * 0.9), axis=2).astype(np.float32)
    trusted = np.ones((n, n, *x.shape))
    if trust:
        trusted[:, : n // 2, :, : len(columns) // 2] = 64 / 255
    return Keys(pictures, columns, rows, fields, coefficients, moving, trusted)


def spiral(n: int) -> list[int]:
    """All keys, from the middle outwards."""
    middle = (n - 1) // 2
    keys = [(row, col) for row in range(n) for col in range(n)]
    keys.sort(key=lambda it: (max(abs(it[0] - middle), abs(it[1] - middle)), it))
    return [row * n + col for row, col in keys]


def motion_payload(keys: Keys, trust: bool) -> bytes:
    parts = []
    for field in keys.fields:
        for axis in (0, 1):
            plane = np.round(field[..., axis] / UNIT).astype(np.int64)
            parts.append(np.diff(plane, axis=1, prepend=0).astype("<i2").tobytes())
    parts.append(keys.coefficients.astype("<f4").tobytes())
    parts.append((keys.moving * 255).round().astype(np.uint8).tobytes())
    if trust:
        parts.append((keys.trust * 255).round().astype(np.uint8).tobytes())
    return zlib.compress(b"".join(parts))


def _indexed(chunks: dict[int, tuple[bytes, int]], count: int) -> bytes:
    """A payload: chunks by entry in the order of the file, each with its parent."""
    start = count * 12
    index = [(0, 0, -1)] * count
    for entry, (data, parent) in chunks.items():
        index[entry] = (start, len(data), parent)
        start += len(data)
    head = b"".join(struct.pack("<iii", *entry) for entry in index)
    return head + b"".join(data for data, _ in chunks.values())


def stills_payload(pictures: list[np.ndarray], n: int, axis: list[int]) -> bytes:
    m = len(axis)
    chunks = {}
    for entry in spiral(m):
        out = io.BytesIO()
        key = axis[entry // m] * n + axis[entry % m]
        Image.fromarray(pictures[key]).save(out, "WEBP", lossless=True, exact=True)
        chunks[entry] = (out.getvalue(), -1)
    return _indexed(chunks, m * m)


def video_payload(pictures: list[np.ndarray], n: int) -> tuple[bytes, list[np.ndarray]]:
    """One chain of VP9, and the pictures that a decoder makes of it."""
    height, width, channels = pictures[0].shape
    order = spiral(n)
    stacked = (
        [np.concatenate([it[..., :3], np.repeat(it[..., 3:], 3, axis=2)]) for it in pictures]
        if channels == 4
        else pictures
    )
    encoder: Any = av.CodecContext.create("libvpx-vp9", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, len(stacked[0]), "yuv420p"
    encoder.time_base = Fraction(1, 30)
    encoder.colorspace = encoder.color_primaries = encoder.color_trc = _BT709
    encoder.color_range = 1
    encoder.options = {"crf": "8", "b": "0", "g": "9999", "lag-in-frames": "0", "auto-alt-ref": "0", "cpu-used": "6"}
    encoder.options = {**encoder.options, "deadline": "realtime"}
    packets = []
    for pts, key in enumerate(order):
        frame = av.VideoFrame.from_ndarray(stacked[key], format="rgb24")
        frame = frame.reformat(format="yuv420p", src_color_range=2, dst_color_range=1, dst_colorspace=_BT709)
        frame.pts = pts
        packets += encoder.encode(frame)
    packets = [bytes(packet) for packet in [*packets, *encoder.encode(None)]]
    parents = [-1, *order]
    payload = _indexed(
        {key: (data, parents[i]) for i, (key, data) in enumerate(zip(order, packets, strict=True))}, n * n
    )
    decoder: Any = av.CodecContext.create("libvpx-vp9", "r")
    decoded = [frame for packet in packets for frame in decoder.decode(av.Packet(packet))]
    seen: list[np.ndarray] = [np.empty(0)] * (n * n)
    for key, frame in zip(order, [*decoded, *decoder.decode(None)], strict=True):
        rgb = _rgb(frame)
        if channels == 4:
            matte = rgb[height:, :, 1:2].astype(int)
            matte = np.where(matte < 20, 0, np.where(matte > 247, 255, matte)).astype(np.uint8)
            rgb = np.concatenate([rgb[:height], matte], axis=2)
        seen[key] = rgb
    return payload, seen


def _rgb(frame: Any) -> np.ndarray:
    """Limited-range BT.709 to RGB, exactly: FFmpeg's own way truncates, a whole level on average."""
    y, cb, cr = frame.reformat(format="yuv444p").to_ndarray().astype(float)
    y, cb, cr = (y - 16) / 219, (cb - 128) / 224, (cr - 128) / 224
    red, blue = y + 1.5748 * cr, y + 1.8556 * cb
    green = (y - 0.2126 * red - 0.0722 * blue) / 0.7152
    return (np.stack([red, green, blue], axis=2) * 255).round().clip(0, 255).astype(np.uint8)


def write_keys(
    folder: Path, keys: Keys | None = None, video: bool = True, trust: bool = False, **more: Any
) -> tuple[Keys, dict[str, Any]]:
    """Puts a pack of version 2, its stills, and metadata.json into a folder.

    Args:
        keys: of `make_keys`; its usual ones by default.
        video: else the pack holds stills, all of them.
        more: of the metadata.

    Returns:
        The keys with the pictures that a player decodes, and the metadata.
    """
    folder.mkdir(parents=True, exist_ok=True)
    coded = _coded(keys or make_keys(trust=trust), video, trust)
    for name, data in coded.files.items():
        (folder / name).write_bytes(data)
    facts = {**coded.facts, **more}
    (folder / "metadata.json").write_text(json.dumps(facts))
    return coded.seen, facts


@dataclass(frozen=True)
class _Coded:
    files: dict[str, bytes]
    seen: Keys
    facts: dict[str, Any]


@cache
def _coded(keys: Keys, video: bool, trust: bool) -> _Coded:
    """The files of a portrait, which many tests want: encoding takes half a second."""
    n = keys.n
    height, width, channels = keys.pictures[0].shape
    few = sorted({0, (n - 1) // 2, n - 1})
    header = {
        "version": 2,
        "gridSize": SIZE,
        "imageWidth": width,
        "imageHeight": height,
        "hasAlpha": channels == 4,
        "face": {"x": 0.5, "y": 0.42},
        "looks": [i * (SIZE - 1) / (n - 1) for i in range(n)],
        "mesh": {"columns": keys.columns.tolist(), "rows": keys.rows.tolist()},
    }
    motion = motion_payload(keys, trust)
    header["motion"] = {"length": len(motion), "rank": RANK, "unit": UNIT, "trust": trust}
    still = {"kind": "stills", "width": width, "height": height}
    if video:
        payload, seen = video_payload(keys.pictures, n)
        size = {"codedWidth": width, "codedHeight": height * (2 if channels == 4 else 1)}
        colour = {"primaries": "bt709", "transfer": "bt709", "matrix": "bt709", "fullRange": False}
        about = {"kind": "video", "codec": "vp09.00.10.08", **size, "colorSpace": colour}
        about |= {"alpha": "stacked"} if channels == 4 else {}
    else:
        payload, seen = stills_payload(keys.pictures, n, list(range(n))), keys.pictures
        about = {**still, "keys": list(range(n))}
    pack = _packed(header, motion, about, payload)
    data = base64.b64encode(pack).decode()
    script = (
        f'(window.gazePacks ||= {{}})[document.currentScript.src] = "data:application/octet-stream;base64,{data}";\n'
    )
    files = {
        "gaze.pack": pack,
        "stills.pack": _packed(header, motion, {**still, "keys": few}, stills_payload(seen, n, few)),
        "gaze.pack.js": script.encode(),
    }
    facts = {"version": 2, "gridSize": SIZE, "imageWidth": width, "imageHeight": height, "hasAlpha": channels == 4}
    facts |= {
        "sheets": [],
        "mobileSheets": [],
        "pack": "gaze.pack",
        "stills": "stills.pack",
        "mode": "quadrants",
    }
    return _Coded(files, replace(keys, pictures=seen), facts)


def _packed(header: dict[str, Any], motion: bytes, about: dict[str, Any], payload: bytes) -> bytes:
    text = json.dumps({**header, "payloads": [{**about, "length": len(payload)}]}).encode()
    return b"GAZEPACK" + struct.pack("<I", len(text)) + text + motion + payload


# The morph.


def _cubic(u: float, n: int) -> np.ndarray:
    """Shares of n keys at u in a cubic Hermite curve with central differences as tangents."""
    i = min(int(u), n - 2)
    f = u - i
    eye = np.eye(n)
    tangent = np.gradient(eye, axis=0)
    return (
        (2 * f**3 - 3 * f**2 + 1) * eye[i]
        + (f**3 - 2 * f**2 + f) * tangent[i]
        + (3 * f**2 - 2 * f**3) * eye[i + 1]
        + (f**3 - f**2) * tangent[i + 1]
    )


def _sampled(picture: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bilinear, at coordinates of pixel edges."""
    height, width = picture.shape[:2]
    x, y = np.clip(x - 0.5, 0, width - 1), np.clip(y - 0.5, 0, height - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    fx, fy = (x - left)[:, None], (y - top)[:, None]
    upper = picture[top, left] * (1 - fx) + picture[top, right] * fx
    lower = picture[bottom, left] * (1 - fx) + picture[bottom, right] * fx
    return upper * (1 - fy) + lower * fy


def morph(keys: Keys, row: float, col: float, axis: list[int] | None = None) -> np.ndarray:
    """The picture for a look, (height, width, 3 or 4) float in 0 to 255, colours premultiplied with alpha.

    Args:
        axis: the keys along one axis whose pictures are used; all by default.
    """
    return _morph(keys, row, col, tuple(axis or range(keys.n)))


@lru_cache(64)
def _morph(keys: Keys, row: float, col: float, axis: tuple[int, ...]) -> np.ndarray:
    n = keys.n
    u, v = row / (SIZE - 1) * (n - 1), col / (SIZE - 1) * (n - 1)
    pictures = [it.astype(float) for it in keys.pictures]
    if pictures[0].shape[2] == 4:
        for it in pictures:
            it[..., :3] *= it[..., 3:] / 255
    weights = [[np.interp(at, axis, np.eye(len(axis))[i]) for i in range(len(axis))] for at in (u, v)]
    chosen = [
        (axis[i] * n + axis[j], weights[0][i] * weights[1][j])
        for i in range(len(axis))
        for j in range(len(axis))
        if weights[0][i] * weights[1][j] > 0
    ]
    target = np.einsum("i,j,ijr->r", _cubic(u, n), _cubic(v, n), keys.coefficients)
    x, y = np.meshgrid(keys.columns, keys.rows)
    base = np.stack([x, y], axis=2).astype(float)
    at = base + np.einsum("r,rjic->jic", target, keys.fields)
    coefficients = keys.coefficients.reshape(n * n, RANK)
    texture = {key: base + np.einsum("r,rjic->jic", coefficients[key], keys.fields) for key, _ in chosen}
    trust = keys.trust.reshape(n * n, *x.shape)
    still = pictures[(n * n - 1) // 2]
    out = still.copy()
    for j in range(len(keys.rows) - 1):
        for i in range(len(keys.columns) - 1):
            for corner in (((j, i), (j, i + 1), (j + 1, i)), ((j, i + 1), (j + 1, i + 1), (j + 1, i))):
                where = tuple(np.array(corner).T)
                _draw(
                    out,
                    still,
                    pictures,
                    at[where],
                    [(k, w, texture[k][where], trust[k][where]) for k, w in chosen],
                    keys.moving[where],
                )
    out.flags.writeable = False
    return out


def _draw(
    out: np.ndarray, still: np.ndarray, pictures: list[np.ndarray], at: np.ndarray, keys: list[Any], moving: np.ndarray
) -> None:
    """One triangle: `at` (3, 2) on the screen; of each key its weight, texture coordinates (3, 2) and trust (3,)."""
    (x0, y0), (x1, y1), (x2, y2) = at
    low, high = np.floor(at.min(axis=0)).astype(int), np.ceil(at.max(axis=0)).astype(int)
    py, px = np.mgrid[low[1] : high[1] + 1, low[0] : high[0] + 1] + 0.5
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    b1 = ((px - x0) * (y2 - y0) - (x2 - x0) * (py - y0)) / area
    b2 = ((x1 - x0) * (py - y0) - (px - x0) * (y1 - y0)) / area
    share = np.stack([1 - b1 - b2, b1, b2], axis=2)
    inside = (share >= -1e-9).all(axis=2)
    if not inside.any():
        return
    share = share[inside]
    ys, xs = np.floor(py[inside]).astype(int), np.floor(px[inside]).astype(int)
    total, colour = 0, 0
    for key, weight, texture, trust in keys:
        w = weight * np.maximum(share @ trust, 1 / 255)[:, None]
        place = share @ texture
        colour = colour + w * _sampled(pictures[key], place[:, 0], place[:, 1])
        total = total + w
    blend = (share @ moving)[:, None]
    out[ys, xs] = still[ys, xs] * (1 - blend) + colour / total * blend
