"""How many keys a portrait gets: decided by the engine's speed, and by how well morphs match what it renders."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from gaze.grid import Look
from gaze.motion.keys import AUTO, FEWEST, MOST, USUAL, key_axis, key_looks, looks_to_check

_PATIENCE = 120.0
"""Seconds of rendering beyond which five keys per side are taken, not seven, and the eyes are not closed as well."""
_GUARD_PATIENCE = 1800.0
"""Seconds of rendering beyond which no more keys are taken without being asked for."""
_SLOW = 20.0
"""Seconds of rendering from which on a coarse portrait is shown, and frames are kept for a later run."""
_AIM = 0.97
"""What the eyes of morphed frames have to have in common with rendered ones, as structural similarity."""


@dataclass(frozen=True)
class KeyPlan:
    """What is known of a run that the choice of its keys depends on.

    Attributes:
        asked: as `keys` in `gaze.options.Options`.
        size: rows and columns of the grid.
        seconds: that a rendered frame takes.
        is_metered: whether each frame counts against somebody's quota.
    """

    asked: str | int
    size: int
    seconds: float
    is_metered: bool = False

    @property
    def first(self) -> int:
        """Keys per side to begin with."""
        if self.asked != AUTO:
            return int(self.asked)
        return FEWEST if self.is_metered or takes_too_long(USUAL**2 * self.seconds) else USUAL

    def missing(self, keys: int, rendered: Collection[Look]) -> float:
        """Seconds until there are so many keys per side.

        Args:
            keys: per side.
            rendered: looks that are there.
        """
        return len(set(key_looks(key_axis(self.size, keys))) - set(rendered)) * self.seconds

    def is_too_coarse(self, keys: int, likeness: float) -> bool:
        """Whether more keys per side would help.

        Args:
            keys: per side, by now.
            likeness: of morphed and rendered frames, 0 to 1.
        """
        return likeness < _AIM and keys < MOST

    def may_go_on(self, seconds: float) -> bool:
        """Whether so many seconds more are spent without asking the person."""
        return self.asked == AUTO and seconds <= _GUARD_PATIENCE


def frames_planned(size: int, keys: int) -> int:
    """Frames that are rendered for so many keys per side, those to check morphs by included."""
    axis = key_axis(size, keys)
    return len({*key_looks(axis), *looks_to_check(axis)})


def usual_keys(asked: str | int) -> int:
    """Keys per side that are likely, while the engine's speed is not known."""
    return USUAL if asked == AUTO else int(asked)


def takes_too_long(seconds: float) -> bool:
    """Whether so many seconds of rendering are not spent on what a portrait can do without."""
    return seconds > _PATIENCE


def is_slow(frames: int, seconds: float) -> bool:
    """Whether so many frames of so many seconds each are dear: then they are kept, and a coarse portrait is shown."""
    return frames * seconds > _SLOW
