"""Whether a portrait's folder, or a pack, keeps to docs/format.md: every file opened, every frame decoded."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from gaze.errors import GazeError
from gaze.grid import Cell
from gaze.output.metadata import METADATA, Metadata
from gaze.output.pack import Facts, Pack, Payload, read_pack
from gaze.output.video import CODECS, coded_size, decode_chain

Report = Callable[[int, int], None]
_SHEET_FORMATS = ("WEBP", "AVIF", "PNG", "JPEG", "GIF")
"""Those that browsers show. Of what else Pillow reads, some is handed to other programs (EPS)."""


def check(path: Path, report: Report | None = None) -> list[str]:
    """What is wrong with a folder or a pack, in sentences; nothing if it keeps to the format.

    Args:
        path: a folder with metadata.json, or a pack.
        report: called with the frames of the pack that are decoded, and how many there are.
    """
    try:
        if path.is_dir():
            return list(_check_folder(path, report))
        return list(_check_pack(read_pack(path), report))
    except GazeError as error:
        return [str(error)]


def open_picture(path: Path) -> Image.Image:
    """A picture, not decoded yet.

    Raises:
        GazeError: it is not there, or is no picture.
    """
    try:
        return Image.open(path, formats=_SHEET_FORMATS)
    except FileNotFoundError as error:
        raise GazeError(f"{path.name} is not there. Copy it again.") from error
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise GazeError(f"{path.name} is no picture that can be read. Copy it again.") from error


def _check_folder(folder: Path, report: Report | None) -> Iterator[str]:
    metadata = Metadata.read(folder)
    size, width, height = metadata.grid_size, metadata.image_width, metadata.image_height
    names = metadata.sheet_names
    pictures = {name: size // (2 if len(names) == 4 else 1) for name in names}
    pictures |= {name: (metadata.mobile_grid_size or 0) // 2 for name in metadata.mobile_sheets}
    if metadata.poster:
        pictures[metadata.poster] = 1
    for name, cells in pictures.items():
        try:
            found = open_picture(folder / name).size
        except GazeError as error:
            yield str(error)
            continue
        expected = (cells * width, cells * height)
        if found != expected:
            yield f"{name} has {found[0]} × {found[1]} pixels; {expected[0]} × {expected[1]} are expected."
    if not metadata.pack:
        return
    pack = read_pack(folder / metadata.pack)
    said = pack.facts
    if (said.size, said.width, said.height, said.alpha) != (size, width, height, metadata.has_alpha):
        yield f"The pack and {METADATA} tell different sizes."
    if all(payload.kind != "stills" for payload in pack.payloads):
        yield "The pack has no stills, which browsers without VideoDecoder need."
    yield from _check_pack(pack, report)


def _check_pack(pack: Pack, report: Report | None) -> Iterator[str]:
    total = sum(len(payload.frames) for payload in pack.payloads)
    done = 0
    for payload in pack.payloads:
        frames = _stills(payload, pack.facts) if payload.kind == "stills" else _video(payload, pack.facts)
        seen = set[Cell]()
        for cells, problem in frames:
            seen |= set(cells)
            if report:
                report(done + len(seen), total)
            if problem:
                yield f"{payload.kind}, row {cells[-1].row}, column {cells[-1].col}: {problem}"
        done += len(payload.frames)


def _stills(payload: Payload, facts: Facts) -> Iterator[tuple[tuple[Cell, ...], str]]:
    for cell, frame in payload.frames.items():
        problem = ""
        try:
            with Image.open(io.BytesIO(frame.data), formats=["WEBP"]) as picture:
                if picture.size != (facts.width, facts.height):
                    problem = f"The picture has {picture.width} × {picture.height} pixels."
                elif picture.info.keys() & {"exif", "xmp", "icc_profile"}:
                    problem = "The picture carries metadata."
                else:
                    picture.load()
        except (OSError, ValueError, Image.DecompressionBombError):
            problem = "It is no WebP picture."
        yield (cell,), problem


def _video(payload: Payload, facts: Facts) -> Iterator[tuple[tuple[Cell, ...], str]]:
    names = {known.string[:4]: name for name, known in CODECS.items()}
    codec = names.get(str(payload.about["codec"])[:4])
    cells = tuple(payload.frames)
    if codec is None:
        yield cells, f"Its codec {str(payload.about['codec'])[:20]} cannot be checked here."
        return
    size = coded_size(facts.width, facts.height, facts.alpha)
    if (payload.about.get("codedWidth"), payload.about.get("codedHeight")) != size:
        yield cells, f"Its coded size is not {size[0]} × {size[1]}."
    inner = {frame.parent for frame in payload.frames.values()}
    for end in (cell for cell in cells if cell not in inner):
        chain = tuple(payload.chain(end))
        data = [payload.frames[cell].data for cell in chain]
        try:
            for _ in decode_chain(data, codec, facts.width, facts.height, facts.alpha):
                pass
            yield chain, ""
        except GazeError as error:
            yield chain, str(error)
