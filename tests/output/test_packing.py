import io
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gaze.grid import Cell
from gaze.output import packing
from gaze.output.blocks import Block, cut_blocks
from gaze.output.pack import Facts, Pack, read_pack
from gaze.output.packing import PackBuilder
from gaze.output.validator import check
from tests.fakes import cell_frame, cell_of

SIZE, WIDTH, HEIGHT = 12, 48, 64


def build(path: Path, codec: str | None, alpha: bool = False, reverse: bool = False) -> Pack:
    blocks = cut_blocks(SIZE)
    with PackBuilder(Facts(SIZE, WIDTH, HEIGHT, alpha), 75, codec) as builder:
        for block in reversed(blocks) if reverse else blocks:
            builder.add(block, {cell: frame(cell, alpha) for cell in block.cells})
        builder.write(path)
    return read_pack(path)


def frame(cell: Cell, alpha: bool) -> np.ndarray:
    colour = cell_frame(cell, WIDTH, HEIGHT)
    if not alpha:
        return colour
    covered = np.zeros((HEIGHT, WIDTH, 1), np.uint8)
    covered[:, WIDTH // 2 :] = 255
    return np.dstack([colour, covered])


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("codec", ["vp9", None])
def test_a_pack_holds_every_frame_and_keeps_to_the_format(tmp_path: Path, codec: str | None, alpha: bool) -> None:
    pack = build(tmp_path / "gaze.pack", codec, alpha)
    assert [payload.kind for payload in pack.payloads] == (["video", "stills"] if codec else ["stills"])
    for cell, still in pack.payloads[-1].frames.items():
        picture = np.asarray(Image.open(io.BytesIO(still.data)))
        assert picture.shape == (HEIGHT, WIDTH, 4 if alpha else 3)
        assert cell_of(tuple(picture[HEIGHT // 2, WIDTH * 3 // 4])) == cell
    assert check(tmp_path / "gaze.pack") == []


def test_the_middle_of_the_grid_comes_first(tmp_path: Path) -> None:
    video, stills = build(tmp_path / "gaze.pack", "vp9", reverse=True).payloads
    middle = {Cell(row, col) for row in (5, 6) for col in (5, 6)}
    assert set(list(stills.frames)[:4]) == middle
    assert next(iter(video.frames)) == cut_blocks(SIZE)[0].key


def test_equal_frames_give_equal_packs_in_whatever_order_they_come(tmp_path: Path) -> None:
    build(tmp_path / "a", "vp9")
    build(tmp_path / "b", "vp9", reverse=True)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_error_of_an_encoder_comes_up(tmp_path: Path) -> None:
    block = Block((0, 1), (0, 1))
    with PackBuilder(Facts(2, 8, 8), 75, None) as builder:
        builder.add(block, {cell: np.zeros((8, 8, 7), np.uint8) for cell in block.cells})
        builder.wait(5)
        with pytest.raises(TypeError):
            _ = builder.backlog


def test_it_is_full_until_encoders_have_caught_up(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    monkeypatch.setattr(packing, "encode_webp", lambda *_: go.wait(10) and b"")
    blocks = cut_blocks(SIZE)[:3]
    with PackBuilder(Facts(SIZE, WIDTH, HEIGHT), 75, None, threads=1) as builder:
        for block in blocks[:1]:
            builder.add(block, {cell: frame(cell, False) for cell in block.cells})
        assert (builder.backlog, builder.is_full) == (1, False)
        builder.add(blocks[1], {cell: frame(cell, False) for cell in blocks[1].cells})
        assert (builder.backlog, builder.is_full) == (2, True)
        go.set()
        while builder.backlog:
            builder.wait(1)
        assert not builder.is_full
