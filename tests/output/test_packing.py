import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gaze.errors import GazeError
from gaze.grid import Look
from gaze.motion.eyes import Eyes
from gaze.motion.keys import key_axis, key_looks, spiral
from gaze.motion.motion import LayerKeys, Mesh, Motion
from gaze.motion.tracking import find_motion
from gaze.output.pack import Facts
from gaze.output.pack_reader import read_pack
from gaze.output.packing import Coding, KeyEncoder, still_size
from gaze.output.unpacking import decode_keys, decode_layer
from gaze.output.validator import check
from tests.fakes import cell_frame

WIDTH, HEIGHT, KEYS = 48, 64, 5
LOOKS = key_looks(key_axis(30, KEYS))


def frame(look: Look, alpha: bool) -> np.ndarray:
    colour = cell_frame(look, WIDTH, HEIGHT)
    if not alpha:
        return colour
    covered = np.zeros((HEIGHT, WIDTH, 1), np.uint8)
    covered[:, WIDTH // 2 :] = 255
    return np.dstack([colour, covered])


def keys(alpha: bool = False) -> dict[int, np.ndarray]:
    return {number: frame(look, alpha) for number, look in enumerate(LOOKS)}


def motion(frames: dict[int, np.ndarray]) -> Motion:
    return find_motion(frames, key_axis(30, KEYS), Eyes((16, 20), (32, 20)))


def build(folder: Path, codec: str | None, alpha: bool = False) -> None:
    frames = keys(alpha)
    with KeyEncoder(Facts(30, WIDTH, HEIGHT, alpha), frames, Coding(80, codec)) as encoder:
        encoder.write(folder, motion(frames))


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("codec", ["vp9", "av1", None])
def test_packs_hold_every_key_and_keep_to_the_format(tmp_path: Path, codec: str | None, alpha: bool) -> None:
    build(tmp_path, codec, alpha)
    assert {path.name for path in tmp_path.iterdir()} == {"gaze.pack"} | ({"stills.pack"} if codec else set())
    for path in tmp_path.iterdir():
        pack = read_pack(path)
        assert check(path) == []
        shown = decode_keys(pack)
        assert sorted(shown) == list(range(KEYS**2))
        for number, made in shown.items():
            place = (HEIGHT // 2, WIDTH * 3 // 4)
            assert np.abs(made[place].astype(int) - keys(alpha)[number][place]).max() <= 8
            assert made.shape == (HEIGHT, WIDTH, 4 if alpha else 3)


def test_the_video_is_one_chain_from_the_middle_outwards(tmp_path: Path) -> None:
    build(tmp_path, "vp9")
    [payload] = read_pack(tmp_path / "gaze.pack").payloads
    assert list(payload.pictures) == spiral(KEYS)
    assert [picture.parent for picture in payload.pictures.values()] == [None, *spiral(KEYS)[:-1]]


def test_stills_are_five_by_five_of_seven_at_most_512_pixels(tmp_path: Path) -> None:
    looks = key_looks(key_axis(30, 7))
    frames = {number: cell_frame(look, 600, 300) for number, look in enumerate(looks)}
    with KeyEncoder(Facts(30, 600, 300), frames, Coding(80, "vp9")) as encoder:
        encoder.write(tmp_path, find_motion(frames, key_axis(30, 7), Eyes((250, 150), (350, 150))))
    [payload] = read_pack(tmp_path / "stills.pack").payloads
    assert payload.about == {"width": 512, "height": 256, "keys": [0, 2, 3, 4, 6]}
    assert next(iter(payload.pictures)) == 12
    rows = [0, 2, 3, 4, 6]
    for place, picture in payload.pictures.items():
        still = np.asarray(Image.open(io.BytesIO(picture.data)))
        number = rows[place // 5] * 7 + rows[place % 5]
        assert still.shape == (256, 512, 3)
        assert np.abs(still[128, 256].astype(int) - frames[number][0, 0]).max() <= 3


def test_a_smaller_still_of_a_cut_out_lends_no_hidden_colour(tmp_path: Path) -> None:
    painted = np.zeros((40, 1040, 4), np.uint8)
    painted[..., :3] = (255, 0, 255)
    painted[:, 500:] = (20, 200, 20, 255)
    frames = {number: painted.copy() for number in range(9)}
    with KeyEncoder(Facts(30, 1040, 40, True), frames, Coding(95, "vp9")) as encoder:
        encoder.write(tmp_path, find_motion(frames, key_axis(30, 3), Eyes((500, 20), (540, 20))))
    [payload] = read_pack(tmp_path / "stills.pack").payloads
    still = np.asarray(Image.open(io.BytesIO(payload.pictures[4].data)))
    seen = still[still[..., 3] > 200]
    assert seen[:, 0].max() < 60


def test_equal_keys_give_equal_packs(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        build(tmp_path / name, "vp9")
    for name in ("gaze.pack", "stills.pack"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_an_error_of_an_encoder_comes_up(tmp_path: Path) -> None:
    broken = {number: np.zeros((8, 8, 7), np.uint8) for number in range(9)}
    with KeyEncoder(Facts(30, 8, 8), broken, Coding(75, None)) as encoder:
        assert encoder.wait(5)
        with pytest.raises(TypeError):
            encoder.write(tmp_path, motion(keys()))


def test_frames_too_large_for_the_codec_are_refused() -> None:
    with pytest.raises(GazeError, match="too large for vp9"), KeyEncoder(Facts(30, 9000, 9000), {}, Coding(75, "vp9")):
        pass


@pytest.mark.parametrize(("size", "still"), [((512, 512), (512, 512)), ((768, 600), (512, 400)), ((90, 30), (90, 30))])
def test_stills_are_never_enlarged(size: tuple[int, int], still: tuple[int, int]) -> None:
    assert still_size(Facts(30, *size), 512) == still


def test_a_layer_comes_back_as_it_was_written(tmp_path: Path) -> None:
    mesh = Mesh((4, 20, 30, 44), (4, 20, 40, 60))
    still = Motion(
        (0.0, 14.5, 29.0),
        mesh,
        np.zeros((0, 4, 4, 2), np.int16),
        1.0,
        np.zeros((3, 3, 0), np.float32),
        np.zeros((4, 4), np.uint8),
    )
    picture = np.full((16, 24, 4), 100, np.uint8)
    picture[..., 3] = 0
    picture[4:12, 4:20] = (200, 120, 40, 255)
    layer = LayerKeys("blink", (0.5, 1.0), (10, 12, 24, 16), still, (1,), {0: picture, 1: picture})
    frames = keys()
    with KeyEncoder(Facts(30, WIDTH, HEIGHT), frames, Coding(80, "vp9"), (layer,)) as encoder:
        encoder.write(tmp_path, motion(frames))
    for path in tmp_path.iterdir():
        assert check(path) == []
        found = decode_layer(read_pack(path), "blink")
        assert found is not None
        assert (found.values, found.region, found.keys) == (layer.values, layer.region, layer.keys)
        for number, made in found.pictures.items():
            assert np.array_equal(made[..., 3], picture[..., 3]), "alpha is stored without loss"
            assert np.abs(made[6:10, 6:18].astype(int) - layer.pictures[number][6:10, 6:18]).max() <= 16
        assert decode_layer(read_pack(path), "smile") is None
