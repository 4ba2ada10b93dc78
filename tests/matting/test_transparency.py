import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image

from gaze.face.face import Face
from gaze.matting.background import compose
from gaze.matting.transparency import clean_alpha, use_transparency
from gaze.photo.portrait import Portrait, load_portrait

PAPERS = [np.array(colour) for colour in ((0, 0, 0), (255, 255, 255), (255, 0, 255))]


@pytest.fixture(scope="module")
def cut(framed: tuple[Portrait, Face]) -> tuple[np.ndarray, np.ndarray]:
    """Colours that fill the picture, and a matte: a disc with a soft edge and strands."""
    colours = cv2.resize(framed[0].image[140:260, 180:300], (256, 256), interpolation=cv2.INTER_CUBIC)
    big = np.zeros((1024, 1024), np.uint8)
    cv2.circle(big, (512, 512), 300, 255, -1)
    for angle in np.linspace(0, 2 * np.pi, 80, endpoint=False):
        ends = [(512 + r * np.cos(angle), 512 + r * np.sin(angle)) for r in (290, 380)]
        start, stop = [(round(x), round(y)) for x, y in ends]
        cv2.line(big, start, stop, 255, 5, cv2.LINE_AA)
    return colours, cv2.resize(big, (256, 256), interpolation=cv2.INTER_AREA)


def read(colours: np.ndarray, alpha: np.ndarray) -> Portrait:
    file = io.BytesIO()
    Image.fromarray(np.dstack([colours, alpha])).save(file, "PNG")
    return load_portrait(file.getvalue())


def worst(portrait: Portrait, colours: np.ndarray, matte: np.ndarray) -> float:
    """Mean error at soft edges, in levels, over the background where it is largest."""
    soft = (matte > 5) & (matte < 250)
    assert portrait.alpha is not None
    errors = []
    for paper in PAPERS:
        made, true = compose(portrait.image, portrait.alpha, paper), compose(colours, matte, paper)
        errors.append(np.abs(made[soft].astype(float) - true[soft]).mean())
    return max(errors)


@pytest.mark.parametrize(
    ("export", "most"),
    [
        (lambda colours, share: colours, 1.0),
        (lambda colours, share: colours * share, 2.0),
        (lambda colours, share: colours * share + 255 * (1 - share), 2.0),
        (lambda colours, share: colours * share + np.array([30, 160, 70]) * (1 - share), 2.0),
    ],
    ids=["clean", "premultiplied", "from white", "from green"],
)
def test_soft_edges_have_the_persons_colours(
    cut: tuple[np.ndarray, np.ndarray], export: Callable[[np.ndarray, np.ndarray], np.ndarray], most: float
) -> None:
    colours, matte = cut
    stored = np.rint(export(colours, matte[..., None] / 255)).astype(np.uint8)
    assert worst(use_transparency(read(stored, matte)), colours, matte) < most
    portrait = use_transparency(read(stored, matte))
    assert np.array_equal(portrait.image[matte == 255], stored[matte == 255])


def test_tiny_holes_are_filled_and_specks_removed(cut: tuple[np.ndarray, np.ndarray]) -> None:
    colours, matte = cut
    dirty = matte.copy()
    dirty[100:102, 120:121] = 0
    dirty[140, 140] = 90
    dirty[5, 5] = 255
    portrait = use_transparency(read(colours, dirty))
    assert portrait.alpha is not None
    assert portrait.alpha[95:105, 110:150].min() == 255
    assert portrait.alpha[:10, :10].max() == 0
    assert np.abs(portrait.image[100, 120].astype(float) - colours[96:106, 116:126].mean(axis=(0, 1))).max() < 60


def test_real_holes_stay() -> None:
    alpha = np.full((256, 256), 255, np.uint8)
    cv2.circle(alpha, (128, 128), 6, 0, -1)
    assert (clean_alpha(alpha) == alpha).all()


@pytest.mark.parametrize("level", [255, 253])
def test_what_is_opaque_is_no_cut_out(cut: tuple[np.ndarray, np.ndarray], level: int) -> None:
    colours, matte = cut
    portrait = use_transparency(read(colours, np.full_like(matte, level)))
    assert portrait.alpha is None
    assert np.abs(portrait.image.astype(int) - colours).max() <= 3


def test_only_dirt_is_no_cut_out(cut: tuple[np.ndarray, np.ndarray]) -> None:
    colours, matte = cut
    alpha = np.full_like(matte, 255)
    alpha[30, 40] = 0
    assert use_transparency(read(colours, alpha)).alpha is None


def palette(image: Image.Image) -> Image.Image:
    return image.quantize(64)


def grey(image: Image.Image) -> Image.Image:
    return image.convert("LA")


def deep(image: Image.Image) -> bytes:
    """Sixteen bits a channel, as graphics programs write them."""
    pixels = np.asarray(image).astype(np.uint16) * 257
    encoded: np.ndarray = cv2.imencode(".png", np.ascontiguousarray(pixels[..., [2, 1, 0, 3]]))[1]
    return encoded.tobytes()


@pytest.mark.parametrize("kind", [palette, grey, deep])
def test_every_kind_of_file_keeps_its_transparency(
    cut: tuple[np.ndarray, np.ndarray], kind: Callable[[Image.Image], Image.Image | bytes]
) -> None:
    colours, matte = cut
    made = kind(Image.fromarray(np.dstack([colours, matte])))
    if isinstance(made, Image.Image):
        file = io.BytesIO()
        made.save(file, "PNG")
        made = file.getvalue()
    portrait = use_transparency(load_portrait(made))
    assert portrait.alpha is not None
    most = 8 if kind is palette else 1
    assert np.abs(portrait.alpha.astype(float) - clean_alpha(matte)).mean() < most
    assert portrait.alpha[0, 0] == 0
    assert portrait.alpha[128, 128] == 255
