"""Results on disk: one folder each, under an id that cannot be guessed."""

from __future__ import annotations

import logging
import math
import os
import secrets
import shutil
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gaze.errors import GazeError
from gaze.output.metadata import METADATA, Metadata
from gaze.progress import Outcome, Progress
from gaze.storage.locks import LEFT_AGE, locked, matching, sweep
from gaze.storage.modes import PRIVATE, make_private
from gaze.storage.owners import SECRET, is_proof, proof, store_secret
from gaze.storage.publishing import DRAFT, SHEETS, is_session, not_kept

_log = logging.getLogger(__name__)
_WEEK = 7 * 24 * 3600.0
PREVIEWS_KEPT = 3600.0
"""Seconds for which previews are kept."""


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


def gone() -> GazeError:
    """The error for a session that is not there."""
    return GazeError("This portrait is not there any more. Portraits are kept for a limited time: make it again.")


class SessionStore:
    """The results under one folder.

    Args:
        root: the folder; it is made when it is needed.
        kept: seconds after which a session may be removed.
    """

    def __init__(self, root: Path, kept: float = _WEEK) -> None:
        self.root, self.kept = root, kept

    def check(self) -> None:
        """See to it that results can be kept here, for nobody else's eyes, and remove what a killed program left.

        Raises:
            GazeError: they cannot; the message says why.
        """
        self._secret()
        for note in filter(None, self._protect()):
            _log.warning("%s", note)
        self.tidy()

    def _protect(self) -> Iterator[str]:
        """Close what other users of the machine could look into; yields sentences on it."""
        if all(is_session(path.name) or path.name.startswith((SECRET, DRAFT)) for path in self.root.iterdir()):
            yield make_private(self.root)
            return
        # The folder holds other things as well, so that who may enter it is not for us to say.
        for path in self.root.iterdir():
            if is_session(path.name) and path.is_dir() and not path.is_symlink():
                with suppress(FileNotFoundError):
                    yield make_private(path)

    def new(self) -> Path:
        """A folder name for a new session, which is not made yet; what is too old makes room for it."""
        with suppress(OSError):  # whoever makes the session tells
            self.root.mkdir(PRIVATE, parents=True, exist_ok=True)
        self.tidy()
        return self.root / secrets.token_hex(16)

    def keeping(self, folder: Path, run: Generator[Progress, None, Outcome]) -> Generator[Progress, None, Outcome]:
        """A run that makes the folder of a new session, with the steps that it takes to keep it.

        Closing the generator cancels, and leaves nothing behind.
        """
        return run

    def notes(self, session: str) -> tuple[str, ...]:
        """Sentences for the owner: what is not as it should be with a finished session."""
        return ()

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for what the block alone needs; if the program is killed, it goes as drafts do.

        Raises:
            StoreError: it cannot be made, or what the block does with files fails.
        """
        try:
            self.root.mkdir(PRIVATE, parents=True, exist_ok=True)
            with locked(self.root / f"{DRAFT}{secrets.token_hex(8)}", PRIVATE) as folder:
                try:
                    yield folder
                finally:
                    shutil.rmtree(folder, ignore_errors=True)
        except OSError as error:
            raise not_kept(self.root, error) from error

    def folder(self, session: str) -> Path:
        """The folder of a finished session.

        Raises:
            GazeError: there is no such session, or no longer.
        """
        if not self.has(session):
            raise gone()
        return self.root / session

    def has(self, session: str) -> bool:
        """Whether there is a finished session of this id."""
        folder = self.root / session
        return is_session(session) and (folder / METADATA).is_file() and not folder.is_symlink()

    def present(self, sessions: Iterable[str]) -> set[str]:
        """Those of the sessions that the store `has`."""
        return {session for session in sessions if self.has(session)}

    def file(self, session: str, name: str) -> Path:
        """A file of a session that is finished, or that is `playable` already; of that folder itself, and no link.

        Raises:
            GazeError: there is no such session or file, or no longer.
        """
        # A draft may go to its final place at any moment, so it is looked for a second time there.
        for find in (self.playable, self.folder):
            with suppress(FileNotFoundError):
                for path in find(session).iterdir():
                    if path.name == name and path.is_file() and not path.is_symlink():
                        return path
        raise gone()

    def metadata(self, session: str) -> Metadata:
        """The metadata of a finished session.

        Raises:
            GazeError: there is no such session, or no longer, or its metadata cannot be read.
        """
        return Metadata.read(self.file(session, METADATA).parent)

    def playable(self, session: str) -> Path:
        """The folder of a session that has a pack: a finished one, or one that is still being made.

        Raises:
            GazeError: there is no such session, or no longer.
        """
        drafts = matching(self.root, f"{DRAFT}{session}-*/*.pack") if is_session(session) else ()
        for pack in drafts:
            return pack.parent
        return self.folder(session)  # last: a draft that is gone by now has become this

    def sessions(self) -> list[str]:
        """Ids of all finished sessions, the newest first."""
        if not self.root.is_dir():
            return []
        found = [path for path in self.root.iterdir() if self.has(path.name)]
        return [path.name for path in sorted(found, key=_age)]

    def secret(self, session: str) -> str:
        """What the owner of a session holds, and nobody else can know: needed to delete it."""
        return proof(self._secret(), session)

    def delete_owned(self, session: str, secret: str) -> None:
        """Remove a session at its owner's wish; one that is gone already is no error.

        Raises:
            GazeError: the secret is not that of the session.
        """
        self.check_owner(session, secret)
        self.delete(session)

    def check_owner(self, session: str, secret: str) -> None:
        """Check that the session belongs to whoever asks.

        Raises:
            GazeError: the secret is not that of the session.
        """
        if not is_proof(self._secret(), session, secret):
            raise GazeError("Only the browser in which this portrait was made can change or delete it.")

    def write(self, session: str, name: str, data: bytes) -> None:
        """Put a file into a finished session, or replace it; the session is kept no longer for that.

        Raises:
            GazeError: there is no such session, or the file system refuses.
        """
        folder = self.folder(session)
        draft = folder / f"{DRAFT}{secrets.token_hex(8)}"
        try:
            before = folder.stat()
            draft.write_bytes(data)
            draft.replace(folder / name)
            os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise not_kept(self.root, error) from error

    def _secret(self) -> bytes:
        """The store's, from which its owners' are made."""
        return store_secret(self.root)

    def delete(self, session: str) -> None:
        """Remove a session for good; one that is gone already is no error.

        Raises:
            GazeError: the file system refuses.
        """
        if not is_session(session):
            return
        gone = self.root / f"{DRAFT}{secrets.token_hex(8)}"
        try:
            (self.root / session).rename(gone)  # at once: half of it must not be found, nor stay if this is interrupted
        except FileNotFoundError:
            return
        except OSError as error:
            raise GazeError(f"The portrait could not be deleted: {error.strerror}. Try again in a minute.") from error
        shutil.rmtree(gone, ignore_errors=True)

    def tidy(self) -> None:
        """What `new` does first."""
        self.expire()

    def expire(self) -> int:
        """Remove sessions that are too old, and what interrupted runs left; returns how many sessions."""
        ages = {path: _age(path) for path in self.root.glob("*") if is_session(path.name)}
        for path, age in ages.items():
            if age < 0:  # the clock was ahead when it was made; its time begins now
                with suppress(OSError):
                    os.utime(path)
        count = 0
        for session in [path.name for path, age in ages.items() if age > self.kept]:
            try:
                self.delete(session)
                count += 1
            except GazeError as error:
                _log.warning("%s is too old, but could not be removed: %s", self.root / session, error)
        sweep(self.root, f"{DRAFT}*")
        sweep(self.root, f"*/{SHEETS}*")
        for left in self.root.glob(f"{SECRET}-*"):
            if _age(left) > LEFT_AGE:
                left.unlink(missing_ok=True)
        return count


def _age(path: Path) -> float:
    """Seconds since a folder was finished; none for one that somebody else removed meanwhile."""
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime
    return 0.0
