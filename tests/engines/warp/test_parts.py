import cv2
import numpy as np

from gaze.engines.warp.parts import draw_parts, find_parts
from gaze.engines.warp.region import Band
from gaze.photo.remapping import NO_MAP

HEIGHT, WIDTH = 50, 70
BANDS = (
    Band(np.s_[3:20, 5:21], False),
    Band(np.s_[3:20, 21:40], True),
    Band(np.s_[3:20, 40:63], False),
    Band(np.s_[20:33, 0:70], False),
)


def test_parts_show_the_person_before_the_background() -> None:
    """As if each pixel were drawn alone; what is no part is left as it was."""
    chance = np.random.default_rng(1)
    bare, behind, alpha = (chance.integers(0, 256, (HEIGHT, WIDTH, n)).astype(np.uint8) for n in (3, 3, 1))
    layer = np.dstack([np.minimum(bare, alpha), alpha])
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    positions = np.dstack([x + 1.5 * np.sin(y / 7), y - 0.7])
    out = np.full_like(bare, 7)
    draw_parts(find_parts(BANDS, behind), bare, layer, positions, out)

    person, seen = (
        cv2.remap(it, positions, NO_MAP, cv2.INTER_CUBIC, None, cv2.BORDER_REPLICATE) for it in (bare, layer)
    )
    through = behind * (1 - seen[..., 3:] / 255)
    expected = np.full_like(bare, 7)
    for place, opaque in BANDS:
        expected[place] = person[place] if opaque else np.clip(np.rint(seen[..., :3] + through), 0, 255)[place]
    assert np.abs(out.astype(int) - expected).max() <= 1
    assert (out[expected == 7] == 7).mean() > 0.99
    assert np.array_equal(out[33:], expected[33:])


def test_a_picture_of_one_layer_has_no_background() -> None:
    bare = np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    positions = np.dstack(np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))).astype(np.float32)
    out = np.zeros_like(bare)
    draw_parts(find_parts([Band(np.s_[0:50, 0:70], True)], bare), bare, None, positions, out)
    assert np.array_equal(out, bare)
