"""Packs of version 1, which nothing writes any more and the widget still plays: every cell of the grid as a picture."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from gaze.grid import Cell
from gaze.output.bundle import pack_script
from gaze.output.metadata import METADATA
from gaze.output.pack import PACK, Facts, Payload, Picture
from tests.browser.portraits import HEIGHT, WIDTH, Frame
from tests.fakes import cell_frame
from tests.packs import outwards, packed_1

SIZE = 4
"""Rows and columns."""
_GROUP = 4
"""Pictures from one key frame of the video to the next."""
_BT709 = 1


def write_old_pack(
    folder: Path, frame: Frame = cell_frame, kinds: Iterable[str] = ("video", "stills"), alpha: bool = False
) -> None:
    """Puts a pack and the metadata.json of then into a folder."""
    pictures = {i: frame(Cell(i // SIZE, i % SIZE), WIDTH, HEIGHT) for i in range(SIZE**2)}
    payloads = [_video(pictures, alpha) if kind == "video" else _stills(pictures) for kind in kinds]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PACK).write_bytes(packed_1(*payloads, facts=Facts(SIZE, WIDTH, HEIGHT, alpha, (0.5, 0.5))))
    (folder / f"{PACK}.js").write_text(pack_script(folder / PACK))
    facts = {"gridSize": SIZE, "imageWidth": WIDTH, "imageHeight": HEIGHT, "hasAlpha": alpha, "pack": PACK}
    known = json.loads((folder / METADATA).read_text()) if (folder / METADATA).exists() else {}
    (folder / METADATA).write_text(json.dumps({**known, **facts}))


def _stills(pictures: dict[int, np.ndarray]) -> Payload:
    coded = {}
    for i in outwards(len(pictures)):
        out = io.BytesIO()
        Image.fromarray(pictures[i]).save(out, "WEBP", lossless=True, exact=True)
        coded[i] = Picture(out.getvalue())
    return Payload("stills", {}, coded)


def _video(pictures: dict[int, np.ndarray], alpha: bool) -> Payload:
    """Chains of VP9, from the middle outwards; the alpha of a picture under its colour; even sides."""
    encoder: Any = av.CodecContext.create("libvpx-vp9", "w")
    width, height = WIDTH + WIDTH % 2, (HEIGHT + HEIGHT % 2) * (2 if alpha else 1)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.color_range = Fraction(1, 30), 1
    encoder.colorspace = encoder.color_primaries = encoder.color_trc = _BT709
    encoder.options = {"crf": "4", "b": "0", "lag-in-frames": "0", "auto-alt-ref": "0", "deadline": "realtime"}
    coded, parent = {}, None
    for pts, i in enumerate(outwards(len(pictures))):
        picture = np.pad(pictures[i], ((0, HEIGHT % 2), (0, WIDTH % 2), (0, 0)), mode="edge")
        if alpha:
            picture = np.concatenate([picture[..., :3], np.repeat(picture[..., 3:], 3, axis=2)])
        image = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        image = image.reformat(format="yuv420p", src_color_range=2, dst_color_range=1, dst_colorspace=_BT709)
        image.pts = pts
        image.pict_type = av.video.frame.PictureType.I if pts % _GROUP == 0 else av.video.frame.PictureType.NONE
        [packet] = encoder.encode(image)
        parent = None if pts % _GROUP == 0 else parent
        coded[i] = Picture(bytes(packet), parent)
        parent = i
    colour = {"primaries": "bt709", "transfer": "bt709", "matrix": "bt709", "fullRange": False}
    about = {"codec": "vp09.00.10.08", "codedWidth": width, "codedHeight": height, "colorSpace": colour}
    return Payload("video", {**about, **({"alpha": "stacked"} if alpha else {})}, coded)
