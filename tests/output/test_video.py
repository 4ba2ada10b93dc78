import numpy as np
import pytest

from gaze.errors import GazeError
from gaze.grid import Cell
from gaze.output import video
from gaze.output.blocks import Block

BLOCK = Block((5, 6, 7, 8, 9), (0, 1, 2, 3, 4))


def moving(cell: Cell, width: int, height: int, channels: int = 3) -> np.ndarray:
    """A textured frame that shifts and shades with its cell, so that no frame can stand for another."""
    y, x = np.mgrid[:height, :width]
    phase = 0.15 * (x + 2 * cell.col) + 0.11 * (y + 3 * cell.row)
    colour = np.stack([120 + 60 * np.sin(phase), 110 + 50 * np.cos(phase * 0.7), 60 + 5.0 * (cell.row + x * 0.2)], -1)
    if channels == 4:
        disc = np.hypot(x - width / 2 - cell.col, y - height / 2) < min(width, height) * 0.4
        colour = np.dstack([colour, disc * 255.0])
    return colour.clip(0, 255).astype(np.uint8)


def frames(width: int, height: int, channels: int = 3) -> dict[Cell, np.ndarray]:
    return {cell: moving(cell, width, height, channels) for cell in BLOCK.cells}


def decoded(
    chunks: dict[Cell, video.Chunk], codec: str, width: int, height: int, alpha: bool
) -> dict[Cell, np.ndarray]:
    """Every frame, each reached from its key frame on."""
    shown = {}
    for cell in chunks:
        way = [cell]
        while (parent := chunks[way[-1]].parent) is not None:
            way.append(parent)
        [*_, shown[cell]] = video.decode_chain([chunks[step].data for step in way[::-1]], codec, width, height, alpha)
    return shown


@pytest.mark.parametrize("codec", list(video.CODECS))
@pytest.mark.parametrize("size", [(96, 64), (101, 67)], ids=["even", "odd"])
def test_every_frame_comes_back_in_its_colours(codec: str, size: tuple[int, int]) -> None:
    source = frames(*size)
    shown = decoded(video.encode_block(source, BLOCK, codec, 20), codec, *size, alpha=False)
    assert set(shown) == set(BLOCK.cells)
    difference = np.stack([shown[cell].astype(int) - frame for cell, frame in source.items()])
    assert np.abs(difference).mean(axis=(1, 2, 3)).max() < 6
    # The wrong matrix would move colours by 3 to 4.
    assert np.abs(difference.mean(axis=(0, 1, 2))).max() < 0.6


def test_colour_that_nobody_sees_is_the_mean_of_the_rest() -> None:
    """Kills: the colour under full transparency is coded as it is, so that it bleeds over the edge."""
    frame = np.full((4, 6, 4), (200, 100, 50, 255), np.uint8)
    frame[:, :2] = (0, 255, 0, 0)
    assert (video.stack_alpha(frame)[:4, :2] == (200, 100, 50)).all()


def test_alpha_travels_under_the_colour() -> None:
    source = frames(101, 67, 4)
    shown = decoded(video.encode_block(source, BLOCK, "vp9", 20), "vp9", 101, 67, alpha=True)
    for cell, frame in source.items():
        alpha = shown[cell][..., 3].astype(int)
        assert np.abs(alpha - frame[..., 3]).mean() < 4
        solid = frame[..., 3] == 255
        assert np.abs(shown[cell][solid].astype(int) - frame[solid]).mean() < 8


def test_shared_beginnings_are_stored_once_and_most_frames_are_predicted() -> None:
    chunks = video.encode_block(frames(96, 64), BLOCK, "vp9", 32)
    assert [cell for cell, chunk in chunks.items() if chunk.parent is None] == [BLOCK.key]
    assert len(chunks) == 25
    rest = [len(chunk.data) for chunk in chunks.values() if chunk.parent is not None]
    assert np.mean(rest) < 0.5 * len(chunks[BLOCK.key].data)


def test_where_beginnings_differ_rows_are_coded_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    encode, calls = video._encode_chain, 0

    def unsteady(pictures: object, codec: str, crf: int) -> list[bytes]:
        nonlocal calls
        calls += 1
        return encode(pictures, codec, crf + (calls == 2))  # type: ignore[arg-type]

    monkeypatch.setattr(video, "_encode_chain", unsteady)
    source = frames(96, 64)
    chunks = video.encode_block(source, BLOCK, "vp9", 20)
    assert sum(chunk.parent is None for chunk in chunks.values()) == 5
    shown = decoded(chunks, "vp9", 96, 64, alpha=False)
    assert all(np.abs(shown[cell].astype(int) - frame).mean() < 6 for cell, frame in source.items())


def test_equal_frames_give_equal_bytes() -> None:
    first, second = (video.encode_block(frames(96, 64), BLOCK, "vp9", 30) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("codec", list(video.CODECS))
def test_the_colour_space_stands_in_the_stream_or_the_video_is_refused(
    codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = video.encode_block(frames(96, 64), BLOCK, codec, 30)
    with monkeypatch.context() as untagged:
        untagged.setattr(video, "_BT709", 2)  # FFmpeg's number for: not told
        bad = video.encode_block(frames(96, 64), BLOCK, codec, 30)
    assert len(list(video.decode_chain([good[BLOCK.key].data], codec, 96, 64, alpha=False))) == 1
    with pytest.raises(GazeError, match=r"BT\.709"):
        list(video.decode_chain([bad[BLOCK.key].data], codec, 96, 64, alpha=False))


@pytest.mark.parametrize("data", [b"", b"nonsense", bytes(500)])
def test_what_is_no_chunk_is_an_error_in_words(data: bytes) -> None:
    with pytest.raises(GazeError, match="chunk"):
        list(video.decode_chain([data], "vp9", 96, 64, alpha=False))


def test_a_frame_of_another_size_is_an_error_in_words() -> None:
    chunks = video.encode_block(frames(96, 64), BLOCK, "vp9", 30)
    with pytest.raises(GazeError, match="another size"):
        list(video.decode_chain([chunks[BLOCK.key].data], "vp9", 64, 96, alpha=False))


def test_codec_strings_name_the_level_of_the_size() -> None:
    assert video.codec_string("vp9", 410, 512) == "vp09.00.21.08"
    assert video.codec_string("vp9", 512, 1280) == "vp09.00.31.08"
    assert video.codec_string("av1", 410, 512) == "av01.0.01M.08"
    with pytest.raises(GazeError, match="3000 × 3000"):
        video.codec_string("vp9", 3000, 3000)


def test_better_quality_means_a_smaller_quantizer() -> None:
    steps = [video.quantizer("vp9", quality) for quality in (1, 40, 70, 75, 100)]
    assert steps == sorted(steps, reverse=True)
    assert all(0 <= step <= 63 for step in steps)
