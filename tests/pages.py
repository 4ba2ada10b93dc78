"""Reading the docs."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def read(name: str) -> str:
    """The text of a page of the repository, such as `docs/api.md`."""
    return (ROOT / name).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """What stands under a heading of the second level, down to the next."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no section “{title}”"
    return found[1]


def lists(text: str) -> list[list[list[str]]]:
    """The items of each list, "term (default): meaning", in these three parts; those that are missing are empty."""
    found = re.findall(r"(?:^- .*\n(?:  .*\n)*)+", text + "\n", re.MULTILINE)
    items = [re.findall(r"^- (.*\n(?:  .*\n)*)", each, re.MULTILINE) for each in found]
    return [
        [list(re.findall(r"^(.*?)(?: \((.*?)\))?(?:: (.*))?$", " ".join(item.split()))[0]) for item in each]
        for each in items
    ]


def names(text: str) -> list[str]:
    """What stands in code in a text."""
    return re.findall(r"`([^`]+)`", text)


def named(listed: list[list[str]]) -> list[str]:
    """What the terms of a list name."""
    return [name for item in listed for name in names(item[0])]


def blocks(text: str, language: str) -> list[str]:
    """The code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
