"""What docs/architecture.md and the rooms say of themselves is what import-linter holds the code to."""

from __future__ import annotations

import importlib
import tomllib
from functools import cache

import grimp
import pytest

from tests.pages import ROOT, lists, names, read, section

ROOMS = sorted(path.parent.name for path in (ROOT / "gaze").glob("*/__init__.py") if any(path.parent.glob("[!_]*.py")))


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("gaze", cache_dir=None)


def test_the_page_has_the_rooms_of_the_contract() -> None:
    page = read("docs/architecture.md")
    rows = [names(term) for term, _, _ in lists(section(page, "The rooms"))[0]]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert rows == [layer.split(" | ") for layer in contracts[0]["layers"]]


def test_every_package_of_the_code_is_a_room() -> None:
    """A folder without `__init__.py` would be left out by the linter and by the wheel."""
    folders = {path.parent for path in (ROOT / "gaze").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_names_its_doors(room: str) -> None:
    """Its first sentence says what it is for, its second which of its modules others import."""
    inside = {f"gaze.{room}", *graph().find_descendants(f"gaze.{room}")}
    doors = {door for door in inside if not graph().find_modules_that_directly_import(door) <= inside}
    names = sorted(door.removeprefix(f"gaze.{room}.") for door in doors if door != f"gaze.{room}")
    told = importlib.import_module(f"gaze.{room}").__doc__ or ""
    wanted = f"Other rooms import: {', '.join(f'`{name}`' for name in names)}."
    assert " ".join(told.split("\n\n")[-1].split()) == (wanted if names else " ".join(told.split()))
