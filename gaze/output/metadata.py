"""`metadata.json`: what a portrait's folder says of itself, in the words of docs/format.md."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from gaze.errors import GazeError

METADATA = "metadata.json"
MAX_GRID, MAX_SIDE = 60, 16384
"""The largest grid, and the longest side of a frame in pixels."""


def _own_name(name: str) -> str:
    if Path(name).name != name or name in ("", "..") or "\0" in name:
        raise ValueError("It names no file of the folder itself.")
    return name


def _one_or_four(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(names) not in (0, 1, 4):
        raise ValueError("Sheets come as one, or as four.")
    return names


FileName = Annotated[str, AfterValidator(_own_name)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=-1, le=2)]
_EXPECTED = {
    "gridSize": f"1 to {MAX_GRID} is possible",
    "imageWidth": f"1 to {MAX_SIDE} is possible",
    "imageHeight": f"1 to {MAX_SIDE} is possible",
    "hasAlpha": "true or false is possible",
    "mode": "“quadrants” or “single” is possible",
    "sheets": "it must be a list of no, one or four file names",
    "mobileSheets": "it must be a list of file names",
    "pack": "it must be the name of a file beside it",
    "stills": "it must be the name of a file beside it",
    "poster": "it must be the name of a file beside it",
    "face": "it must have x and y, as fractions of the frame",
    "faces": "it must be a list of faces, each with its pack and its poster",
    "format": "it must be text",
    "engine": "it must be text",
}
"""What a field may be, as it is told to a person; of others: a whole number."""


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True, strict=True, alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False, extra="allow"
    )


class Point(_Model):
    """A place in a frame, as fractions of its width and height."""

    x: Share
    y: Share


class FaceFiles(_Model):
    """One of several faces that a folder shows: its frames and its files, as in `Metadata`."""

    image_width: Side
    image_height: Side
    pack: FileName
    stills: FileName | None = None
    poster: FileName
    face: Point | None = None


class Metadata(_Model):
    """What `metadata.json` says. Fields that are not known here are kept as they are.

    `metadata["gridSize"]`, `"pack" in metadata` and `dict(metadata)` work by the names in the file.

    Attributes:
        grid_size, quadrant_size: rows and columns of the grid, of a quadrant.
        image_width, image_height: pixels of a frame.
        mobile_grid_size, mobile_quadrant_size: the same grid sizes for phones.
        has_alpha: whether frames are transparent somewhere.
        format: of the sheets.
        mode: whether there are four sheets or a single one.
        total_images: looks of the grid.
        version: of the format.
        sheets: file names in the order of the quadrants; None in an older folder, which does not list them.
        mobile_sheets: likewise for phones.
        pack, stills, poster: file names; None where there is none.
        face: the point between the eyes.
        engine: what rendered the frames.
        faces: where all faces of a photo were made, each of them, from left to right; the fields above are the main
            one's.
    """

    grid_size: Annotated[int, Field(ge=1, le=MAX_GRID)]
    quadrant_size: Count | None = None
    mobile_grid_size: Count | None = None
    mobile_quadrant_size: Count | None = None
    image_width: Side
    image_height: Side
    has_alpha: bool = False
    format: str = "webp"
    mode: Literal["quadrants", "single"] = "quadrants"
    total_images: Count | None = None
    version: int = 1
    sheets: Annotated[tuple[FileName, ...], AfterValidator(_one_or_four)] | None = None
    mobile_sheets: tuple[FileName, ...] = ()
    pack: FileName | None = None
    stills: FileName | None = None
    poster: FileName | None = None
    face: Point | None = None
    engine: str | None = None
    faces: tuple[FaceFiles, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Metadata:
        """The metadata of a folder of this version or an older one.

        Raises:
            GazeError: there are none, or a field is missing or cannot be what it is.
        """
        try:
            return cls.model_validate_json((folder / METADATA).read_bytes())
        except OSError as error:
            raise GazeError(f"{METADATA} cannot be read: {error.strerror}. Name a portrait's folder.") from error
        except ValidationError as error:
            raise GazeError(f"{METADATA} {_problem(error)}. Make the portrait again.") from error

    def write(self, folder: Path) -> None:
        """Write `metadata.json` into a folder: whole, or not at all.

        Raises:
            OSError: it cannot be written.
        """
        draft = folder / f".{METADATA}"
        draft.write_text(json.dumps(self.fields(), indent=2) + "\n", encoding="utf-8")
        draft.replace(folder / METADATA)

    def fields(self) -> dict[str, Any]:
        """All fields by their names in the file, in values that JSON has; without those that are not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)

    @property
    def center(self) -> tuple[float, float]:
        """The point between the eyes, as fractions of width and height; the middle where it is not known."""
        return (self.face.x, self.face.y) if self.face else (0.5, 0.5)

    @property
    def sheet_names(self) -> tuple[str, ...]:
        """The files of the full grid's sheets, in the order of the quadrants; those usual where they are not listed."""
        usual = ("sheet.webp",) if self.mode == "single" else tuple(f"q{i}.webp" for i in range(4))
        return usual if self.sheets is None else self.sheets

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that the metadata name."""
        shown: tuple[Metadata | FaceFiles, ...] = (self, *self.faces)
        others = (name for one in shown for name in (one.pack, one.stills, one.poster) if name)
        return (*self.sheet_names, *self.mobile_sheets, *dict.fromkeys(others))

    def keys(self) -> Iterable[str]:
        """The names of the fields in the file."""
        return self.fields().keys()

    def __getitem__(self, name: str) -> Any:
        return self.fields()[name]

    def __contains__(self, name: object) -> bool:
        return name in self.fields()


def _problem(error: ValidationError) -> str:
    """The first thing that is wrong, as the rest of a sentence."""
    first = error.errors(include_url=False)[0]
    if not first["loc"]:
        return "is not valid JSON" if first["type"] == "json_invalid" else "is not a JSON object"
    name = str(first["loc"][0])
    value = "missing" if first["type"] == "missing" else str(first["input"])[:20]
    return f"cannot be used: {name} is {value}; {_EXPECTED.get(name, 'it must be a whole number')}"
