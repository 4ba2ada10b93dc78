import numpy as np
import pytest

from gaze.errors import GazeError
from gaze.grid import Cell
from gaze.motion.keys import spiral
from gaze.output import video

CELLS = [Cell(*divmod(number, 5)) for number in spiral(5)]


def moving(cell: Cell, width: int, height: int, channels: int = 3) -> np.ndarray:
    """A textured frame that shifts and shades with its cell, so that no frame can stand for another."""
    y, x = np.mgrid[:height, :width]
    phase = 0.15 * (x + 2 * cell.col) + 0.11 * (y + 3 * cell.row)
    colour = np.stack([120 + 60 * np.sin(phase), 110 + 50 * np.cos(phase * 0.7), 60 + 5.0 * (cell.row + x * 0.2)], -1)
    if channels == 4:
        disc = np.hypot(x - width / 2 - cell.col, y - height / 2) < min(width, height) * 0.4
        colour = np.dstack([colour, disc * 255.0])
    return colour.clip(0, 255).astype(np.uint8)


def frames(width: int, height: int, channels: int = 3) -> list[np.ndarray]:
    return [moving(cell, width, height, channels) for cell in CELLS]


@pytest.mark.parametrize("codec", list(video.CODECS))
@pytest.mark.parametrize("size", [(96, 64), (101, 67)], ids=["even", "odd"])
def test_every_frame_comes_back_in_its_colours(codec: str, size: tuple[int, int]) -> None:
    source = frames(*size)
    shown = list(video.decode_chain(video.encode_chain(source, codec, 20), codec, *size, alpha=False))
    difference = np.stack(shown).astype(int) - np.stack(source)
    assert np.abs(difference).mean(axis=(1, 2, 3)).max() < 6
    # The wrong matrix would move colours by 3 to 4.
    assert np.abs(difference.mean(axis=(0, 1, 2))).max() < 0.6


def stacked(frame: np.ndarray) -> np.ndarray:
    return video.stack_alpha(frame, video.colours_never_seen([frame]))


def test_colour_that_nobody_sees_goes_on_from_what_is_seen_beside_it() -> None:
    """Kills: it is coded as it is, or as one colour for all, so that it bleeds over the edge."""
    frame = np.full((32, 24, 4), (200, 100, 50, 255), np.uint8)
    frame[16:] = (20, 30, 40, 255)
    frame[:, :8] = (0, 255, 0, 0)
    hidden = stacked(frame)[:32, :8].astype(int)
    assert np.abs(hidden[:6, 4:] - (200, 100, 50)).max() < 20
    assert np.abs(hidden[26:, 4:] - (20, 30, 40)).max() < 20
    assert (stacked(frame)[:32, 8:] == frame[:, 8:, :3]).all()


def test_what_no_frame_shows_is_the_same_in_all() -> None:
    """Kills: each frame goes on by itself, and colours that nobody sees are coded again in each."""
    moved = [moving(cell, 96, 64, 4) for cell in CELLS]
    never_seen = video.colours_never_seen(moved)
    nowhere = np.all([frame[..., 3] == 0 for frame in moved], axis=0)
    colours = np.array([video.stack_alpha(frame, never_seen)[:64][nowhere] for frame in moved])
    assert nowhere.sum() > 500
    assert (colours == colours[:1]).all()
    assert colours.std() > 1, "they are one colour for all"


def test_a_frame_of_which_nothing_is_seen_is_coded_as_it_is() -> None:
    frame = np.full((4, 6, 4), (0, 255, 0, 0), np.uint8)
    assert (stacked(frame)[:4] == (0, 255, 0)).all()


def test_alpha_travels_under_the_colour() -> None:
    source = frames(101, 67, 4)
    shown = video.decode_chain(video.encode_chain(source, "vp9", 20), "vp9", 101, 67, alpha=True)
    for made, frame in zip(shown, source, strict=True):
        assert np.abs(made[..., 3].astype(int) - frame[..., 3]).mean() < 4
        solid = frame[..., 3] == 255
        assert np.abs(made[solid].astype(int) - frame[solid]).mean() < 8


@pytest.mark.parametrize("codec", list(video.CODECS))
def test_all_frames_but_the_first_are_predicted(codec: str) -> None:
    chunks = video.encode_chain(frames(96, 64), codec, 32)
    assert len(chunks) == 25
    assert np.mean([len(chunk) for chunk in chunks[1:]]) < 0.5 * len(chunks[0])


def test_equal_frames_give_equal_bytes() -> None:
    first, second = (video.encode_chain(frames(96, 64), "vp9", 30) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("codec", list(video.CODECS))
def test_the_colour_space_stands_in_the_stream_or_the_video_is_refused(
    codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = video.encode_chain(frames(96, 64)[:1], codec, 30)
    with monkeypatch.context() as untagged:
        untagged.setattr(video, "_BT709", 2)  # FFmpeg's number for: not told
        bad = video.encode_chain(frames(96, 64)[:1], codec, 30)
    assert len(list(video.decode_chain(good, codec, 96, 64, alpha=False))) == 1
    with pytest.raises(GazeError, match=r"BT\.709"):
        list(video.decode_chain(bad, codec, 96, 64, alpha=False))


@pytest.mark.parametrize("data", [b"", b"nonsense", bytes(500)])
def test_what_is_no_chunk_is_an_error_in_words(data: bytes) -> None:
    with pytest.raises(GazeError, match="chunk"):
        list(video.decode_chain([data], "vp9", 96, 64, alpha=False))


def test_a_frame_of_another_size_is_an_error_in_words() -> None:
    chunks = video.encode_chain(frames(96, 64)[:1], "vp9", 30)
    with pytest.raises(GazeError, match="another size"):
        list(video.decode_chain(chunks, "vp9", 64, 96, alpha=False))


def test_a_codec_is_known_by_its_string() -> None:
    for name in video.CODECS:
        assert video.codec_of(video.codec_string(name, 410, 512)) == name
    with pytest.raises(GazeError, match="avc1"):
        video.codec_of("avc1.42E01E")


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
