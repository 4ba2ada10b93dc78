"""What stands behind a person instead of the photo's own background: a colour, a blur of it, or another picture."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import ImageColor

from gaze.errors import GazeError
from gaze.matting.colours import find_colours
from gaze.photo.portrait import Photo, Portrait, load_portrait

BLUR = "blur"
"""The photo's own background, out of focus."""

_LETTERS = 100
"""Of what is no background, as much as is told."""
_BLUR = 0.035
"""Standard deviation of that blur, as a share of the longer side."""


def check_background(background: Photo | None) -> None:
    """Check that there is such a background.

    Raises:
        GazeError: it is neither "blur", nor a colour, nor a picture's file.
    """
    if isinstance(background, str) and not is_plain(background) and not _is_file(background):
        raise GazeError(
            f"“{background[:_LETTERS]}” is not a background. Give a colour such as “#f4f1ea” or “teal”, "
            f"the word “{BLUR}”, or an image file."
        )


def _is_file(name: str) -> bool:
    with suppress(OSError):  # a name that is too long for one
        return Path(name).is_file()
    return False


def is_plain(background: Photo) -> bool:
    """Whether it is a colour or a blur, and no picture."""
    return isinstance(background, str) and (background == BLUR or _colour(background) is not None)


def compose(colours: np.ndarray, matte: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """A person before a background: (height, width, 3) uint8.

    Args:
        colours: (height, width, 3) uint8, the person's colours, not premultiplied.
        matte: (height, width) uint8.
        behind: (height, width, 3) uint8, or one colour (3,).
    """
    share = matte[..., None].astype(np.float32) / 255
    return np.rint(colours * share + behind * (1 - share)).astype(np.uint8)


def set_before(portrait: Portrait, background: Photo, is_free: bool) -> Portrait:
    """The person of a portrait before another background: opaque.

    Args:
        portrait: with a matte as alpha.
        background: as for `find_behind`.
        is_free: whether the photo was cut out already, and `image` has nothing of a background.

    Raises:
        GazeError: there is no such background, or it cannot be read.
    """
    matte = portrait.alpha
    if matte is None:
        raise ValueError("The portrait has no matte.")
    if is_free and background == BLUR:
        raise GazeError("This photo is cut out already: there is nothing to blur. Choose a colour or a picture.")
    colours = portrait.image if is_free else find_colours(portrait.image, matte)
    return replace(portrait, image=compose(colours, matte, find_behind(background, portrait.image, matte)), alpha=None)


def find_behind(background: Photo, image: np.ndarray, matte: np.ndarray) -> np.ndarray:
    """The picture that stands behind: (height, width, 3) uint8.

    Args:
        background: "blur", a colour as CSS writes it, or a picture, which is scaled to cover the photo.
        image: (height, width, 3) uint8, the photo; only its own background is blurred.
        matte: (height, width) uint8.

    Raises:
        GazeError: it is none of these, or the picture cannot be read.
    """
    height, width = matte.shape
    if isinstance(background, str):
        if background == BLUR:
            return _blurred(image, matte)
        if colour := _colour(background):
            return np.full((height, width, 3), colour, np.uint8)
        check_background(background)
    picture = load_portrait(background).image
    scale = max(width / picture.shape[1], height / picture.shape[0])
    size = (max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale)))
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return picture[top : top + height, left : left + width]


def _blurred(image: np.ndarray, matte: np.ndarray) -> np.ndarray:
    """The background alone out of focus: nothing of the person smears into it."""
    behind = find_colours(image, 255 - matte).astype(np.float32)
    sigma = _BLUR * max(matte.shape)
    weight = 255 - cv2.dilate(matte, np.ones((3, 3), np.uint8)).astype(np.float32) + 1
    total = cv2.GaussianBlur(weight, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    mean = cv2.GaussianBlur(behind * weight[..., None], (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return np.rint(np.clip(mean / total[..., None], 0, 255)).astype(np.uint8)


def _colour(name: str) -> tuple[int, int, int] | None:
    try:
        colour = ImageColor.getrgb(name)
    except ValueError:
        return None
    red, green, blue = colour[:3]
    return (red, green, blue) if min(colour) >= 0 and max(colour) <= 255 else None  # as in rgb(300, 0, 0)
