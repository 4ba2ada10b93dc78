"""How a source that looks past the camera is made to look straight in the grid's centre, whatever the engine."""

from __future__ import annotations

from gaze.engines.warp.gaze import IRIS_REACH, IRIS_SWING
from gaze.face.face import Face
from gaze.grid import GAZE_RANGE

_DOUBTFUL, _CERTAIN, _LARGEST = 0.02, 0.04, 0.10
"""An offset up to the first may be an error of finding and is left, one from the second on is taken away whole; above
the third it is no gaze. In iris distances."""
_AT_ODDS = 2.0
"""How many times as far as the other an eye may look aside: what it says beyond that is an error of finding."""


def straightening(face: Face) -> tuple[float, float]:
    """Iris distances by which to move the left and the right iris to the right, in every frame.

    The same for both, 0 where that may do harm. Where both surely look to one side, each comes back from where it is.
    """
    both, aside = _of_both(face), _share(face.least_gaze)
    most = min(IRIS_REACH, _AT_ODDS * abs(face.least_gaze))
    left, right = (max(both, -aside * _limited(it, most), key=abs) for it in face.gazes)
    return left, right


def straightening_units(face: Face) -> float:
    """What is the same for both, in the units of `Pose.pupil_x`."""
    return _of_both(face) / IRIS_SWING * GAZE_RANGE


def _of_both(face: Face) -> float:
    return -max(face.gaze_certainty * _certain(face.gaze), _certain(face.least_gaze), key=abs)


def _certain(offset: float) -> float:
    return _share(offset) * _limited(offset, _LARGEST)


def _share(offset: float) -> float:
    return min(1.0, max(0.0, (abs(offset) - _DOUBTFUL) / (_CERTAIN - _DOUBTFUL)))


def _limited(offset: float, most: float) -> float:
    return max(-most, min(most, offset))
