"""A folder in any file system that fsspec knows, with errors that people can read."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC
from pathlib import Path

from fsspec import AbstractFileSystem
from fsspec.config import conf
from fsspec.core import url_to_fs

from gaze.errors import GazeError, StoreError

_log = logging.getLogger(__name__)

_S3 = {"connect_timeout": 5, "read_timeout": 20, "retries": {"max_attempts": 2}}
"""For botocore, which by itself waits for minutes for a server that does not answer; fsspec's settings come first."""


class RemoteFolder:
    """The files of one folder; a name may lead into a folder in it. Threads may share it.

    Every method raises StoreError if the file system fails or refuses, and FileNotFoundError if there is no such file.

    Args:
        url: `s3://bucket/folder`, `hf://buckets/owner/name`, `memory://folder` or the like.

    Raises:
        GazeError: there is no such kind of file system, its package is not installed, or no folder is named.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self.shown = re.sub(r"//[^/]*@", "//", url)
        """The URL without a name and password."""
        conf.setdefault("s3", {}).setdefault("config_kwargs", _S3)
        try:
            self._root = url_to_fs(url)[1].rstrip("/")
        except (ImportError, ValueError) as error:
            raise GazeError(
                f"“{self.shown}” cannot be used: {error}. Give a folder, or a URL such as s3://bucket/folder; the "
                "package for that kind must be installed, s3fs for instance."
            ) from error
        if not self._root:
            raise GazeError(f"“{self.shown}” names no folder. Add one, as in s3://bucket/folder.")

    def read(self, name: str) -> bytes:
        """What is in a file."""
        with self._opened() as files:
            return files.cat_file(self._path(name))

    def create(self, name: str, data: bytes) -> None:
        """Write a file that is not there; one that is there stays as it is."""
        with self._opened() as files, suppress(FileExistsError):
            try:
                files.pipe_file(self._path(name), data, mode="create")
            except OSError as error:
                if error.errno != errno.ENOSYS:
                    raise
                files.pipe_file(self._path(name), data)  # some S3 servers can only overwrite

    def write(self, name: str, data: bytes) -> None:
        """Write a file, or replace it."""
        with self._opened(name) as files:
            files.pipe_file(self._path(name), data)

    def put(self, source: Path, name: str) -> None:
        """Copy a file from this machine."""
        with self._opened() as files:
            files.put_file(str(source), self._path(name))

    def get(self, name: str, target: Path) -> None:
        """Copy a file to this machine."""
        with self._opened() as files:
            files.get_file(self._path(name), str(target))

    def has(self, name: str) -> bool:
        """Whether there is such a file now."""
        with self._opened(name) as files, suppress(FileNotFoundError):
            return bool(files.info(self._path(name)))
        return False

    def find(self, folder: str = "") -> list[tuple[str, str]]:
        """Every file that is below a folder now: the folder right above it, and its name."""
        with self._opened(folder) as files:
            parts = (path.rsplit("/", 2) for path in files.find(self._path(folder)))
            return [(above, name) for *_, above, name in parts]

    def folders(self) -> dict[str, list[str]]:
        """The names of all files, by the folder right above them."""
        found: dict[str, list[str]] = {}
        for folder, name in self.find():
            found.setdefault(folder, []).append(name)
        return found

    def written(self, name: str) -> float:
        """When a file was written, in seconds since 1970."""
        with self._opened() as files:
            moment = files.modified(self._path(name))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all that is in it; if it is gone already, that is no error."""
        with self._opened(name) as files, suppress(FileNotFoundError):
            files.rm(self._path(name), recursive=True)
        if self.find(name):
            raise StoreError("A portrait could not be deleted where it is kept. Try again in a minute.")

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}".rstrip("/")

    @contextmanager
    def _opened(self, fresh: str | None = None) -> Iterator[AbstractFileSystem]:
        """The file system; what it remembers of a name that must be `fresh` is forgotten."""
        try:
            files = url_to_fs(self._url)[0]  # fsspec keeps one for each thread where threads may not share
            if fresh is not None:
                files.invalidate_cache(self._path(fresh))
            yield files
        except FileNotFoundError:
            raise
        except Exception as error:  # each kind of file system has errors of its own
            _log.error("%s failed: %r", self.shown, error)
            raise StoreError(
                "The place where portraits are kept does not answer just now. Try again in a minute."
            ) from error
