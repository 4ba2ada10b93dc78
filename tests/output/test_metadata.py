import contextlib
import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gaze.errors import GazeError
from gaze.output.metadata import METADATA, Metadata, Point
from gaze.output.validator import check

OLDER = {
    "gridSize": 30,
    "quadrantSize": 15,
    "mobileGridSize": 20,
    "mobileQuadrantSize": 10,
    "imageWidth": 60,
    "imageHeight": 50,
    "hasAlpha": False,
    "format": "webp",
    "mode": "quadrants",
    "totalImages": 900,
}
"""What a folder without packs has."""


def put(folder: Path, metadata: Any) -> Path:
    (folder / METADATA).write_text(metadata if isinstance(metadata, str) else json.dumps(metadata))
    return folder


@pytest.mark.parametrize(
    "more", [{}, {"face": {"x": 0.5, "y": 1, "z": [None]}, "engine": "warp", "unknown": {"a": [1, None, "ü"]}}]
)
def test_what_is_read_is_written_again_and_nothing_else(tmp_path: Path, more: dict[str, Any]) -> None:
    fields = {**OLDER, **more}
    metadata = Metadata.read(put(tmp_path, fields))
    metadata.write(tmp_path)
    assert json.loads((tmp_path / METADATA).read_text()) == metadata.fields() == fields
    assert [path.name for path in tmp_path.iterdir()] == [METADATA]
    assert Metadata.read(tmp_path) == metadata == pickle.loads(pickle.dumps(metadata)) == copy.deepcopy(metadata)


def test_metadata_are_also_read_by_the_names_in_the_file(tmp_path: Path) -> None:
    metadata = Metadata.read(put(tmp_path, {**OLDER, "unknown": 7}))
    assert (metadata["gridSize"], metadata["unknown"]) == (metadata.grid_size, 7)
    assert dict(metadata) == {**metadata} == {**OLDER, "unknown": 7}
    assert "pack" not in metadata
    with pytest.raises(KeyError):
        metadata["pack"]


def test_metadata_do_not_change() -> None:
    metadata = Metadata(grid_size=4, image_width=8, image_height=8)
    with pytest.raises(ValueError, match="frozen"):
        metadata.grid_size = 5


def test_an_older_folder_has_the_usual_sheets_and_no_face(tmp_path: Path) -> None:
    metadata = Metadata.read(put(tmp_path, OLDER))
    assert metadata.files == ("q0.webp", "q1.webp", "q2.webp", "q3.webp")
    assert metadata.center == (0.5, 0.5)
    assert Metadata.read(put(tmp_path, {**OLDER, "mode": "single"})).sheet_names == ("sheet.webp",)


def test_every_file_that_is_named() -> None:
    metadata = Metadata(
        grid_size=4, image_width=8, image_height=8, sheets=("a",), mobile_sheets=("b",), pack="c", poster="d"
    )
    assert metadata.files == ("a", "b", "c", "d")
    assert metadata.model_copy(update={"sheets": (), "face": Point(x=0, y=1)}).files == ("b", "c", "d")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"gridSize": 61}, "gridSize is 61; 1 to 60 is possible"),
        ({"gridSize": "4"}, "gridSize is 4; 1 to 60"),
        ({"gridSize": True}, "gridSize is True; 1 to 60"),
        ({"imageWidth": None}, "imageWidth is None; 1 to 16384"),
        ({"hasAlpha": 1}, "hasAlpha is 1; true or false"),
        ({"sheets": ["../q0.webp"]}, "no, one or four file names"),
        ({"sheets": ["q0.webp", "q1.webp"]}, "no, one or four file names"),
        ({"mobileSheets": ["q\0.webp"]}, "a list of file names"),
        ({"pack": ".."}, "pack is ..; it must be the name of a file"),
        ({"poster": ""}, "poster is ; it must be the name of a file"),
        ({"face": {"x": 0.5}}, "x and y, as fractions"),
        ({"face": {"x": 0.5, "y": float("nan")}}, "x and y, as fractions"),
        ({"totalImages": -1}, "totalImages is -1; it must be a whole number"),
        ("[" * 100_000, "is not valid JSON"),
        ('{"gridSize"', "is not valid JSON"),
        ([], "is not a JSON object"),
        ({}, "gridSize is missing"),
    ],
)
def test_metadata_that_cannot_be_are_an_error_in_words(tmp_path: Path, fields: Any, words: str) -> None:
    put(tmp_path, {**OLDER, **fields} if isinstance(fields, dict) and fields else fields)
    with pytest.raises(GazeError, match=words) as caught:
        Metadata.read(tmp_path)
    assert str(tmp_path) not in str(caught.value)


def test_a_folder_without_metadata(tmp_path: Path) -> None:
    with pytest.raises(GazeError, match=r"metadata\.json cannot be read: No such file"):
        Metadata.read(tmp_path)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("gridSize", "imageWidth", "mode", "sheets", "mobileSheets", "mobileGridSize", "poster", "pack", "hasAlpha")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING) | ANYTHING)
def test_metadata_of_any_kind_are_good_or_an_error_in_words(tmp_path: Path, given_: Any) -> None:
    usual = {"gridSize": 4, "imageWidth": 8, "imageHeight": 8}
    (tmp_path / "metadata.json").write_text(json.dumps({**usual, **given_} if isinstance(given_, dict) else given_))
    check(tmp_path)
    with contextlib.suppress(GazeError):
        assert all((tmp_path / name).resolve().parent == tmp_path for name in Metadata.read(tmp_path).files)
