"""What can be set, asked for and read is documented, and what is documented is there.

Of the widget that is held by tests/browser/test_widget_docs.py, of the modules by test_architecture.py; what people are
told to type is run by test_commands.py.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from PIL import Image

from gaze.__main__ import COMMANDS
from gaze.commands import make
from gaze.options import Options
from gaze.output.bundle import CHECKPOINT, INPUT, SHARE
from gaze.pipeline.making import generate
from gaze.storage.sessions import SessionStore
from gaze.ui.api import Api
from gaze.ui.endpoints import add_endpoints
from gaze.ui.queue import Queue
from tests.fakes import FakeEngine
from tests.pages import ROOT, lists, named, names, read, section

PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
QUICK = ["--size", "4", "--frame-size", "128", "--engine", "warp"]


def told(value: Any, yes: str, no: str) -> str:
    """A default as the docs write it."""
    if value is None or value is argparse.SUPPRESS:
        return ""
    if isinstance(value, bool):
        return yes if value else no
    return f"{value:g}" if isinstance(value, float) else str(value)


# The command line and the environment.


def flags(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Without `--help`, which every command has."""
    return [action for action in parser._actions if action.option_strings and "--help" not in action.option_strings]


def test_flags() -> None:
    listed = lists(section(read("docs/settings.md"), "On the command line"))[0]
    documented = {flag: default.strip("`") for term, default, _ in listed for flag in names(term)}
    assert documented == {
        flag: told(each.default, "yes", "no") for each in flags(make.build_parser()) for flag in each.option_strings
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_flags_of_commands(command: str) -> None:
    text = section(read("docs/settings.md"), "On the command line")
    [row] = [row for row in lists(text)[1] if row[0].startswith(f"`python -m gaze {command} ")]
    actions = {each.option_strings[-1]: each for each in flags(COMMANDS[command].build_parser())}
    quiet = actions.pop("--quiet", None)
    assert (quiet is None) == (command == "clip"), "the page says that the others have it"
    assert {name for name in names(row[2]) if name.startswith("--")} == set(actions)
    for flag, action in actions.items():
        assert f"`{flag}` {told(action.default, '', '')}".strip() in row[2]


def variables(path: Path) -> Iterator[str]:
    """The environment variables that a module asks for: by a text, by a constant, or kept in a list of ours."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    asked: ast.AST
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and re.search(r"\b(environ\.\w+|getenv)$", ast.unparse(node.func)) and node.args:
            asked = node.args[0]
        elif isinstance(node, ast.Subscript) and re.search(r"\benviron$", ast.unparse(node.value)):
            asked = node.slice
        elif isinstance(node, ast.Compare) and re.search(r"\benviron$", ast.unparse(node.comparators[0])):
            asked = node.left
        else:
            asked = node
        name = constants.get(asked.id) if isinstance(asked, ast.Name) else getattr(asked, "value", None)
        if isinstance(name, str) and (asked is not node or re.fullmatch(r"GAZE_[A-Z_]+", name)):
            yield name


def test_environment_variables() -> None:
    used = {name for path in [ROOT / "app.py", *(ROOT / "gaze").rglob("*.py")] for name in variables(path)}
    ours, libraries = lists(section(read("docs/settings.md"), "In the environment"))
    assert sorted(named(ours)) == sorted(used)
    everywhere = "".join(read(name) for name in PAGES) + read("Dockerfile") + read("compose.yaml")
    mentioned = set(re.findall(r"\b(?:GAZE|GRADIO|HF)_[A-Z_]+\b", everywhere))
    assert mentioned - set(named(ours)) - set(named(libraries)) == {"GAZE_CHROMIUM"}, "which is the tests'"


# The endpoints.


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    store = SessionStore(tmp_path_factory.mktemp("store"))
    with gr.Blocks() as blocks:
        add_endpoints(Api(store, store, Queue()))
    found: dict[str, Any] = blocks.get_api_info()["named_endpoints"]
    return found


def test_endpoints(endpoints: dict[str, Any]) -> None:
    assert set(re.findall(r"^## (/\w+)", read("docs/api.md"), re.MULTILINE)) == set(endpoints)


@pytest.mark.parametrize("endpoint", ["/generate", "/preview", "/session"])
def test_arguments_of_endpoints(endpoints: dict[str, Any], endpoint: str) -> None:
    """A list of the first one's; of the others a sentence, with the same defaults."""
    page = read("docs/api.md")
    listed = lists(section(page, "/generate"))[0]
    documented = {name: default.strip("`") for term, default, _ in listed for name in names(term)}
    if endpoint != "/generate":
        [sentence] = re.findall(r"Takes (.*?);", section(page, endpoint), re.DOTALL)
        documented = {name: documented.get(name, "") for name in names(sentence)}
    parameters = {each["parameter_name"]: each.get("parameter_default") for each in endpoints[endpoint]["parameters"]}
    assert documented == {name: told(default, "true", "false") for name, default in parameters.items()}


def test_what_endpoints_return(photo: Path, tmp_path: Path) -> None:
    api = Api(SessionStore(tmp_path), SessionStore(tmp_path), Queue())
    text = read("docs/api.md")
    assert set(named(lists(section(text, "/health"))[0])) == set(api.health())
    made = api.preview(str(photo), 1, 1, 1, True, 0)
    documented = {*named(lists(section(text, "/generate"))[1]), *FIELDS}
    documented -= {"reason"}  # which a preview does without
    assert set(made) == documented


# The files.


FIELDS = set(named(lists(section(read("docs/format.md"), "metadata.json"))[0]))


def test_fields_of_the_metadata(made: Path) -> None:
    assert set(json.loads((made / "metadata.json").read_text())) == FIELDS


def test_types_of_the_manifest() -> None:
    types = (ROOT / "gaze" / "widget" / "gaze-tracker.d.ts").read_text(encoding="utf-8")
    [manifest] = re.findall(r"interface GazeManifest \{(.*?)^\}", types, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^  (\w+)\??:", manifest, re.MULTILINE)) == {*FIELDS, "base"}


@pytest.fixture(scope="module")
def made(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("docs") / "made"
    return generate(photo, out, Options(engine=FakeEngine(4), size=4, frame_size=128)).folder


def header_of(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 8)
    header: dict[str, Any] = json.loads(data[12 : 12 + length])
    return header


def test_header_of_a_pack(made: Path) -> None:
    documented = set(named(lists(section(read("docs/format.md"), "gaze.pack"))[0]))
    assert documented == {*header_of(made / "gaze.pack"), "layers"}


def test_header_of_a_payload(made: Path) -> None:
    [video] = header_of(made / "gaze.pack")["payloads"]
    [stills] = header_of(made / "stills.pack")["payloads"]
    assert set(stills) == {"kind", "length", "width", "height", "keys"}
    assert set(video) == {"kind", "length", "codec", "codedWidth", "codedHeight", "colorSpace"}
    written = {*video, *stills, "alpha"}  # which only transparent ones have
    [paragraph] = re.findall(r"Of each payload the header MUST give (.*?)\n\n", read("docs/format.md"), re.DOTALL)
    assert set(names(paragraph)) - {"hasAlpha"} == written


def test_files_of_a_portrait(photo: Path, tmp_path: Path) -> None:
    made = generate(photo, tmp_path / "made", Options(engine=FakeEngine(22), size=22, frame_size=128)).folder
    documented = set(named(lists(read("docs/format.md"))[0]))
    for i in (1, 2):
        documented |= {f"q{i}.webp", f"q{i}_20.webp"}  # which the page passes over with an ellipsis
    assert {path.name for path in made.iterdir()} == documented - {CHECKPOINT, SHARE}, "made by slow engines, by owners"
    assert f"`{INPUT}`" in read("docs/format.md")


# The pages themselves.


def test_pictures_are_made_by_their_script(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "docs" / "make_pictures.py"), str(tmp_path), "192"]
    subprocess.run(command, env=environment, check=True)
    made = {path.relative_to(tmp_path) for path in tmp_path.rglob("*.webp")}
    shown = {path.relative_to(ROOT) for folder in ("docs", "assets") for path in (ROOT / folder).rglob("*.webp")}
    assert made == shown
    for name in made:
        small, large = Image.open(tmp_path / name), Image.open(ROOT / name)
        assert small.width == large.width
        assert small.height == pytest.approx(large.height, rel=0.03), "but for crops in whole pixels"


def test_the_readme_is_short_and_its_numbers_were_measured() -> None:
    text = read("README.md").split("---\n", 2)[2]
    assert len(text.splitlines()) < 120
    told = re.findall(r"(\d[\d.,]*) (s|ms|kB|MB|GB|keys|looks)\b", text)
    assert len(told) > 5
    results = read("benchmarks/RESULTS.md")
    missing = [f"{number} {unit}" for number, unit in told if not re.search(rf"(?<![\d.]){number} {unit}\b", results)]
    assert missing == [], "which no benchmark says"


@pytest.mark.parametrize("name", PAGES)
def test_what_pages_point_to_is_there(name: str) -> None:
    text = read(name)
    links = [
        link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)|src=\"([^\"]+)\"", text) for link in link if link
    ]
    local = [link for link in links if link and "://" not in link and not link.startswith("gaze-portrait")]
    if not name.endswith("widget.md"):
        assert [link for link in local if not (ROOT / name).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_sections_that_pages_point_to_are_there(name: str) -> None:
    for page, anchor in re.findall(r"\]\(((?!https?:)[^)#]*)#([^)]+)\)", read(name)):
        text = (ROOT / name).parent.joinpath(page or Path(name).name).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        assert anchor in [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings], anchor
