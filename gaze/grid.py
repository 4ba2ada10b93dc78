"""The grid of looks: which pose each cell asks for, and in which order cells are rendered and stored.

Row 0 looks up, column 0 looks to the left edge of the image.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gaze.errors import GazeError

GAZE_RANGE = 15.0
"""The largest value of a grid axis, in LivePortrait retargeting units."""

MOBILE_SIZE = 20
"""Rows and columns of the smaller set of sheets that phones load."""


@dataclass(frozen=True)
class Strengths:
    """How strongly each part follows; 1 is the published table, 0 holds it still, 2 is the most.

    Raises:
        GazeError: a strength is outside 0 to 2.
    """

    head: float = 1.0
    eyes: float = 1.0
    brows: float = 1.0

    def __post_init__(self) -> None:
        for name in ("head", "eyes", "brows"):
            value = getattr(self, name)
            if not 0 <= value <= 2:
                raise GazeError(f"The {name} strength is {value:g}. Choose a value from 0 to 2; 1 is normal.")


EXPRESSION_RANGES = {"smile": (-0.3, 1.3), "blink": (-0.25, 1.0), "eyebrow": (-1.0, 1.0)}


@dataclass(frozen=True)
class Expression:
    """What a face does beside looking; neutral by default. LivePortrait does all of it, the instant engine what it can.

    Attributes:
        smile: -0.3 to 1.3; 0 leaves the mouth as it is, 1 is a friendly smile.
        blink: -0.25 wide open, 0 as in the photo, 1 closed.
        eyebrow: -1 lowered, 0 as in the photo, 1 raised.
        lid_term: what the upstream editor adds when eyes look up or down: the eyeballs go half as far and the lids less
            with them. Off, as in the published grid: a portrait is to look all the way to the pointer.
        wink_left, wink_right: 0 as in the photo, 1 that eye closed; left and right as in the image.

    Raises:
        GazeError: a value is out of its range.
    """

    smile: float = 0.0
    blink: float = 0.0
    eyebrow: float = 0.0
    lid_term: bool = False
    wink_left: float = 0.0
    wink_right: float = 0.0

    def __post_init__(self) -> None:
        for name, (least, most) in {**EXPRESSION_RANGES, "wink_left": (0, 1), "wink_right": (0, 1)}.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise GazeError(f"The {name} value is {value:g}. Choose {least:g} to {most:g}; 0 is as in the photo.")


@dataclass(frozen=True)
class Pose:
    """What one frame shows, relative to the source photo.

    Attributes:
        pupil_x: gaze to the right of the image, LivePortrait retargeting units, -15 to 15 at strength 1.
        pupil_y: gaze upwards, the same units.
        head_yaw: degrees added to the source's yaw, negative towards the right of the image.
        head_pitch: degrees added to the source's pitch, negative upwards.
        eyebrow: raise of the brows in retargeting units, never negative.
        expression: what the face does beside; added to what the engine does in all frames alike.
    """

    pupil_x: float = 0.0
    pupil_y: float = 0.0
    head_yaw: float = 0.0
    head_pitch: float = 0.0
    eyebrow: float = 0.0
    expression: Expression = Expression()


@dataclass(frozen=True)
class Look:
    """A place on the grid, between its cells or on one: real numbers from 0 to the grid's size - 1."""

    row: float
    col: float


@dataclass(frozen=True)
class Cell:
    """A whole-numbered look."""

    row: int
    col: int


@dataclass(frozen=True)
class GazeGrid:
    """A square grid of looks.

    Attributes:
        size: rows and columns; even, because the sheets are four quadrants.
        strengths: how strongly head, eyes and brows follow.

    Raises:
        GazeError: `size` is odd or outside 2 to 60.
    """

    size: int = 30
    strengths: Strengths = Strengths()

    def __post_init__(self) -> None:
        if self.size % 2 or not 2 <= self.size <= 60:
            raise GazeError(f"The grid size is {self.size}. Choose an even number from 2 to 60; 30 is normal.")

    @property
    def half(self) -> int:
        """Rows and columns of one quadrant."""
        return self.size // 2

    @property
    def count(self) -> int:
        """Number of cells."""
        return self.size**2

    def value(self, index: float) -> float:
        """The axis value of a row or column: -15 at index 0 to +15 at the last index."""
        return -GAZE_RANGE + 2 * GAZE_RANGE * index / (self.size - 1)

    def pose(self, look: Look | Cell) -> Pose:
        """The pose a look asks for (docs/format.md, "The grid")."""
        x, y = self.value(look.col), self.value(look.row)
        return Pose(
            pupil_x=x * self.strengths.eyes,
            pupil_y=-y * self.strengths.eyes,
            head_yaw=-x / 2 * self.strengths.head,
            head_pitch=y / 2 * self.strengths.head,
            eyebrow=max(0.0, -y) * self.strengths.brows,
        )

    def centre(self) -> Cell:
        """The cell nearest to a straight look; of the four in the middle, the lower right one."""
        return Cell(self.half, self.half)

    def quadrant(self, index: int) -> list[Cell]:
        """The cells of one quadrant, row by row: 0 top-left, 1 top-right, 2 bottom-left, 3 bottom-right."""
        top, left = (index // 2) * self.half, (index % 2) * self.half
        return [Cell(top + row, left + col) for row in range(self.half) for col in range(self.half)]

    def cells(self) -> Iterator[Cell]:
        """All cells, quadrant after quadrant."""
        for index in range(4):
            yield from self.quadrant(index)

    def subsample(self, size: int) -> list[int]:
        """Indices along one axis of this grid that stand for `size` rows: round(i * (this size - 1) / (size - 1))."""
        return [round(i * (self.size - 1) / (size - 1)) for i in range(size)]
