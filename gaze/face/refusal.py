"""Why a face cannot be animated, in words: what is wrong, and what to do."""

from __future__ import annotations

from gaze.face.confidence import BLURRED
from gaze.face.face import Face

MIN_IRIS_DISTANCE = 14.0
"""Pixels between the irises below which nothing of the eyes is left."""

_CLOSED = 0.16
"""`Face.openness` below which an eye counts as closed."""
_TURNED = 40.0
"""Degrees of yaw from which on the far eye is too narrow."""


def reason(face: Face, width: int, height: int) -> str:
    """The sentence for a face that is not trusted.

    Args:
        face: as found.
        width, height: of the picture, in pixels.
    """
    if face.iris_distance < MIN_IRIS_DISTANCE:
        return (
            f"The face is too small: {int(face.iris_distance)} pixels between the eyes, at least "
            f"{MIN_IRIS_DISTANCE:.0f} are needed, 40 look good. Use a larger photo, or crop it closer to the face."
        )
    if not all(0 <= iris.x < width and 0 <= iris.y < height for iris in (face.left, face.right)):
        return "The picture ends in the middle of the face. Use a photo that shows both eyes."
    if abs(face.yaw) > _TURNED:
        return "The head is turned too far to the side. Use a photo from the front, with both eyes in sight."
    shut = [it < _CLOSED for it in face.openness]
    if any(shut):
        return f"{'The eyes are' if all(shut) else 'One eye is'} closed, or nearly so. Use a photo with both eyes open."
    if face.sharpness < BLURRED:
        return "The face is too blurred for its eyes to be seen. Use a sharper photo."
    return (
        "The eyes are covered or hard to see. Use a photo that is well lit, with both eyes uncovered: without hair, "
        "hands or sunglasses in front of them."
    )
