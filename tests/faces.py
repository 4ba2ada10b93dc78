"""Faces whose mesh is moved to where a test wants its parts."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gaze.face.face import Contours, Face, Iris, Opening
from gaze.face.topology import LEFT_LOWER_LID, LEFT_UPPER_LID, RIGHT_LOWER_LID, RIGHT_UPPER_LID
from gaze.face.typical import typical_mesh

LIDS = ((LEFT_UPPER_LID, LEFT_LOWER_LID), (RIGHT_UPPER_LID, RIGHT_LOWER_LID))


def typical_face(left: Iris, right: Iris) -> Face:
    """An average face seen from the front, laid by its irises."""
    unit = math.hypot(right.x - left.x, right.y - left.y)
    cos, sin = (right.x - left.x) / unit, (right.y - left.y) / unit
    turn = unit * np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    mesh = typical_mesh() @ turn + ((left.x + right.x) / 2, (left.y + right.y) / 2, 0)
    mesh.setflags(write=False)
    return Face(left, right, mesh)


def with_openings(face: Face, openings: Sequence[Opening]) -> Face:
    """The face whose lids are parabolas through the corners and the apexes of both openings."""
    mesh = face.mesh.copy()
    for indices, opening in zip(LIDS, openings, strict=True):
        for contour, edge in zip(indices, parabolas(opening), strict=True):
            mesh[list(contour), :2] = edge
    return replace(face, mesh=mesh)


def parabolas(opening: Opening) -> Contours:
    """Nine points of each lid's edge, on a parabola through the corners and the apex of an opening."""
    left, right = np.array(opening.left), np.array(opening.right)
    share = np.linspace(0, 1, 9)[:, None]
    upper, lower = (
        left + share * (right - left) + 4 * share * (1 - share) * (np.array(apex) - (left + right) / 2)
        for apex in (opening.upper, opening.lower)
    )
    return Contours(upper, lower)
