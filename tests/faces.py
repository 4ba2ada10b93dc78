"""Faces whose mesh is moved to where a test wants its parts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gaze.face.face import Face, Opening
from gaze.face.topology import LEFT_LOWER_LID, LEFT_UPPER_LID, RIGHT_LOWER_LID, RIGHT_UPPER_LID

LIDS = ((LEFT_UPPER_LID, LEFT_LOWER_LID), (RIGHT_UPPER_LID, RIGHT_LOWER_LID))


def with_openings(face: Face, openings: Sequence[Opening]) -> Face:
    """The face whose lids are parabolas through the corners and the apexes of both openings."""
    mesh = face.mesh.copy()
    for contours, opening in zip(LIDS, openings, strict=True):
        left, right = np.array(opening.left), np.array(opening.right)
        for contour, apex in zip(contours, (opening.upper, opening.lower), strict=True):
            share = np.linspace(0, 1, len(contour))[:, None]
            bow = np.array(apex) - (left + right) / 2
            mesh[list(contour), :2] = left + share * (right - left) + 4 * share * (1 - share) * bow
    return replace(face, mesh=mesh)
