"""Sets where the project lives on GitHub.

    python docs/set_address.py YOU/gaze

The address is `Repository` in pyproject.toml; README and the notebook repeat it, and are changed with it.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACES = ("pyproject.toml", "README.md", "notebooks/gaze_walkthrough.ipynb")
_HOST = "https://github.com/"
_UNTIL_THEN = (
    "   # OWNER is a placeholder until the project is published",
    "OWNER is a placeholder: until the project is published, the badge leads nowhere.",
)
"""What says so in README and notebook; it goes when the address is set."""


def address(root: Path = ROOT) -> str:
    """The owner and the name of the repository, as in `YOU/gaze`."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["urls"]["Repository"]).removeprefix(_HOST)


def set_address(new: str, root: Path = ROOT) -> None:
    """Put another address in every place that names it.

    Raises:
        SystemExit: it is no owner and name.
    """
    if not re.fullmatch(r"[\w-]+/[\w.-]+", new, re.ASCII):
        raise SystemExit(f"“{new}” is no address. Give the owner and the name of the repository, as in YOU/gaze.")
    old = address(root)
    for name in PLACES:
        file = root / name
        text = file.read_text(encoding="utf-8").replace(old, new)
        for words in _UNTIL_THEN:
            text = text.replace(words, "")
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("Give the owner and the name of the repository, as in YOU/gaze.")
    set_address(sys.argv[1])
