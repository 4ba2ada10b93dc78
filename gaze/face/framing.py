"""Which part of the photo becomes the portrait: all of it, or head and shoulders where the face is small."""

from __future__ import annotations

import cv2

from gaze.errors import GazeError
from gaze.face.face import Face
from gaze.photo.portrait import Original, Portrait

FRAMINGS = ("auto", "whole")
MIN_FRAME_SIDE, MAX_FRAME_SIDE, AUTO_SIDE = 128, 2048, 768
"""Pixels of a portrait's longer side: the least, the most, and the most that is taken unasked."""

_ENOUGH = 0.10
"""Iris distance, as a share of the longer side, from which on a photo is left whole."""
_SHARE = 0.145
"""The same share in a picture that is cut."""
_MIN_CROP = 280
"""Pixels of the photo that a cut keeps on the longer side, so that it is not blown up too far."""


def frame_portrait(
    portrait: Portrait, face: Face, frame_size: str | int = "auto", framing: str = "auto"
) -> tuple[Portrait, Face]:
    """Cut and scale the photo to the size of the frames.

    Args:
        portrait: the photo as read.
        face: its main face.
        frame_size: longer side of the result in pixels; both sides come out even. "auto": the photo's own pixels, at
            most `AUTO_SIDE`.
        framing: "whole" keeps all of the photo; "auto" cuts to head and shoulders where the face is small.

    Raises:
        GazeError: `frame_size` or `framing` is out of range.
    """
    if framing not in FRAMINGS:
        raise GazeError(f"There is no framing called “{framing}”. Choose one of: {', '.join(FRAMINGS)}.")
    if frame_size != "auto" and not (
        str(frame_size).isdecimal() and MIN_FRAME_SIDE <= int(frame_size) <= MAX_FRAME_SIDE
    ):
        raise GazeError(
            f"The frame size is {frame_size}. Choose {MIN_FRAME_SIDE} to {MAX_FRAME_SIDE} pixels, or “auto”."
        )
    x, y, width, height = 0, 0, portrait.width, portrait.height
    notes = portrait.notes
    if framing == "auto" and face.iris_distance < _ENOUGH * max(width, height):
        x, y, width, height = _head_and_shoulders(portrait, face)
        if (width, height) != (portrait.width, portrait.height):
            notes += ("The photo was cut to head and shoulders.",)
    image = portrait.image[y : y + height, x : x + width]
    alpha = None if portrait.alpha is None else portrait.alpha[y : y + height, x : x + width]
    longest = min(AUTO_SIDE, max(width, height, MIN_FRAME_SIDE)) if frame_size == "auto" else int(frame_size)
    scale = longest / max(width, height)
    size = (max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(image, size, interpolation=interpolation)
    if alpha is not None:
        alpha = cv2.resize(alpha, size, interpolation=interpolation)
    original = Original(portrait.image, (x, y, width, height), scaled) if scale < 1 else None
    return Portrait(scaled, notes, alpha, original), face.moved(1, -x, -y).scaled(scale)


def _head_and_shoulders(portrait: Portrait, face: Face) -> tuple[int, int, int, int]:
    """x, y, width, height of a cut around the head, between 4:5 and square, inside the photo."""
    aspect = min(1.0, max(0.8, portrait.width / portrait.height))
    height = max(face.iris_distance / _SHARE, _MIN_CROP)
    height = min(height, portrait.height, portrait.width / aspect)
    width = height * aspect
    x = min(max(face.centre[0] - width / 2, 0), portrait.width - width)
    y = min(max(face.centre[1] - 0.42 * height, 0), portrait.height - height)
    return int(x), int(y), int(width), int(height)
