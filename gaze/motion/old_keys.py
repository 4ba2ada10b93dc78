"""Which cells of a grid are rendered when not all are: the keys, from which the frames between are morphed."""

from __future__ import annotations

import math
from itertools import pairwise, product

from gaze.errors import GazeError
from gaze.grid import Cell

AUTO = "auto"
KEY_CHOICES = (6, 8, 10, 15, 30)
"""Keys per side to offer for a grid of 30; the last renders every cell."""
COARSEST = KEY_CHOICES[0]
METERED_KEYS = 10
"""Keys per side where the engine's time is taken off a visitor's quota."""
PATIENCE = 300.0
"""Seconds of rendering that a person is made to wait for, unless they ask for more."""
_LEAST = 4

Axis = tuple[int, ...]
"""Grid indices of the keys along a side, ascending; rows and columns have the same."""


def check_keys(keys: str | int) -> None:
    """Refuse what cannot be asked for.

    Raises:
        GazeError: `keys` is neither "auto" nor a whole number from 4 up.
    """
    if keys != AUTO and (not isinstance(keys, int) or keys < _LEAST):
        choices = ", ".join(map(str, KEY_CHOICES))
        raise GazeError(f"The number of keys is {keys}. Choose “{AUTO}” or a whole number such as {choices}.")


def key_axis(size: int, keys: int) -> Axis:
    """Indices of the keys, as evenly spaced as they can be from the middle outwards.

    The corners are among them, and the centre: both middle indices where `keys` is even, else the one of
    `GazeGrid.centre`.

    Args:
        size: rows and columns of the grid, even.
        keys: how many, 4 or more; as many as `size` and more mean every index.
    """
    if keys >= size:
        return tuple(range(size))
    half, each = size // 2, (keys + 1) // 2
    inner = half - 1 if keys % 2 == 0 else half
    upwards = (half + _part(size - 1 - half, i, each - 1) for i in range(each))
    downwards = (inner - _part(inner, i, each - 1) for i in range(each))
    return tuple(sorted({*upwards, *downwards}))


def _part(length: int, index: int, count: int) -> int:
    """The whole number nearest to `index` of `count` parts of a length, the smaller of two that are as near."""
    return math.ceil(length * index / count - 0.5)


def refine(axis: Axis) -> Axis:
    """The next denser axis, which keeps every key: each gap gets one in its middle."""
    return tuple(sorted({*axis, *_middles(axis)}))


def auto_axis(size: int, per_frame: float) -> Axis:
    """The densest of the coarsest axis and its refinements that is rendered in `PATIENCE`; at least the coarsest.

    Args:
        size: rows and columns of the grid, even.
        per_frame: seconds that a rendered frame takes.
    """
    axis = key_axis(size, COARSEST)
    while len(axis) < size and len(refine(axis)) ** 2 * per_frame <= PATIENCE:
        axis = refine(axis)
    return axis


def continued_axis(size: int, keys: int, earlier: Axis) -> Axis:
    """As `key_axis`, but with the keys of an earlier axis, where that leaves no wider gap than it does.

    An earlier axis of as many keys or more stays as it is. To one of fewer, the middle of the widest gap is added until
    there are enough.

    Args:
        size, keys: as for `key_axis`.
        earlier: the keys of an earlier run on the same grid; empty if there was none.
    """
    fresh, axis = key_axis(size, keys), earlier
    while earlier and len(axis) < len(fresh):
        # Of gaps as wide, the outer ones first, left and right in turn.
        middle = max(_middles(axis), key=lambda index: (_gap(axis, index), abs(2 * index - size + 1)))
        axis = tuple(sorted({*axis, middle}))
    return axis if earlier and _widest(axis) <= _widest(fresh) else fresh


def stages(size: int, axis: Axis) -> list[Axis]:
    """Ever denser parts of an axis, each with the keys of the one before: about `COARSEST` keys first, itself last."""
    coarse, parts = key_axis(size, COARSEST), list[Axis]()
    while len(coarse) < len(axis):
        nearest = (min(axis, key=lambda key: (abs(key - index), abs(2 * key - size + 1))) for index in coarse)
        parts.append(tuple(sorted(set(nearest))))
        coarse = refine(coarse)
    return [*(part for part in parts if len(part) < len(axis)), axis]


def cells_of(axis: Axis) -> list[Cell]:
    """The keys of an axis, row by row."""
    return [Cell(row, col) for row, col in product(axis, axis)]


def cells_to_check(axis: Axis) -> list[Cell]:
    """Cells as far from keys as can be: towards the four corners, and near the centre. All are keys of `refine`."""
    middles = _middles(axis)
    ends = (middles[0], middles[-1])
    near = middles[len(middles) // 2]
    return list(dict.fromkeys([*(Cell(row, col) for row, col in product(ends, ends)), Cell(near, near)]))


def around(axis: Axis, index: int) -> tuple[int, int, float]:
    """The neighbouring keys between which an index lies, and how far it is from the first to the second, 0 to 1."""
    after = next(key for key in axis[1:] if key > index or key == axis[-1])
    before = max(key for key in axis if key < after)
    return before, after, (index - before) / (after - before)


def _middles(axis: Axis) -> list[int]:
    """The middle of each gap; of two, the one nearer to the middle of the grid."""
    whole = axis[0] + axis[-1]
    return [(a + b + (a + b < whole)) // 2 for a, b in pairwise(axis) if b - a > 1]


def _gap(axis: Axis, index: int) -> int:
    before, after, _ = around(axis, index)
    return after - before


def _widest(axis: Axis) -> int:
    return max(b - a for a, b in pairwise(axis))
