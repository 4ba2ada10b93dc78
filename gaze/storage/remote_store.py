"""Results in a file system elsewhere, such as an S3 bucket."""

from __future__ import annotations

import logging
import math
import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial
from pathlib import Path

from gaze.errors import GazeError, StoreError
from gaze.output.bundle import INPUT, SHARE
from gaze.output.metadata import METADATA
from gaze.progress import Outcome, Progress
from gaze.storage.copies import Copies
from gaze.storage.filesystem import RemoteFolder
from gaze.storage.locks import LEFT_AGE
from gaze.storage.owners import SECRET, SECRET_BYTES, checked
from gaze.storage.publishing import is_session
from gaze.storage.sending import NAME, send
from gaze.storage.sessions import SessionStore, gone

_log = logging.getLogger(__name__)

_BELIEVED = 60.0
"""Seconds for which a session that was there is taken to be there, and as it was: another machine may change it."""
_CHANGING = (METADATA, SHARE)
_REMOVED = 10_000
"""How many sessions that were removed are remembered, lest a file that is on its way comes back."""
_PATIENCE = 5.0
"""Seconds for which a page waits for the store."""


class RemoteStore(SessionStore):
    """Results in a file system elsewhere: they outlive this machine's disk, and several machines share them.

    A session is made in a folder here, as in any store, and copied when it is finished: `metadata.json` last, so that
    what has none is no session, but what an interrupted copy left. What the store cannot take stays here, can be seen
    from here, and is copied later. Files are copied back when they are asked for.

    Args:
        remote: where sessions are kept.
        place: a folder on this machine, for this store alone.
        kept: seconds after which a session may be removed.
        clock, now: seconds, for what lasts and since 1970; tests have their own.
    """

    def __init__(
        self,
        remote: RemoteFolder,
        place: Path,
        kept: float,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._here = SessionStore(place / "made", kept)
        super().__init__(self._here.root, kept)
        self._remote, self._copies = remote, Copies(place / "copies")
        self._clock, self._now = clock, now
        self._known_secret = b""
        self._seen: dict[str, float] = {}
        self._names: dict[str, list[str]] = {}
        self._removed: dict[str, None] = {}
        self._in_work: set[str] = set()
        self._writing = threading.Lock()
        self._pool = ThreadPoolExecutor(16, thread_name_prefix="store")
        self._tidying: Future[None] | None = None

    def check(self) -> None:
        self._here.check()
        if note := self._copies.protect():
            _log.warning("%s", note)
        try:
            self._secret()
        except (StoreError, FileNotFoundError) as error:
            raise GazeError(
                f"“{self._remote.shown}” cannot be used: {error.__cause__ or error}. Check the address and the "
                "credentials; files there must be readable, writable and deletable."
            ) from error
        self.tidy()

    def keeping(self, folder: Path, run: Generator[Progress, None, Outcome]) -> Generator[Progress, None, Outcome]:
        self._in_work.add(folder.name)
        try:
            result = yield from run
            try:
                yield from self._send(folder.name)
            except GeneratorExit:
                with suppress(StoreError):
                    self.delete(folder.name)
                raise
        finally:
            self._in_work.discard(folder.name)
        return result

    def notes(self, session: str) -> tuple[str, ...]:
        if not self._here.has(session):
            return ()
        return (
            "The place where portraits are kept does not answer. Yours is on this server's disk meanwhile, and is "
            "copied as soon as it can be; download it to be safe.",
        )

    def folder(self, session: str) -> Path:
        if self._here.has(session):
            return self._here.folder(session)
        self._demand(session)
        try:
            names = self._names[session] = [name for _, name in self._remote.find(session)]
        except StoreError:
            names = self._names.get(session, [])
            if not names:
                raise
        for name in names:
            self._copy(session, name)
        return self._copies.folder(session)

    def has(self, session: str) -> bool:
        """Whether there is a finished session of this id; a store that does not answer is believed to have it."""
        with suppress(StoreError):
            return self._here.has(session) or self._is_kept(session)
        return True

    def present(self, sessions: Iterable[str]) -> set[str]:
        asked = {session: self._pool.submit(self.has, session) for session in sessions}
        wait(asked.values(), timeout=_PATIENCE)
        return {session for session, answer in asked.items() if not answer.done() or answer.result()}

    def file(self, session: str, name: str) -> Path:
        with suppress(GazeError):
            return self._here.file(session, name)
        self._demand(session)
        return self._copy(session, name)

    def sessions(self) -> list[str]:
        whole = {session: written for session, (written, whole) in self._folders().items() if whole}
        return [*self._here.sessions(), *sorted(whole, key=lambda session: -whole[session])]

    def write(self, session: str, name: str, data: bytes) -> None:
        with self._writing:
            if self._here.has(session):
                self._here.write(session, name, data)
                return
        self._demand(session)
        self._remote.write(f"{session}/{name}", data)
        self._copies.drop(session)  # which may have what it replaces

    def delete(self, session: str) -> None:
        """Remove a session for good; one that is gone already is no error.

        Raises:
            StoreError: it is gone here, but the store did not answer.
        """
        if not is_session(session):
            return
        self._here.delete(session)
        try:
            self._remove(session)
        except StoreError as error:
            raise StoreError(
                "The portrait is not deleted yet: the place where it is kept does not answer. Try again in a minute."
            ) from error

    def tidy(self) -> None:
        """`expire`, beside whatever goes on."""
        if self._tidying is None or self._tidying.done():
            self._tidying = self._pool.submit(self._tidy)

    def expire(self) -> int:
        """Remove what is too old, here and there, and copy what could not be copied before; returns how many went.

        Raises:
            StoreError: the store did not answer.
        """
        count = self._here.expire()
        for session in self._here.sessions():
            if session not in self._in_work:
                list(self._send(session))
        now = self._now()
        for session, (written, whole) in self._folders().items():
            if now - written > (self.kept if whole else LEFT_AGE):
                self._remove(session)
                count += whole
        return count

    def _secret(self) -> bytes:
        """The same for all machines that share the store.

        Raises:
            StoreError: the store did not answer.
        """
        if not self._known_secret:
            try:
                found = self._remote.read(SECRET)
            except FileNotFoundError:
                self._remote.create(SECRET, secrets.token_bytes(SECRET_BYTES))
                found = self._remote.read(SECRET)  # another machine may have been faster
            self._known_secret = checked(found, f"{self._remote.shown}/{SECRET}")
        return self._known_secret

    def _tidy(self) -> None:
        try:
            self.expire()
        except StoreError:
            pass  # what failed was told already; the next session that is made brings the next attempt
        except Exception:
            _log.exception("Sessions could not be tidied")

    def _send(self, session: str) -> Iterator[Progress]:
        """Copy a finished session to the store; if that fails it stays here."""
        folder = self.root / session

        def adopt() -> None:
            self._seen[session] = self._clock()
            self._names[session] = [path.name for path in folder.iterdir() if NAME.fullmatch(path.name)]
            self._copies.adopt(folder)

        with suppress(StoreError, OSError):  # its owner may delete it meanwhile
            yield from send(folder, self._remote.put, self._writing, adopt)
        if session in self._removed:
            with suppress(StoreError):
                self._remove(session)  # once more: a file of it was on its way

    def _demand(self, session: str) -> None:
        """Raises GazeError if the store has no such session, StoreError if that cannot be known."""
        try:
            if self._is_kept(session):
                return
        except StoreError:
            if self._copies.folder(session).is_dir():
                return
            raise
        raise gone()

    def _is_kept(self, session: str) -> bool:
        if not is_session(session) or session in self._removed:
            return False
        if self._clock() - self._seen.get(session, -_BELIEVED) < _BELIEVED:
            return True
        if not self._remote.has(f"{session}/{METADATA}"):
            self._forget(session)
            return False
        self._seen[session] = self._clock()
        return True

    def _copy(self, session: str, name: str) -> Path:
        """A file of a session that the store has, on this machine."""
        if not NAME.fullmatch(name):
            raise gone()
        try:
            get = partial(self._remote.get, f"{session}/{name}")
            copy = self._copies.file(session, name, get, _BELIEVED if name in _CHANGING else math.inf)
        except FileNotFoundError:
            raise gone() from None
        if session in self._removed:  # meanwhile
            self._forget(session)
            raise gone()
        return copy

    def _forget(self, session: str) -> None:
        """Remove what is known here of a session that the store has no longer."""
        self._seen.pop(session, None)
        self._names.pop(session, None)
        self._copies.drop(session)

    def _remove(self, session: str) -> None:
        """Remove a session here and there; there, what makes it one goes first."""
        self._removed[session] = None  # whoever is just being given it finds it gone
        if len(self._removed) > _REMOVED:
            del self._removed[next(iter(self._removed))]
        try:
            self._remote.remove(f"{session}/{METADATA}")
            self._remote.remove(session)
        except StoreError:
            self._removed.pop(session, None)
            raise
        finally:
            self._forget(session)

    def _folders(self) -> dict[str, tuple[float, bool]]:
        """Every session of which the store has anything: when that was written, and whether the session is whole."""
        folders = {}
        for session, names in ((it, names) for it, names in self._remote.folders().items() if is_session(it)):
            # Metadata are written anew when sheets are added, and the session is kept no longer for that.
            dated = next((name for name in (INPUT, METADATA) if name in names), names[0])
            with suppress(FileNotFoundError):  # deleted meanwhile
                folders[session] = self._remote.written(f"{session}/{dated}"), METADATA in names
        return folders
