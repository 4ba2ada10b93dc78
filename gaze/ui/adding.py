"""Sprite sheets for a finished portrait, when its owner asks for them."""

from __future__ import annotations

import shutil
from collections.abc import Generator

from gaze.output.metadata import METADATA
from gaze.pipeline.sheets import add_sheets
from gaze.progress import Progress, Result
from gaze.storage.sessions import SessionStore

STAGE = "sheets"
SECONDS = {STAGE: 30.0}
"""About how long it takes, until it is known."""


def adding_sheets(store: SessionStore, session: str) -> Generator[Progress, None, Result]:
    """Make the sheets of a session, and keep them with it; closing the generator cancels, and changes nothing.

    They are made in a copy, since others may fetch the session's files meanwhile.

    Raises:
        GazeError: there is no such session, or it cannot be written.
    """
    with store.scratch() as place:
        folder = place / session
        shutil.copytree(store.folder(session), folder)
        metadata = yield from add_sheets(folder)
        for name in (*(metadata.sheets or ()), *metadata.mobile_sheets, METADATA):  # the last one makes them known
            store.write(session, name, (folder / name).read_bytes())
    return Result(store.folder(session), metadata, metadata.engine or "", "", ())
