"""docs/architecture.md has the rooms that import-linter holds the code to, in the same order."""

from __future__ import annotations

import re
import tomllib

from tests.conftest import ROOT


def test_the_page_has_the_rooms_of_the_contract() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.split("| room | what it is for |")[1].split("\n\n")[0]
    rows = [re.findall(r"`(.+?)`", line.split("|")[1]) for line in table.splitlines()[2:]]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert rows == [layer.split(" | ") for layer in contracts[0]["layers"]]


def test_every_package_of_the_code_is_a_room() -> None:
    """A folder without `__init__.py` would be left out by the linter and by the wheel."""
    folders = {path.parent for path in (ROOT / "gaze").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []
