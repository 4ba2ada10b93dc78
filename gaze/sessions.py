"""Results on disk: one folder each, under an id that cannot be guessed.

A folder appears under its final name only when it is complete; an interrupted run leaves nothing that looks finished.
"""

from __future__ import annotations

import hmac
import json
import math
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gaze.errors import GazeError
from gaze.pack import PACK
from gaze.sprites import METADATA

_ID = re.compile(r"[0-9a-f]{32}")
_DRAFT = ".draft-"
_DRAFT_AGE = 6 * 3600
PREVIEWS_KEPT = 3600.0
"""Seconds for which previews are kept."""


@contextmanager
def publishing(final: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `final` when the block ends well and is removed when it does not.

    Raises:
        GazeError: the folder cannot be made or `final` is there already.
    """
    if final.exists():
        raise GazeError(f"{final} is there already. Choose another name, or remove it first.")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        draft = final.parent / f"{_DRAFT}{final.name}-{secrets.token_hex(8)}"
        draft.mkdir()
    except OSError as error:
        raise GazeError(f"{final.parent} cannot be written to: {error.strerror}. Choose another place.") from error
    try:
        yield draft
        draft.rename(final)
    except OSError as error:
        raise GazeError(f"The result could not be written to {final}: {error.strerror}.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def default_store() -> Path:
    """Where the app keeps its results: `GAZE_STORE`, else a folder in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("GAZE_STORE") or Path(cache) / "gaze" / "sessions")


def time_kept() -> float:
    """Seconds for which results are kept: `GAZE_KEEP_DAYS`, else a week.

    Raises:
        GazeError: the variable is no positive number.
    """
    given = os.environ.get("GAZE_KEEP_DAYS", "7")
    try:
        days = float(given)
    except ValueError:
        days = math.nan
    if not 0 < days < math.inf:
        raise GazeError(f"GAZE_KEEP_DAYS is “{given}”. Give a number of days, such as 7.")
    return days * 24 * 3600


class SessionStore:
    """The results under one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def new(self) -> Path:
        """A folder name for a new session; it is not made yet."""
        return self.root / secrets.token_hex(16)

    def folder(self, session: str) -> Path:
        """The folder of a finished session.

        Raises:
            GazeError: there is no such session, or no longer.
        """
        if not self.has(session):
            raise GazeError(
                "This portrait is not there any more. Portraits are kept for a limited time: make it again."
            )
        return self.root / session

    def has(self, session: str) -> bool:
        """Whether there is a finished session of this id."""
        return bool(_ID.fullmatch(session)) and (self.root / session / METADATA).is_file()

    def metadata(self, session: str) -> dict[str, Any]:
        """What the metadata.json of a finished session says.

        Raises:
            GazeError: there is no such session, or no longer.
        """
        facts: dict[str, Any] = json.loads((self.folder(session) / METADATA).read_text(encoding="utf-8"))
        return facts

    def playable(self, session: str) -> Path:
        """The folder of a session whose pack is there: a finished one, or one whose sheets are still being made.

        Raises:
            GazeError: there is no such session, or no longer.
        """
        drafts = self.root.glob(f"{_DRAFT}{session}-*/{PACK}") if _ID.fullmatch(session) else ()
        for pack in drafts:
            return pack.parent
        return self.folder(session)  # last: a draft that is gone by now has become this

    def sessions(self) -> list[str]:
        """Ids of all finished sessions, the newest first."""
        if not self.root.is_dir():
            return []
        found = [path for path in self.root.iterdir() if _ID.fullmatch(path.name) and (path / METADATA).is_file()]
        return [path.name for path in sorted(found, key=lambda path: -path.stat().st_mtime)]

    def secret(self, session: str) -> str:
        """What the owner of a session holds, and nobody else can know: needed to delete it."""
        return hmac.new(self._key(), session.encode(), "sha256").hexdigest()

    def delete_owned(self, session: str, secret: str) -> None:
        """Remove a session at its owner's wish; one that is gone already is no error.

        Raises:
            GazeError: the secret is not that of the session.
        """
        if not hmac.compare_digest(self.secret(session), secret):
            raise GazeError("Only the browser in which this portrait was made can delete it.")
        self.delete(session)

    def _key(self) -> bytes:
        """Made once for each store; sessions stay their owners' over restarts."""
        path = self.root / ".key"
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(32))
        except FileExistsError:
            pass
        return path.read_bytes()

    def delete(self, session: str) -> None:
        """Remove a session for good; one that is gone already is no error."""
        if _ID.fullmatch(session):
            shutil.rmtree(self.root / session, ignore_errors=True)

    def expire(self, older_than: float) -> int:
        """Remove sessions, and what interrupted runs left, older than so many seconds; returns how many sessions."""
        now = time.time()
        old = [session for session in self.sessions() if now - (self.root / session).stat().st_mtime > older_than]
        for session in old:
            self.delete(session)
        for draft in self.root.glob(f"{_DRAFT}*"):
            if now - draft.stat().st_mtime > _DRAFT_AGE:
                shutil.rmtree(draft, ignore_errors=True)
        return len(old)
