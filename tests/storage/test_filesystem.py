"""A folder elsewhere, in a file system that remembers what it has seen, as those of S3 and Hugging Face do."""

from collections.abc import Iterator
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from gaze.storage.filesystem import RemoteFolder


class Remembering(MemoryFileSystem):  # type: ignore[misc]
    """Answers what it has answered before, until it is told to forget."""

    protocol = "remembering"
    known: dict[str, Any] = {}  # noqa: RUF012 - shared by all of them, as the files are

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.removeprefix("remembering:")))

    def info(self, path: str, **options: Any) -> Any:
        if path not in self.known:
            try:
                self.known[path] = super().info(path, **options)
            except FileNotFoundError as error:
                self.known[path] = error
        if isinstance(self.known[path], FileNotFoundError):
            raise self.known[path]
        return self.known[path]

    def invalidate_cache(self, path: str | None = None) -> None:
        self.known.clear()


@pytest.fixture
def folder() -> Iterator[RemoteFolder]:
    fsspec.register_implementation("remembering", Remembering, clobber=True)
    yield RemoteFolder("remembering://folder")
    Remembering.store.clear()
    Remembering.known.clear()


def test_what_another_machine_wrote_or_removed_is_seen(folder: RemoteFolder) -> None:
    """Kills: the cache of the file system is not invalidated."""
    assert not folder.has("a/b")
    MemoryFileSystem().pipe_file("/folder/a/b", b"x")
    assert folder.has("a/b")
    MemoryFileSystem().rm("/folder/a/b")
    assert not folder.has("a/b")
