"""What `pip install` of the wheel brings, in an environment of its own and away from the repository."""

import shutil
import site
import subprocess
import sys
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from gaze import __version__
from tests.conftest import ROOT
from tests.serving import serving

PARTS = ("gaze", "pyproject.toml", "README.md", "LICENSE")
"""What the wheel is made from."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by what is installed, from a copy: a build leaves folders behind."""
    source = tmp_path_factory.mktemp("source")
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy(ROOT / name, source / name)
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", source / "dist", source)
    [built] = (source / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment that has the wheel, and what it depends on from this one."""
    place = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(place, symlinks=True)
    python = place / "bin" / "python"
    pip("--python", python, "install", "--no-deps", "--no-index", wheel)
    [packages] = place.glob("lib/python*/site-packages")
    # Its own .pth files are not read, so that a repository which is installed as editable stays out.
    (packages / "others.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return place / "bin"


def pip(*arguments: object) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_holds_every_file_of_the_package_and_no_other(wheel: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "gaze"], cwd=ROOT, capture_output=True, text=True)
    if not listed.stdout:
        pytest.skip("This is no git repository, so nothing says which files belong to the package.")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name for name in names if name.startswith("gaze/")} == set(listed.stdout.split())
    assert "gaze/py.typed" in names
    assert f"gaze_portrait-{__version__}.dist-info/licenses/LICENSE" in names


def test_the_command_line_makes_a_portrait_from_another_folder(programs: Path, tmp_path: Path) -> None:
    where = "from pathlib import Path; import gaze; print(Path(gaze.__file__).parent)"
    package = Path(output(programs / "python", "-c", where, folder=tmp_path).strip())
    assert package.is_relative_to(programs.parent)
    example = package / "ui" / "examples" / "astronaut.jpg"
    output(programs / "gaze", example, "-o", "out", "--size", "2", "--frame-size", "128", folder=tmp_path)
    assert (tmp_path / "out" / "gaze-tracker.js").read_bytes() == (package / "widget" / "gaze-tracker.js").read_bytes()


def test_the_page_starts_from_another_folder_with_its_examples_and_snippets(programs: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "app", program=str(programs / "gaze-app"), folder=tmp_path) as app:
        page = "".join(urllib.request.urlopen(app.address + place).read().decode() for place in ("/", "/config"))
    assert "gaze-portrait/gaze-tracker.js" in page
    assert "data:image/" in page


def output(*command: object, folder: Path) -> str:
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
