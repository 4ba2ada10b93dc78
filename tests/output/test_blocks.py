import pytest

from gaze.grid import Cell, GazeGrid
from gaze.output.blocks import BLOCK, cut_blocks, from_middle, parents


@pytest.mark.parametrize("size", [2, 4, 10, 12, 20, 30, 44, 60])
def test_blocks_cover_the_grid_once_and_keep_to_their_quadrant(size: int) -> None:
    blocks = cut_blocks(size)
    cells = [cell for block in blocks for cell in block.cells]
    assert len(cells) == len(set(cells)) == size**2
    quadrants = [set(GazeGrid(size).quadrant(i)) for i in range(4)]
    for block in blocks:
        assert max(len(block.rows), len(block.cols)) <= BLOCK
        assert any(set(block.cells) <= quadrant for quadrant in quadrants)
    distances = [from_middle(block.key, size) for block in blocks]
    assert distances == sorted(distances)


@pytest.mark.parametrize("size", [2, 4, 12, 30, 44])
def test_every_frame_comes_from_a_neighbour_and_is_reached_in_five_decodes(size: int) -> None:
    for block in cut_blocks(size):
        family = parents(block.chains())
        assert set(family) == set(block.cells)
        depth: dict[Cell, int] = {}
        for cell, parent in family.items():  # parents first, else this fails
            depth[cell] = 1 if parent is None else depth[parent] + 1
            if parent is not None:
                assert abs(cell.row - parent.row) + abs(cell.col - parent.col) == 1
        assert [cell for cell, parent in family.items() if parent is None] == [block.key]
        assert max(depth.values()) <= 5
        for chain in block.chains():
            assert [family[cell] for cell in chain] == [None, *chain[:-1]]


def test_a_block_of_thirty_has_its_key_in_the_middle_and_ten_ends() -> None:
    block = cut_blocks(30)[0]
    assert block.key == Cell(block.rows[2], block.cols[2])
    assert len(block.chains()) == 10
    assert sum(map(len, block.chains())) == 42


def test_row_chains_share_nothing() -> None:
    for block in cut_blocks(12):
        cells = [cell for chain in block.row_chains() for cell in chain]
        assert sorted(cells, key=lambda cell: (cell.row, cell.col)) == block.cells
