"""docs/architecture.md is true: every module stands in its table, and imports go the way it says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "gaze"


def name_of(path: Path) -> str:
    """A module as the docs write it: `engines/warp`, `__init__`."""
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py")) if path.read_text().strip()}
"""All modules but the files that only make a folder a package."""


def rooms() -> list[list[str]]:
    """The modules of each room, from the top down."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.split("| room | modules |")[1].split("\n\n")[0]
    return [re.findall(r"`(.+?)`", line) for line in table.splitlines()[2:]]


def own(full: str) -> str | None:
    """The module of this package that a full name stands for, as the docs write it."""
    if not re.match(r"gaze(\.|$)", full):
        return None
    place = full.removeprefix("gaze").removeprefix(".").replace(".", "/")
    return next((name for name in (place, f"{place}/__init__".removeprefix("/")) if name in MODULES), None)


def imported(node: ast.AST) -> Iterator[str]:
    """The full names of the modules that an import statement brings."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            full = f"{node.module}.{alias.name}"
            yield full if own(full) else node.module


def at_the_top(path: Path) -> Iterator[str]:
    """What a module imports when it is imported itself: neither inside functions nor for types alone."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        yield from imported(node)


def anywhere(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        yield from imported(node)


def test_every_module_has_its_room() -> None:
    named = [module for room in rooms() for module in room]
    assert sorted(named) == sorted(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module: str) -> None:
    depth = {name: number for number, room in enumerate(rooms()) for name in room}
    used = {other for full in at_the_top(MODULES[module]) if (other := own(full))}
    assert [other for other in used if depth[other] < depth[module]] == []


@pytest.mark.parametrize(
    ("package", "allowed"),
    [("gradio", r"ui/"), ("torch", r"engines/liveportrait/"), ("spaces", "engines/liveportrait/")],
)
def test_heavy_packages_stay_in_their_rooms(package: str, allowed: str) -> None:
    users = [name for name, path in MODULES.items() if any(full.split(".")[0] == package for full in anywhere(path))]
    assert users
    assert [name for name in users if not re.match(allowed, name)] == []
