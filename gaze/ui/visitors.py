"""What visitors are told of an error: nothing of where the server keeps its files."""

from __future__ import annotations

import re

_NAME = r"[^\s\\/“”\"'()<>|,;:]+"
_PATH = re.compile(rf"(?<![\w:/.\\-])(?:[A-Za-z]:[\\/]|/|~/|\\\\)(?:{_NAME}[\\/])*({_NAME})")
"""An absolute path, and in it the last name. Addresses have a colon or a letter before their first slash."""


def for_visitors(error: Exception | str) -> str:
    """An error's words, with paths of this machine cut to their last name: the rest is for whoever runs the app."""
    return _PATH.sub(lambda path: path[1], str(error))
