"""Where the program keeps what outlives a run, and may be deleted at any time."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """The program's folder in the user's cache, which `XDG_CACHE_HOME` names; it need not exist."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gaze"
