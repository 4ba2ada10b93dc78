"""How the grid is cut into blocks for prediction: which cell is a key frame, and from which neighbour each other comes.

A block is at most 5 × 5 cells. Its middle cell is the key frame. The others of the middle column are predicted from
their neighbour towards the key, then each row from its neighbour towards the middle column: every frame has one parent,
a direct neighbour, and the longest chain has 5 frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from gaze.grid import Cell

BLOCK = 5
"""Rows and columns of a block, at most."""


@dataclass(frozen=True)
class Block:
    """A rectangle of cells that is decoded by itself.

    Attributes:
        rows, cols: grid indices, ascending.
    """

    rows: tuple[int, ...]
    cols: tuple[int, ...]

    @property
    def key(self) -> Cell:
        """The cell of the key frame."""
        return Cell(self.rows[len(self.rows) // 2], self.cols[len(self.cols) // 2])

    def chains(self) -> list[tuple[Cell, ...]]:
        """The ways from the key frame to the ends of the rows; together they pass every cell."""
        key = self.key
        columns = _outwards(self.cols, key.col)
        chains = []
        for way in _outwards(self.rows, key.row):
            for row in way:
                trunk = tuple(Cell(step, key.col) for step in way[: way.index(row) + 1])
                chains += [trunk + tuple(Cell(row, col) for col in columns_way[1:]) for columns_way in columns]
        return list(dict.fromkeys(chains))

    def row_chains(self) -> list[tuple[Cell, ...]]:
        """Chains that share nothing: each row from its left end, which is a key frame."""
        return [tuple(Cell(row, col) for col in self.cols) for row in self.rows]

    @property
    def cells(self) -> list[Cell]:
        """All cells, row by row."""
        return [Cell(row, col) for row in self.rows for col in self.cols]


def cut_blocks(size: int) -> list[Block]:
    """The blocks of a grid of `size` rows, from the middle outwards; none crosses the edge of a quadrant.

    Args:
        size: rows and columns of the grid, even.
    """
    half = size // 2
    count = -(-half // BLOCK)
    edges = [round(i * half / count) for i in range(count)]
    edges = [*edges, *(half + edge for edge in edges), size]
    spans = [tuple(range(start, end)) for start, end in pairwise(edges)]
    blocks = [Block(rows, cols) for rows in spans for cols in spans]
    return sorted(blocks, key=lambda block: from_middle(block.key, size))


def from_middle(cell: Cell, size: int) -> tuple[int, int, int]:
    """What sorts cells from the middle of the grid outwards: the square of twice the distance, then row and column."""
    return (2 * cell.row - size + 1) ** 2 + (2 * cell.col - size + 1) ** 2, cell.row, cell.col


def parents(chains: Sequence[tuple[Cell, ...]]) -> dict[Cell, Cell | None]:
    """The cell that each cell of these chains is predicted from, None for key frames; the shortest ways first."""
    links = [
        (depth, cell, parent)
        for chain in chains
        for depth, (parent, cell) in enumerate(zip((None, *chain), chain, strict=False))
    ]
    return {cell: parent for _, cell, parent in sorted(links, key=lambda link: link[0])}


def _outwards(indices: tuple[int, ...], middle: int) -> list[tuple[int, ...]]:
    """The ways from the middle index to the two ends, itself included; one where the middle is an end."""
    ways = [tuple(i for i in reversed(indices) if i <= middle), tuple(i for i in indices if i >= middle)]
    return [way for way in ways if len(way) > 1] or ways[:1]
