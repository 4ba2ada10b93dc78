"""Whether a portrait's folder, or a pack, keeps to docs/format.md: every file opened, every picture decoded."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import is_zipfile

from PIL import Image

from gaze.errors import GazeError
from gaze.output.metadata import METADATA, Metadata
from gaze.output.pack import Facts, Pack, Payload
from gaze.output.pack_reader import read_pack
from gaze.output.sheet_reader import open_picture
from gaze.output.video import codec_of, coded_size, decode_chain

Report = Callable[[int, int], None]


def check(path: Path, report: Report | None = None, decode: bool = True) -> list[str]:
    """What is wrong with a folder or a pack, in sentences; nothing if it keeps to the format.

    Args:
        path: a folder with metadata.json, or a pack.
        report: called with the pictures of the packs that are looked at, and how many there are.
        decode: whether pictures are decoded. Without that, of stills the sizes are held to the header's, and of videos
            what the header says: enough to know what decoding them would take.
    """
    try:
        if path.is_dir():
            return list(_check_folder(path, report, decode))
        if is_zipfile(path):
            return [f"{path} is a zip. Unpack it, and check the folder in it."]
        return list(_check_packs([read_pack(path)], report, decode))
    except GazeError as error:
        return [str(error)]


def _check_folder(folder: Path, report: Report | None, decode: bool) -> Iterator[str]:
    metadata = Metadata.read(folder)
    packs = [read_pack(folder / name) for name in (metadata.pack, metadata.stills) if name]
    size, width, height = metadata.grid_size, metadata.image_width, metadata.image_height
    names = metadata.sheet_names
    pictures = {name: _times(size // (2 if len(names) == 4 else 1), width, height) for name in names}
    pictures |= {name: _times((metadata.mobile_grid_size or 0) // 2, width, height) for name in metadata.mobile_sheets}
    if metadata.poster:
        pictures[metadata.poster] = (packs[0].facts.width, packs[0].facts.height) if packs else (width, height)
    others: list[Pack] = []
    for face in (face for face in metadata.faces if face.pack != metadata.pack):
        others += [read_pack(folder / name) for name in (face.pack, face.stills) if name]
        pictures[face.poster] = (others[-1].facts.width, others[-1].facts.height)
    for name, expected in pictures.items():
        try:
            found = open_picture(folder / name).size
        except GazeError as error:
            yield str(error)
            continue
        if found != expected:
            yield f"{name} has {found[0]} × {found[1]} pixels; {expected[0]} × {expected[1]} are expected."
    if not packs:
        return
    said = packs[0].facts
    if (said.size, said.alpha) != (size, metadata.has_alpha) or not _same_shape(packs[0], width, height):
        yield f"The pack and {METADATA} give different sizes."
    if len(packs) == 2 and (packs[1].facts != said or not _same_motion(*packs)):
        yield "The pack and the pack of stills belong to different portraits."
    if all(payload.kind != "stills" for payload in packs[-1].payloads):
        yield "There is no pack of stills, which browsers without VideoDecoder need."
    yield from _check_packs([*packs, *others], report, decode)


def _times(count: int, width: int, height: int) -> tuple[int, int]:
    return count * width, count * height


def _same_shape(pack: Pack, width: int, height: int) -> bool:
    """Whether frames of the sheets show the whole of the pack's: sides of sheets are rounded to even numbers."""
    facts = pack.facts
    if pack.motion is None:
        return (facts.width, facts.height) == (width, height)
    scale = max(width, height) / max(facts.width, facts.height)
    return abs(facts.width * scale - width) <= 2 and abs(facts.height * scale - height) <= 2


def _same_motion(one: Pack, other: Pack) -> bool:
    a, b = one.motion, other.motion
    if a is None or b is None:
        return False
    return (a.looks, a.mesh, a.unit) == (b.looks, b.mesh, b.unit) and a.fields.tobytes() == b.fields.tobytes()


def _check_packs(packs: list[Pack], report: Report | None, decode: bool) -> Iterator[str]:
    parts = [(payload, pack.facts, "") for pack in packs for payload in pack.payloads]
    for pack in packs:
        for layer in pack.layers:
            facts = Facts(pack.facts.size, layer.region[2], layer.region[3], True)
            parts += [(payload, facts, f"layer “{layer.name}”, ") for payload in layer.payloads]
    total = sum(len(payload.pictures) for payload, _, _ in parts)
    done = 0
    for payload, facts, where in parts:
        seen = set[int]()
        for numbers, problem in (_stills if payload.kind == "stills" else _video)(payload, facts, decode):
            seen |= set(numbers)
            if report:
                report(done + len(seen), total)
            if problem:
                yield f"{where}{payload.kind}, picture {numbers[-1]}: {problem}"
        done += len(payload.pictures)


def _stills(payload: Payload, facts: Facts, decode: bool) -> Iterator[tuple[tuple[int, ...], str]]:
    size = (payload.about.get("width", facts.width), payload.about.get("height", facts.height))
    for number, picture in payload.pictures.items():
        problem = ""
        try:
            with Image.open(io.BytesIO(picture.data), formats=["WEBP"]) as still:
                if still.size != size:
                    problem = f"The picture has {still.width} × {still.height} pixels."
                elif still.info.keys() & {"exif", "xmp", "icc_profile"}:
                    problem = "The picture carries metadata."
                elif decode:
                    still.load()
        except (OSError, ValueError, Image.DecompressionBombError):
            problem = "It is not a WebP picture."
        yield (number,), problem


def _video(payload: Payload, facts: Facts, decode: bool) -> Iterator[tuple[tuple[int, ...], str]]:
    numbers = tuple(payload.pictures)
    try:
        codec = codec_of(str(payload.about["codec"]))
    except GazeError as error:
        yield numbers, str(error)
        return
    size = coded_size(facts.width, facts.height, facts.alpha)
    if (payload.about.get("codedWidth"), payload.about.get("codedHeight")) != size:
        yield numbers, f"Its coded size is not {size[0]} × {size[1]}."
    if not decode:
        return
    inner = {picture.parent for picture in payload.pictures.values()}
    for end in (number for number in numbers if number not in inner):
        chain = tuple(payload.chain(end))
        data = [payload.pictures[number].data for number in chain]
        try:
            for done, _ in enumerate(decode_chain(data, codec, facts.width, facts.height, facts.alpha)):
                yield chain[: done + 1], ""
        except GazeError as error:
            yield chain, str(error)
