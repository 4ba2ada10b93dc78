"""How a source that looks past the camera is made to look straight in the grid's centre, whatever the engine."""

from __future__ import annotations

from gaze.engines.warp.gaze import IRIS_SWING
from gaze.face.face import Face
from gaze.grid import GAZE_RANGE

_DOUBTFUL, _CERTAIN, _LARGEST = 0.02, 0.04, 0.10
"""An offset up to the first may be an error of finding and is left, one from the second on is taken away whole; above
the third it is no gaze. In iris distances."""


def straightening(face: Face) -> float:
    """Iris distances by which to move both irises to the right, in every frame; 0 where that may do harm."""
    return -max(face.gaze_certainty * _certain(face.gaze), _certain(face.least_gaze), key=abs)


def straightening_units(face: Face) -> float:
    """The same in the units of `Pose.pupil_x`."""
    return straightening(face) / IRIS_SWING * GAZE_RANGE


def _certain(offset: float) -> float:
    share = min(1.0, max(0.0, (abs(offset) - _DOUBTFUL) / (_CERTAIN - _DOUBTFUL)))
    return share * max(-_LARGEST, min(_LARGEST, offset))
