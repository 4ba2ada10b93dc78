"""All faces of one photo: a portrait of each, in one folder, and a page on which all follow the same pointer."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path

from gaze.face.detection import clear_faces
from gaze.options import Options
from gaze.output.bundle import write_pages
from gaze.output.metadata import FaceFiles
from gaze.photo.portrait import Portrait
from gaze.pipeline.preparing import which_was_taken
from gaze.progress import Progress, Result, Steps
from gaze.storage.publishing import publishing

MOST = 9
"""Portraits of one photo; the largest faces are taken."""

One = Callable[[Portrait, Path, Options], Generator[Progress, None, Result]]
"""Makes one portrait: `gaze.pipeline.making.run`."""


def count_faces(photo: Portrait, anyway: bool = False) -> int:
    """How many portraits `run_all` makes of a photo.

    Raises:
        FaceError: as `gaze.face.detection.clear_faces`.
    """
    return min(MOST, len(clear_faces(photo, anyway)))


def from_left(photo: Portrait, anyway: bool = False) -> list[int]:
    """The numbers of the faces that `run_all` takes, in the order in which their portraits stand: as in the photo.

    Raises:
        FaceError: as `gaze.face.detection.clear_faces`.
    """
    faces = clear_faces(photo, anyway)[:MOST]
    return sorted(range(len(faces)), key=lambda number: faces[number].centre[0])


def run_all(photo: Portrait, out: Path, options: Options, one: One) -> Generator[Progress, None, Result]:
    """Make the portraits one after the other; closing the generator cancels, and leaves nothing.

    The folder is the main face's, with the packs, stills and posters of the others beside: `gaze-2.pack` and so on.

    Args:
        photo: the whole photo.
        out: the folder to make.
        options: of each portrait.
        one: makes one.

    Raises:
        GazeError: one of them cannot be made.
    """
    faces = clear_faces(photo, options.anyway)
    count = min(MOST, len(faces))
    options = replace(options, sheets=False)
    if count == 1:
        return (yield from one(photo, out, replace(options, face=0)))
    made: list[Result] = []
    with publishing(out) as draft:
        for number in range(count):
            with Steps(one(photo, draft / str(number), replace(options, face=number))) as steps:
                for step in steps:
                    if step.stage != "done":
                        message = f"Face {number + 1} of {count}: {step.message}"
                        # What a slow engine shows on the way is one face, and lies elsewhere than the finished ones.
                        yield replace(step, message=message, result=None, part=number, parts=count)
            made.append(steps.result)
        files = [_gather(result, draft, number) for number, result in enumerate(made)]
        places = tuple(files[number] for number in from_left(photo, options.anyway))
        metadata = made[0].metadata.model_copy(update={"faces": places})
        metadata.write(draft)
        write_pages(draft, metadata)
    notes = _notes(
        [
            [note for note in result.notes if note != which_was_taken(number, len(faces))]
            for number, result in enumerate(made)
        ]
    )
    if len(faces) > count:
        notes.append(f"There are {len(faces)} faces in the photo; the {count} largest were taken.")
    result = Result(out, metadata, made[0].engine, made[0].reason, tuple(notes))
    yield Progress("done", 1, 1, "Finished", 0.0, result, (), count - 1, count)
    return result


def _notes(of_each: Sequence[Sequence[str]]) -> list[str]:
    """Notes that all faces have, once; then the others, each with the number of its face."""
    shared = [note for note in of_each[0] if all(note in notes for notes in of_each)]
    own = [
        f"Face {number} of {len(of_each)}: {note}"
        for number, notes in enumerate(of_each, 1)
        for note in notes
        if note not in shared
    ]
    return shared + own


def _gather(result: Result, folder: Path, number: int) -> FaceFiles:
    """Put a portrait's files into the folder of all: of the main one all, of another what pages play."""
    metadata = result.metadata
    played = {name: str(getattr(metadata, name)) for name in ("pack", "stills", "poster") if getattr(metadata, name)}
    if number == 0:
        for path in list(result.folder.iterdir()):
            path.rename(folder / path.name)
    else:
        for kind, name in played.items():
            played[kind] = f"{Path(name).stem}-{number + 1}{Path(name).suffix}"
            (result.folder / name).rename(folder / played[kind])
    shutil.rmtree(result.folder)
    shown = {"image_width": metadata.image_width, "image_height": metadata.image_height, "face": metadata.face}
    return FaceFiles.model_validate({**shown, **played})
