"""Few basis fields for the motion of many keys: it is so smooth over the grid that five to nine hold it."""

from __future__ import annotations

import numpy as np

MAX_RANK = 16
"""The most basis fields: a player's shader has room for no more (docs/format.md)."""
TRACKED, KNOWN = 0.0012, 0.0002
"""What the fields that are left out may give of the motion, root of the mean square, in iris distances. Of a motion
that was tracked it is noise; of one that an engine knows, it is what few points around the irises do alone."""
_STEP = 1 / 1200
"""Step of the stored fields in iris distances: a sixteenth of a pixel for a face of 75."""


def reduce_rank(
    fields: np.ndarray, middle: int, iris_distance: float, left: float = TRACKED
) -> tuple[np.ndarray, np.ndarray, float]:
    """The principal directions of the keys' displacements.

    Args:
        fields: (keys, rows, columns, 2) float32 pixels; 0 for the middle key.
        middle: its number.
        iris_distance: pixels.
        left: what may be left out, in iris distances.

    Returns:
        Coefficients (keys, rank) float32 of at most 1, basis (rank, rows, columns, 2) int16, and its unit in pixels.
    """
    flat = fields.reshape(len(fields), -1).astype(np.float64)
    squares, vectors = np.linalg.eigh(flat @ flat.T)
    squares, vectors = np.maximum(squares[::-1], 0), vectors[:, ::-1]
    rest = np.sqrt(np.append(squares[::-1].cumsum()[::-1], 0) / flat.size)
    rank = min(int(np.argmax(rest <= left * iris_distance)), MAX_RANK)
    coefficients = vectors[:, :rank]
    basis = coefficients.T @ flat
    largest = np.abs(coefficients).max(0, initial=1e-12)
    coefficients, basis = coefficients / largest, basis * largest[:, None]
    # The sign of a singular vector is arbitrary: equal portraits are to give equal packs.
    sign = np.where(np.abs(coefficients.min(0, initial=0)) > coefficients.max(0, initial=0), -1, 1)
    coefficients, basis = coefficients * sign, basis * sign[:, None]
    coefficients[middle] = 0
    unit = max(_STEP * iris_distance, float(np.abs(basis).max(initial=0)) / 32767)
    stored = np.round(basis / unit).astype(np.int16).reshape(rank, *fields.shape[1:])
    return coefficients.astype(np.float32), stored, unit
