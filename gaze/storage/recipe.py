"""What a finished portrait was made with, for what is made of it later: sheets."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gaze.errors import GazeError
from gaze.grid import Strengths
from gaze.output.bundle import RECIPE


@dataclass(frozen=True)
class Recipe:
    """See `gaze.options.Options`."""

    strengths: Strengths = field(default_factory=Strengths)
    straighten: bool = True

    @classmethod
    def read(cls, folder: Path) -> Recipe:
        """The recipe of a portrait; the normal one where there is none that can be read."""
        try:
            found = json.loads((folder / RECIPE).read_text(encoding="utf-8"))
            parts = {name: float(found["strengths"][name]) for name in ("head", "eyes", "brows")}
            return cls(Strengths(**parts), bool(found["straighten"]))
        except (OSError, ValueError, KeyError, TypeError, GazeError):
            return cls()

    def write(self, folder: Path) -> None:
        """Write it into a portrait's folder.

        Raises:
            OSError: it cannot be written.
        """
        (folder / RECIPE).write_text(json.dumps(asdict(self)), encoding="utf-8")
