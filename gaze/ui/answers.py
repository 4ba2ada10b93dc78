"""Answers to the page: plain JSON; a problem is an answer, too."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from gaze.errors import GazeError, PhotoError
from gaze.ui.jobs import UNEXPECTED
from gaze.ui.visitors import for_visitors

Answer = dict[str, Any]
"""JSON for the page; `problem` holds a title and a text where something could not be done."""
_log = logging.getLogger(__name__)


class GoneError(PhotoError):
    """A photo that was uploaded, or a run that was begun, is not there any more."""


def answered(act: Callable[[], Answer]) -> Answer:
    """What comes of it, or what is wrong."""
    try:
        return act()
    except Exception as error:
        return {"problem": problem_of(error)}


def problem_of(error: Exception) -> Answer:
    """What to tell the person; an error that is no `GazeError` is logged with its traceback."""
    if isinstance(error, GazeError):
        return {**titled(for_visitors(error)), "gone": isinstance(error, GoneError)}
    _log.exception("The page could not be answered.", exc_info=error)
    return titled(UNEXPECTED)


def titled(message: str) -> Answer:
    """The first sentence as the title, the others as the text."""
    title, _, text = message.partition(". ")
    return {"title": title.rstrip(".") + ".", "text": text}
