"""The one box of this process, and what the app sets about it: who asks, and that what was read is kept for a while."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from dataclasses import dataclass

from gaze.photo.box import Box, Job
from gaze.photo.cache import PhotoCache
from gaze.photo.process import Pixels

_STEP = 0.1
"""Seconds between two steps of a reading."""


@dataclass(frozen=True)
class Source:
    """Where a picture is read from.

    Attributes:
        data: gives its file.
        identity: another one when the file has changed; None where it is not to be kept.
    """

    data: Callable[[], bytes]
    identity: str | None = None


class _Shared:
    """What all readings of this process share."""

    def __init__(self) -> None:
        self.box = Box()
        self.cache: PhotoCache | None = None
        self.client: Callable[[], str | None] = lambda: None


_shared = _Shared()


def serve(client: Callable[[], str | None], cache: PhotoCache | None) -> None:
    """Read for many: have the processes started ahead, and take turns.

    Args:
        client: who asks at this moment; None for nobody in particular.
        cache: where what was read is kept for a while, so that each upload is read once.
    """
    _shared.client, _shared.cache = client, cache
    _shared.box.start()


def read(source: Source, most: int) -> Generator[None, None, Pixels]:
    """Read a picture in steps; closing the generator ends that.

    Args:
        source: the picture.
        most: pixels above which it is reduced.

    Raises:
        PhotoError: it cannot be used.
    """
    cache, name = _shared.cache, source.identity
    if cache and name and (pixels := cache.get(name)):
        return pixels

    def data() -> bytes | Pixels:
        return (cache and name and cache.get(name)) or source.data()  # it may have been read while this one waited

    def done(pixels: Pixels) -> None:
        if cache and name:
            cache.put_soon(name, pixels)

    job = _shared.box.read(Job(data, most, _shared.client(), done))
    try:
        while not job.done.wait(_STEP):
            yield
    finally:
        job.cancel()  # of no effect on one that is done
    return job.result()


def _after_fork() -> None:
    """The child has none of the threads, and must not end its parent's processes."""
    global _shared
    _shared = _Shared()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
