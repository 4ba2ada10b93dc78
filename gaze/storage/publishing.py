"""A result appears under its name only when it is complete; an interrupted run leaves nothing that looks finished."""

from __future__ import annotations

import logging
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gaze.errors import GazeError, StoreError
from gaze.storage.locks import locked
from gaze.storage.modes import PRIVATE

_log = logging.getLogger(__name__)

DRAFT = ".draft-"
"""What the names of folders begin with that are not complete."""
SHEETS = ".sheets-"
"""The same of a portrait's folder in which its sheets are made."""
_ID = re.compile(r"[0-9a-f]{32}")


def is_session(name: str) -> bool:
    """Whether this can be the id of a session; nothing else becomes part of a path."""
    return bool(_ID.fullmatch(name))


@contextmanager
def publishing(final: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `final` when the block ends well and is removed when it does not.

    Raises:
        StoreError: a session cannot be kept.
        GazeError: any other folder cannot be made or `final` is there already.
    """
    session = is_session(final.name)
    draft = final.parent / f"{DRAFT}{final.name}-{secrets.token_hex(8)}"
    with ExitStack() as lock:
        try:
            if final.exists():
                raise GazeError(f"{final} is there already. Choose another name, or remove it first.")
            final.parent.mkdir(parents=True, exist_ok=True)
            lock.enter_context(locked(draft, PRIVATE if session else 0o777))
        except OSError as error:
            if session:
                raise not_kept(final.parent, error) from error
            raise GazeError(f"{final.parent} cannot be written to: {error.strerror}. Choose another place.") from error
        try:
            yield draft
            draft.rename(final)
        except OSError as error:
            if session:
                raise not_kept(final.parent, error) from error
            raise GazeError(
                f"The result could not be written to {final}: {error.strerror or error}. Make room or choose another "
                "place."
            ) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def not_kept(place: Path, error: OSError) -> StoreError:
    """The error for what the app cannot write: whoever runs it learns from the log where, visitors need not know."""
    _log.error("%s cannot be written to: %s", place, error)
    return StoreError(f"The app could not keep a file: {error.strerror or 'it was refused'}. Try again in a minute.")
