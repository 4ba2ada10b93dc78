"""What the files around the package promise."""

import re
import tomllib
from pathlib import Path

import pytest

from gaze.faces import Iris, typical_face
from gaze.grid import GazeGrid
from gaze.sprites import metadata
from trials.__main__ import ROOMS

ROOT = Path(__file__).resolve().parents[1]


def project() -> dict[str, object]:
    loaded: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return loaded


def requirements() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_a_space_installs_what_the_project_depends_on() -> None:
    extras = project()["optional-dependencies"]
    assert isinstance(extras, dict)
    own, *others = extras["space"]
    assert own == "gaze-portrait[liveportrait,matting]"
    assert requirements() == [*project()["dependencies"], *extras["liveportrait"], *extras["matting"], *others]  # type: ignore[misc]


def test_the_readme_says_why_each_dependency_is_there() -> None:
    readme = (ROOT / "README.md").read_text()
    for requirement in requirements():
        name = re.split(r"[\[<>=]", requirement)[0]
        assert re.search(rf"^\| `{re.escape(name)}` \|", readme, re.MULTILINE), name


def test_the_space_gets_the_gradio_that_the_project_allows() -> None:
    front = (ROOT / "README.md").read_text().split("---")[1]
    facts = dict(line.split(": ", 1) for line in front.strip().splitlines() if ": " in line)
    assert facts["sdk"] == "gradio"
    assert facts["app_file"] == "app.py"
    major, minor, _ = facts["sdk_version"].split(".")
    assert f"gradio>={major}.{minor},<{int(major) + 1}" in requirements()


def test_a_space_brings_the_weights_along() -> None:
    weights = pytest.importorskip("gaze.engines.liveportrait.weights")
    front = (ROOT / "README.md").read_text().split("---")[1]
    _, repository, files = front[front.index("preload_from_hub:") :].replace("  - ", "").split(maxsplit=2)
    assert repository == weights.REPOSITORY
    assert files.strip().split(",") == [*weights.CHECKPOINTS.values(), weights.LANDMARKS]


def test_each_example_portrait_is_credited() -> None:
    credits = (ROOT / "assets" / "examples" / "CREDITS.md").read_text()
    photos = list((ROOT / "assets" / "examples").glob("*.jpg"))
    assert photos
    assert all(f"`{photo.name}`" in credits for photo in photos)


def test_the_format_is_documented_field_by_field() -> None:
    page = (ROOT / "docs" / "format.md").read_text()
    facts = metadata(GazeGrid(), "quadrants", 512, 512, typical_face(Iris(1, 1, 1), Iris(2, 1, 1)))
    documented = set(re.findall(r"`(\w+)`", page.split("## metadata.json")[1]))
    assert documented - {"x", "y"} == {*facts, "engine"}


def test_the_page_of_trials_has_every_room_and_no_fault() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text()
    assert re.findall(r"(?m)^## (\w+)", page) == [room.capitalize() for room in ROOMS]
    assert page.count("tries, no faults.") == len(ROOMS)
