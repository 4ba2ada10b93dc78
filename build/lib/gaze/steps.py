"""Work that goes on step by step and has a result in the end."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Generic, TypeVar

Step = TypeVar("Step")
Outcome = TypeVar("Outcome")


class Steps(Generic[Step, Outcome]):
    """The steps of a generator, in a `for` loop; after it, `result` is what the generator returned.

    Args:
        generator: closing it is left to whoever made it.
    """

    result: Outcome

    def __init__(self, generator: Generator[Step, None, Outcome]) -> None:
        self._generator = generator

    def __iter__(self) -> Iterator[Step]:
        self.result = yield from self._generator
