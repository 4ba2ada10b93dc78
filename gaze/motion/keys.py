"""Which looks are rendered as keys: an odd number per side, evenly spaced, so that the middle one is the photo."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from gaze.errors import GazeError
from gaze.grid import Cell, Look

AUTO = "auto"
KEY_CHOICES = (5, 7, 9)
"""Keys per side that a person can choose; a player's textures hold no more."""
FEWEST, USUAL, MOST = KEY_CHOICES
COARSE = 3
"""Keys per side of what is shown first, while more are rendered; every choice of keys has them."""

Axis = tuple[float, ...]
"""Looks of the keys along a side, ascending, 0 first; rows and columns have the same."""


def check_keys(keys: str | int) -> None:
    """Refuse what cannot be asked for.

    Raises:
        GazeError: `keys` is neither "auto", nor one of `KEY_CHOICES`, nor `COARSE`.
    """
    if keys != AUTO and keys not in (COARSE, *KEY_CHOICES):
        raise GazeError(f"The number of keys per side is {keys}. Choose “{AUTO}”, 5, 7 or 9.")


def key_axis(size: int, keys: int) -> Axis:
    """Looks of the keys along a side.

    Args:
        size: rows and columns of the grid.
        keys: how many, odd.
    """
    return tuple(i * (size - 1) / (keys - 1) for i in range(keys))


def key_looks(axis: Sequence[float]) -> list[Look]:
    """The keys of an axis, row by row."""
    return [Look(row, col) for row, col in product(axis, axis)]


def outwards(looks: Sequence[Look], size: int) -> list[Look]:
    """The same looks from the middle of the grid outwards."""
    middle = (size - 1) / 2
    return sorted(looks, key=lambda look: ((look.row - middle) ** 2 + (look.col - middle) ** 2, look.row, look.col))


def spiral(keys: int) -> list[int]:
    """The numbers of all keys (row · keys + column) from the middle outwards, each next to the one before."""
    row = col = keys // 2
    way, step, (down, across) = [row * keys + col], 1, (0, 1)
    while len(way) < keys**2:
        for _ in range(2):
            for _ in range(step):
                row, col = row + down, col + across
                if 0 <= row < keys and 0 <= col < keys:
                    way.append(row * keys + col)
            down, across = across, -down
        step += 1
    return way


def still_keys(keys: int) -> tuple[int, ...]:
    """Rows and columns of the keys that `stills.pack` holds: about five, with both ends and the middle."""
    half = keys // 2
    return tuple(sorted({0, round(half / 2 + 0.1), half, keys - 1 - round(half / 2 + 0.1), keys - 1}))


def looks_to_check(axis: Sequence[float]) -> list[Look]:
    """Looks as far from keys as can be: towards the four corners, and beside the middle."""
    first, last = (axis[0] + axis[1]) / 2, (axis[-2] + axis[-1]) / 2
    half = len(axis) // 2
    near = (axis[half - 1] + axis[half]) / 2
    return [*(Look(row, col) for row, col in product((first, last), repeat=2)), Look(near, near)]


def around(axis: Sequence[float], look: float) -> tuple[int, int, float]:
    """The neighbouring keys between which a look lies, and how far it is from the first to the second, 0 to 1."""
    after = next(i for i in range(1, len(axis)) if axis[i] > look or i == len(axis) - 1)
    before = after - 1
    return before, after, min(1.0, max(0.0, (look - axis[before]) / (axis[after] - axis[before])))


def shares_around(axis: Sequence[float], look: Look | Cell) -> dict[tuple[int, int], float]:
    """Bilinear shares of the four keys around a look, by their row and column: they add up to 1."""
    top, bottom, down = around(axis, look.row)
    left, right, across = around(axis, look.col)
    return {
        (row, col): (down if row == bottom else 1 - down) * (across if col == right else 1 - across)
        for row in (top, bottom)
        for col in (left, right)
    }
