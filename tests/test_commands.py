"""Every command that the docs tell people to type: it is run, or as much of it as can be run without a network.

What starts the app is run by tests/ui/test_api.py (`make run`) and tests/remote/test_client.py (`--remote`), and so is
the script of docs/api.md; snippets for web pages are run in tests/browser.
"""

from __future__ import annotations

import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from gradio.http_server import INITIAL_PORT_VALUE

import gaze.__main__ as command
from gaze.commands.make import build_parser
from tests.clone import asked, clone
from tests.pages import ROOT, blocks, read
from trials.__main__ import ROOMS

NOTEBOOK = "notebooks/gaze_walkthrough.ipynb"
PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
QUICK = ["-q", "--size", "4", "--frame-size", "128", "--engine", "warp"]
INLINE = re.compile(r"`((?:make|python|\.venv/bin/\w+|pip|docker|git|ray|hf|[A-Z_]+=[^\s`]+) [^`]+)`")


def text_of(page: str) -> str:
    if page != NOTEBOOK:
        return read(page)
    cells = json.loads(read(page))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def commands(page: str) -> Iterator[str]:
    """What a page tells people to type, in blocks and between words."""
    text = text_of(page)
    if page != "docs/api.md":
        for block in blocks(text, "sh"):
            yield from (line for line in block.replace("\\\n", "").splitlines() if line)
    yield from (found.replace("\n", " ") for found in INLINE.findall(re.sub(r"(?ms)^```.*?^```", "", text)))


TYPED = sorted({(page, line) for page in [*PAGES, NOTEBOOK] for line in commands(page)})


# What is done with each kind.


def gaze(words: list[str], here: Path, patch: pytest.MonkeyPatch) -> None:
    """`python -m gaze`: in small, in a folder with a photo and a portrait."""
    places = {"PHOTO": "portrait.jpg", "OUT": "out/", "FOLDER": "made", "PATH": "made"}
    words = [places.get(word, word) for word in words]
    if words[0] in ("check", "pack", "sheets"):
        assert command.main([words[0], "made", *words[2:], "-q"]) == 0
    elif words[0] == "clip":
        assert command.main(words) == 0
        assert (here / "made" / "clip.webm").exists()
    elif "--remote" in words:
        assert build_parser().parse_args(words).remote
    else:
        assert command.main([*words, *QUICK]) == 0
        assert (here / "out" / "index.html").exists()


def app(words: list[str], here: Path, patch: pytest.MonkeyPatch) -> None:
    """`python app.py`: it hands on what it is told."""
    launched: list[Any] = []
    patch.setattr("gaze.ui.__main__.launch", launched.append)
    patch.setattr("gaze.ui.__main__.leave", lambda: None)
    patch.setattr(sys, "argv", ["app.py", *words])
    runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
    assert launched == [words[1] if words else None]


def make(words: list[str], here: Path, patch: pytest.MonkeyPatch) -> None:
    """`make`: with stand-ins for what it installs and runs, which has to exist."""
    done = asked(clone(here / "clone"), *words)
    assert done
    for line in done:
        tool, *arguments = line.split()
        if tool == "python" and arguments[0] == "-m":
            assert find_spec(arguments[1]) or arguments[1] == "venv"
        elif tool == "python" and not arguments[0].startswith("-"):
            assert (ROOT / arguments[0]).is_file()


def python(words: list[str], here: Path, patch: pytest.MonkeyPatch) -> None:
    """Scripts, modules and tests that are there. What they do takes long, or has a test of its own."""
    if words[0] != "-m":
        assert (ROOT / words[0]).is_file()
    elif words[1] == "trials":
        rooms, _, share = " ".join(words[2:]).partition(" --share ")
        assert set(rooms.split()) <= set(ROOMS)
        assert 0 < float(share or 1) <= 1
    elif words[1] == "pytest":
        assert words[2] in ("-k", "--cov") or (ROOT / words[2]).exists()
    else:
        assert find_spec(words[1])


def install(words: list[str], here: Path, patch: pytest.MonkeyPatch) -> None:
    """`pip install`: an extra that there is, or a package that fsspec asks for. Nothing is downloaded."""
    assert words[0] == "install"
    extras = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]
    if words[1] == "--editable":
        [listed] = re.findall(r"^\.\[([a-z,]+)\]$", words[2])
        assert set(listed.split(",")) <= set(extras)
    else:
        from fsspec.registry import known_implementations

        assert words[1] in {known["class"].split(".")[0] for known in known_implementations.values()}


def compose(words: list[str], here: Path, patch: pytest.MonkeyPatch) -> None:
    """`docker compose`: the profile is there, and its files, ports and volume are those of the Dockerfile."""
    assert words[0] == "compose"
    if words[1:] == ["ps"]:
        return
    flag, profile, *rest = words[1:]
    assert (flag, rest) == ("--profile", ["up", "--build"])
    described = yaml.safe_load(read("compose.yaml"))
    [service] = [each for each in described["services"].values() if profile in each["profiles"]]
    build = service["build"] if isinstance(service["build"], dict) else {"context": service["build"]}
    assert build["context"] == "."
    dockerfile = read("Dockerfile")
    set_there = dict(re.findall(r"(\w+)=(\S+?)(?: \\)?$", dockerfile, re.MULTILINE))
    assert service["ports"] == [f"127.0.0.1:{INITIAL_PORT_VALUE}:{set_there['GRADIO_SERVER_PORT']}"]
    assert service["volumes"] == [f"{name}:{place}" for name in described["volumes"] for place in ["/data"]]
    assert re.search(r"^VOLUME /data$", dockerfile, re.MULTILINE)
    assert set_there["GAZE_STORE"].startswith("/data/")
    [started] = re.findall(r"^CMD (.*)$", dockerfile, re.MULTILINE)
    assert json.loads(started) == ["python", "app.py"]


def hub(words: list[str], here: Path, patch: pytest.MonkeyPatch) -> None:
    """`hf`: the command is there and knows the flags. Nothing is sent."""
    from huggingface_hub.cli.hf import app as cli

    plain = [word for word in words if re.fullmatch(r"[a-z]+", word)]
    explained = CliRunner().invoke(cli, [*(plain[:1] if plain[0] == "upload" else plain), "--help"])
    assert explained.exit_code == 0
    assert all(word in explained.output for word in words if word.startswith("--"))


def ray(words: list[str], here: Path, patch: pytest.MonkeyPatch) -> None:
    """`ray start`: it knows the flags. Nothing is started."""
    cli = pytest.importorskip("ray.scripts.scripts").cli
    cli.commands[words[0]].make_context(words[0], words[1:])


def git(words: list[str], here: Path, patch: pytest.MonkeyPatch) -> None:
    """`git clone`: from the one address that the project has, into the folder that is entered then."""
    address = tomllib.loads(read("pyproject.toml"))["project"]["urls"]["Repository"]
    assert words == ["clone", address, "&&", "cd", address.split("/")[-1]]


KINDS: list[tuple[str, Callable[[list[str], Path, pytest.MonkeyPatch], None]]] = [
    (r"(\.venv/bin/)?python -m gaze ", gaze),
    (r"(\.venv/bin/)?python app\.py", app),
    (r"\.venv/bin/python |python -m (trials|benchmarks)", python),
    (r"(\.venv/bin/)?pip ", install),
    (r"make ", make),
    (r"docker ", compose),
    (r"(\.venv/bin/)?hf ", hub),
    (r"ray ", ray),
    (r"git ", git),
]


@pytest.fixture(scope="module")
def made(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("made") / "made"
    assert command.main([str(photo), "-o", str(place), *QUICK]) == 0
    return place


@pytest.mark.parametrize(("page", "line"), TYPED)
def test_what_people_are_told_to_type(
    page: str, line: str, photo: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if line.startswith("export "):
        return  # test_settings_of_a_file_system
    shutil.copy(photo, tmp_path / "portrait.jpg")
    shutil.copytree(made, tmp_path / "made")
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line, comments=True)
    while re.match(r"[A-Z_]+=", words[0]):
        monkeypatch.setenv(*words.pop(0).split("="))
    kinds = [do for start, do in KINDS if re.match(start, shlex.join(words) + " ")]
    assert kinds, f"nothing here runs “{line}” of {page}"
    do = kinds[0]
    do(rest_of(words, do), tmp_path, monkeypatch)


def rest_of(words: list[str], do: Callable[..., None]) -> list[str]:
    """The arguments, after the program: `python -m gaze` and `python app.py` are programs of their own."""
    return words[{gaze: 3, app: 2}.get(do, 1) :]


def test_settings_of_a_file_system(tmp_path: Path) -> None:
    [block] = blocks(read("docs/store.md"), "sh")
    shown = f"{shlex.quote(sys.executable)} -c 'import fsspec.config as it, json; print(json.dumps(it.conf))'"
    done = subprocess.run(["sh", "-c", f"{block}{shown}"], capture_output=True, text=True, check=True)
    [options] = json.loads(done.stdout)["s3"].values()
    assert options == {"connect_timeout": 60, "read_timeout": 60}


def test_make_installs_what_is_missing_and_nothing_twice(tmp_path: Path) -> None:
    folder = clone(tmp_path / "clone")
    tests = ["ruff check .", "ruff format --check .", "mypy --num-workers 2", "lint-imports --no-logo"]
    tests.append("python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder")
    first = asked(folder, "test")
    assert [line for line in first if "pip" in line] == [
        "python -m pip install --quiet --no-compile --editable .[dev] --constraint constraints.txt"
    ]
    assert first[-5:] == tests
    assert asked(folder, "test") == tests
    assert asked(folder, "run") == ["python app.py"]


def test_make_wants_a_python_that_is_new_enough(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "run", f"PYTHON={old}"], cwd=clone(tmp_path / "clone"), capture_output=True, text=True
    )
    assert done.returncode
    assert "Gaze needs Python 3.11 or newer" in done.stdout


def test_python_of_the_readme(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(photo, tmp_path / "portrait.jpg")
    monkeypatch.chdir(tmp_path)
    [code] = blocks(read("README.md"), "python")
    assert "Options(" in code
    exec(code.replace("Options(", "Options(engine='warp', size=4, frame_size=128, "), {})
    assert (tmp_path / "ada" / "index.html").exists()


def test_the_port_is_the_one_that_the_pages_name() -> None:
    assert {int(port) for page in PAGES for port in re.findall(r"127\.0\.0\.1:(\d+)", read(page))} == {
        INITIAL_PORT_VALUE
    }


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd")
def test_the_service_of_the_hosting_page_is_one(tmp_path: Path) -> None:
    [unit] = blocks(read("docs/hosting.md"), "ini")
    program = tmp_path / ".venv" / "bin" / "gaze-app"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (tmp_path / "gaze.service").write_text(unit.replace("/opt/gaze", str(tmp_path)))
    asked = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / "gaze.service"], capture_output=True, text=True, check=False
    )
    assert (asked.returncode, asked.stderr) == (0, "")
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert program.name in scripts


SHOWN = {
    ("README.md", "sh"),
    ("README.md", "python"),
    ("README.md", "html"),  # tests/browser/test_zip.py
    ("CONTRIBUTING.md", "sh"),
    ("docs/api.md", "python"),  # tests/ui/test_api.py
    ("docs/api.md", "sh"),  # likewise
    ("docs/engines.md", "sh"),
    ("docs/hosting.md", "sh"),
    ("docs/hosting.md", "ini"),
    ("docs/hosting.md", "nginx"),  # tests/test_behind_nginx.py
    ("docs/store.md", "sh"),
    *(("docs/widget.md", language) for language in ("html", "css")),  # test_widget_docs.py
}
"""Blocks that a test runs."""


def test_every_block_is_run_somewhere() -> None:
    found = {(page, language) for page in PAGES for language in re.findall(r"^```(\w+)$", read(page), re.MULTILINE)}
    assert found == SHOWN
