"""What the files around the package promise."""

import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import cv2
import pytest
from packaging.requirements import Requirement

from gaze import __version__
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
    assert own == "gaze-portrait[liveportrait,matting,mcp]"
    # ZeroGPU lists versions of torch; this one has a cuDNN whose 3-D convolutions are right in half precision.
    quality = ["torch==2.11.0" if line == "torch>=2.11,<3" else line for line in extras["liveportrait"]]
    assert requirements() == [*project()["dependencies"], *quality, *extras["matting"], *extras["mcp"], *others]  # type: ignore[misc]


def test_the_readme_says_why_each_dependency_is_there() -> None:
    readme = (ROOT / "README.md").read_text()
    for requirement in requirements():
        name = re.split(r"[\[<>=]", requirement)[0]
        assert re.search(rf"^- [^:]*`{re.escape(name)}`[^:]*: ", readme, re.MULTILINE), name


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
    files, *commit = files.split()
    assert files.split(",") == [*weights.CHECKPOINTS.values(), weights.LANDMARKS]
    assert commit == ([weights.COMMIT] if weights.COMMIT else [])


def test_each_example_portrait_is_credited() -> None:
    credits = (ROOT / "gaze" / "ui" / "examples" / "CREDITS.md").read_text()
    photos = list((ROOT / "gaze" / "ui" / "examples").glob("*.jpg"))
    assert photos
    assert all(f"`{photo.name}`" in credits for photo in photos)


def test_the_page_of_trials_has_every_room_and_no_fault() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text()
    rooms = [room.capitalize() for room in ROOMS]
    assert re.findall(r"(?m)^## (\w+)", page) == rooms
    assert page.count("tries, no faults.") == len(rooms)


def test_the_address_is_one_setting(tmp_path: Path) -> None:
    script = runpy.run_path(str(ROOT / "docs" / "set_address.py"))
    for name in script["PLACES"]:
        assert script["address"]() in (ROOT / name).read_text()
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    script["set_address"]("you/faces", tmp_path)
    assert script["address"](tmp_path) == "you/faces"
    for name in script["PLACES"]:
        text = (tmp_path / name).read_text()
        assert "github.com/you/faces" in text or '\\"you/faces\\"' in text
        assert "OWNER" not in text
    others = [path for path in (ROOT / "docs").glob("*.md")] + [ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
    assert not any("OWNER" in path.read_text() for path in others)
    with pytest.raises(SystemExit, match="is no address"):
        script["set_address"]("https://example.org", tmp_path)


def test_the_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## (\S+), (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0][0] == __version__
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d|unreleased", date) for _, date in headings)
    assert "unreleased" not in [date for _, date in headings[1:]]


def test_an_image_has_all_that_the_app_reads(tmp_path: Path) -> None:
    """What .dockerignore lets through is enough to start, without what only some engines need, and brings no picture
    but the examples."""
    listed = (ROOT / ".dockerignore").read_text().splitlines()
    for name in [line[1:] for line in listed if line.startswith("!")]:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, tmp_path / name)
    code = """if True:
        import sys
        from gaze.ui.app import build
        from gaze.ui.components import embed_snippets
        from gaze.ui.hero import example_photos
        assert len(embed_snippets()) == 5 and example_photos()
        assert not {"torch", "rembg", "spaces", "ray"} & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_the_images_are_built_from_extras_that_there_are() -> None:
    compose = (ROOT / "compose.yaml").read_text()
    assert re.findall(r"profiles: \[(\w+)\]", compose) == ["cpu", "gpu"]
    extras = project()["optional-dependencies"]
    assert isinstance(extras, dict)
    chosen = [extra for named in re.findall(r"EXTRAS: ([\w,]+)", compose) for extra in named.split(",")]
    assert set(chosen) <= set(extras)


def test_opencv_is_allowed_as_far_as_it_was_tested() -> None:
    """From the oldest version that was tried to the newest major one, which `make opencv` tries."""
    (allowed,) = (it for it in map(Requirement, requirements()) if it.name == "opencv-python-headless")
    tried = re.findall(r"\b[45]\.\d+\.\d+\.\d+\b", (ROOT / "CONTRIBUTING.md").read_text())
    pinned = re.search(r"opencv-python-headless==(\S+)", (ROOT / "constraints.txt").read_text())
    newest = re.search(r"^OPENCV \?= (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert pinned
    assert newest
    assert pinned[1] in tried
    assert tried[-1] == newest[1]
    assert {it.split(".")[0] for it in tried} == {"4", "5"}
    assert all(it in allowed.specifier for it in tried)
    assert str(allowed.specifier) == f"<{int(newest[1][0]) + 1},>={'.'.join(tried[0].split('.')[:2])}"
    assert cv2.__version__.split(".")[0] in ("4", "5")


def test_no_map_for_opencv_is_an_empty_array() -> None:
    """OpenCV 5 reads at wrong places where the second map of `cv2.remap` is one, and says nothing."""
    code = [path.read_text() for path in (ROOT / "gaze").rglob("*.py")]
    assert not any("np.empty((0, 0)" in it for it in code)


def test_every_dependency_is_pinned_to_a_version_that_the_project_allows() -> None:
    pinned = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    extras = project()["optional-dependencies"]
    assert isinstance(extras, dict)
    own = [*project()["dependencies"], *(one for extra in extras for one in extras[extra] if extra != "space")]  # type: ignore[misc]
    for requirement in map(Requirement, own):
        if requirement.name != "gaze-portrait":
            assert pinned[requirement.name] in requirement.specifier, requirement.name
