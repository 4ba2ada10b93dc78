"""What says where each point of a face goes between the keys: a lattice, a few basis fields, a coefficient per key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Mesh:
    """A lattice of points in the frame: every column crosses every row.

    Attributes:
        columns, rows: ascending whole pixels. x is a pixel's left edge, y its top edge, so that the middle of the first
            pixel lies at (0.5, 0.5).
    """

    columns: tuple[int, ...]
    rows: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of points."""
        return len(self.rows), len(self.columns)

    @property
    def count(self) -> int:
        """Number of points."""
        return len(self.rows) * len(self.columns)

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the pixels that the mesh covers."""
        return slice(self.rows[0], self.rows[-1]), slice(self.columns[0], self.columns[-1])


@dataclass(frozen=True)
class Motion:
    """How far each point of the middle key moves in every other key: d[key] = Σ coefficients[key, r] · fields[r].

    Attributes:
        looks: the keys' places along an axis of the grid, the same for rows and columns; ascending, an odd number.
        mesh: the points.
        fields: (rank, rows, columns, 2) int16: x, then y, in steps of `unit`.
        unit: pixels.
        coefficients: (n, n, rank) float32, by row and column of the key; 0 for the middle key.
        moving: (rows, columns) uint8: 255 where the picture is morphed, 0 where it is the middle key's own. Where it is
            less than 255, every field is 0.
        trust: (n, n, rows, columns) uint8: 255 where a key shows the point, less where it seems to be hidden; None
            where all keys are trusted alike.
    """

    looks: tuple[float, ...]
    mesh: Mesh
    fields: np.ndarray
    unit: float
    coefficients: np.ndarray
    moving: np.ndarray
    trust: np.ndarray | None = None

    @property
    def rank(self) -> int:
        """Number of basis fields."""
        return int(self.fields.shape[0])

    @property
    def middle(self) -> int:
        """Row and column of the middle key."""
        return len(self.looks) // 2

    def displacement(self, weights: np.ndarray) -> np.ndarray:
        """How far the mesh's points go for coefficients (..., rank): (..., rows, columns, 2) float32, pixels."""
        fields = self.fields.reshape(self.rank, 2 * self.mesh.count).astype(np.float32) * np.float32(self.unit)
        return (np.asarray(weights, np.float32) @ fields).reshape(*weights.shape[:-1], *self.mesh.shape, 2)


@dataclass(frozen=True)
class LayerKeys:
    """A layer (docs/format.md).

    Attributes:
        name: small letters and hyphens.
        values: how far it has gone in each of its steps, ascending in (0, 1]; the last is 1.
        region: x, y, width and height of its pictures in the frame, in pixels.
        motion: its own, between looks of its own; without trust.
        keys: which rows and columns of these looks there are pictures of; the middle one is among them.
        pictures: (height, width, 4) uint8, transparent along their edges, by their number: value by value, then row by
            row of `keys`.
    """

    name: str
    values: tuple[float, ...]
    region: tuple[int, int, int, int]
    motion: Motion
    keys: tuple[int, ...]
    pictures: Mapping[int, np.ndarray]


@dataclass(frozen=True)
class Keys:
    """What a portrait is morphed from.

    Attributes:
        axis: looks of the keys, rows and columns alike.
        frames: (height, width, 3 or 4) uint8, by number: row · n + column.
        motion: between them.
        layers: what can be drawn over the morph.
    """

    axis: tuple[float, ...]
    frames: dict[int, np.ndarray]
    motion: Motion
    layers: tuple[LayerKeys, ...] = ()

    @property
    def middle(self) -> np.ndarray:
        """The frame that looks straight."""
        return self.frames[len(self.frames) // 2]

    @property
    def alpha(self) -> bool:
        """Whether frames are transparent somewhere."""
        return bool(self.middle.shape[2] == 4)
