"""A coarse map of the person, sharpened to a matte at full size by the photo's own colours.

Levin, Lischinski and Weiss, "A Closed-Form Solution to Natural Image Matting" (2008): within each small window alpha
is nearly a linear function of colour. The sum of the squared deviations from that is a quadratic form in alpha, and
its minimum, with alpha given where the map is sure, is the matte. He, Sun and Tang, "Fast Matting Using Large Kernel
Matting Laplacian Matrices" (2010), multiply by the form's matrix with box filters, without ever writing it down.

That alpha gives the colours of person and background everywhere, and these tell alpha anew where a window's colours do
not: it is solved once more with what they tell.
"""

from __future__ import annotations

import cv2
import numpy as np

from gaze.matting.colours import find_layers

_SURE = 0.05
"""How near to 0 or 1 the map has to be to be believed."""
_GROW = 6 / 256
"""How far around what is not sure the matte is sought, as a share of the longer side: as far as strands reach."""
_RADIUS = 3
"""Of the windows, in pixels."""
_EPSILON = 1e-5
"""Variance of colour, of channels in [0, 1], below which a window counts as flat."""
_PRIOR = 1e-3, 1e-2
"""How much the map itself counts where it is not sure: before a calm background, and before a busy one, whose colours
are a poor guide."""
_BUSY = 0.02
"""Variance of the colours of a background, all channels together, halfway between calm and busy."""
_MIXTURE = 0.3
"""How much the share counts, at most, that explains a pixel's colour by those of person and background."""
_APART, _NOISE = 20.0, 8.0
"""Levels between these colours at which it counts half, and standard deviation of what no mixture of them explains."""
_COARSEST = 160
"""Longer side from which on the solution begins at half the size."""
_STEPS, _MORE_STEPS = 12, 4
"""Of conjugate gradients: at each size, and with what the colours of person and background tell."""


def refine(image: np.ndarray, coarse: np.ndarray, found: int | None = None) -> np.ndarray:
    """The matte of a photo: (height, width) uint8.

    Args:
        image: (height, width, 3) uint8 RGB.
        coarse: (any, any) float32, 0 to 1: the map, stretched over the photo.
        found: of how many values of a network the map is made. Where they are more than the photo has pixels, the map
            counts as much more. None: the map is as the network gave it.
    """
    height, width = image.shape[:2]
    prior = np.clip(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    reach = max(1, round(_GROW * max(height, width)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    unsure = ((prior > _SURE) & (prior < 1 - _SURE)) | _edge(prior > 0.5)
    unknown = cv2.dilate(unsure.astype(np.uint8), kernel).astype(np.float32)
    planes = np.moveaxis(image, 2, 0).astype(np.float32) / 255
    weight = _weight(planes, ((unknown == 0) & (prior < 0.5)).astype(np.float32), 4 * reach + 1)
    weight *= max(1, (found or coarse.size) / prior.size)
    matrix = _Laplacian(planes)
    alpha = _solve(planes, matrix, prior, weight, unknown)
    share, trust = _mixture(image, alpha)
    told = (weight * prior + trust * share) / (weight + trust)
    alpha = _descend(matrix, alpha, told, weight + trust, unknown, _MORE_STEPS)
    return np.rint(255 * alpha).astype(np.uint8)


def _mixture(image: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The alpha that best explains each pixel by the colours of person and background there, and how much it counts.

    It counts as far as these colours differ, and as far as a mixture of them is the pixel's own.

    Args:
        image: (height, width, 3) uint8 RGB.
        alpha: (height, width) float32, 0 to 1, with which the colours are found.
    """
    front, back = find_layers(image, np.rint(255 * alpha).astype(np.uint8))
    apart, from_back = front - back, image - back
    square = (apart * apart).sum(axis=2)
    share = np.clip((from_back * apart).sum(axis=2) / np.maximum(square, 1), 0, 1)
    missing = from_back - share[..., None] * apart
    likeness = np.exp((missing * missing).sum(axis=2) / (-2 * _NOISE**2))
    return share, _MIXTURE * likeness * square / (square + _APART**2)


def _weight(planes: np.ndarray, background: np.ndarray, side: int) -> np.ndarray:
    """How much the map counts at each place: (height, width) float32."""
    known = cv2.blur(background, (side, side)) + np.float32(1e-3)
    variance = np.zeros_like(known)
    for plane in planes:
        mean, square = (cv2.blur(each * background, (side, side)) / known for each in (plane, plane * plane))
        variance += np.maximum(square - mean * mean, 0)
    busy = 1 / (1 + np.square(np.float32(_BUSY) / np.maximum(variance, np.float32(1e-6))))
    return _PRIOR[0] * (1 - busy) + _PRIOR[1] * busy


def _edge(solid: np.ndarray) -> np.ndarray:
    mask = solid.astype(np.uint8)
    return cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0


def _solve(
    planes: np.ndarray, matrix: _Laplacian, prior: np.ndarray, weight: np.ndarray, unknown: np.ndarray
) -> np.ndarray:
    """Alpha, 0 to 1: the rounded map where `unknown` is 0, the minimum elsewhere.

    Each size begins with what was found at half of it.
    """
    height, width = prior.shape
    start = prior
    if max(height, width) > _COARSEST:
        half = ((width + 1) // 2, (height + 1) // 2)
        smaller = np.stack([_resized(plane, half, cv2.INTER_AREA) for plane in planes])
        less = [_resized(each, half, cv2.INTER_AREA) for each in (prior, weight, unknown)]
        coarse = _solve(smaller, _Laplacian(smaller), less[0], less[1], less[2].round())
        start = _resized(coarse, (width, height), cv2.INTER_LINEAR)
    return _descend(matrix, np.where(unknown > 0, start, prior.round()), prior, weight, unknown, _STEPS)


def _descend(
    matrix: _Laplacian, start: np.ndarray, prior: np.ndarray, weight: np.ndarray, unknown: np.ndarray, steps: int
) -> np.ndarray:
    """Alpha, 0 to 1, nearer to the minimum than where it starts; it changes only where `unknown` is 1."""
    alpha = start.astype(np.float32)
    residual = -unknown * (matrix.times(alpha) + weight * (alpha - prior))
    way = residual.copy()
    size = np.vdot(residual, residual)
    for _ in range(steps):
        if size < 1e-12:
            break
        image = unknown * (matrix.times(way) + weight * way)
        length = size / np.vdot(way, image)
        alpha += length * way
        residual -= length * image
        before, size = size, np.vdot(residual, residual)
        way = residual + size / before * way
    return np.clip(alpha, 0, 1)


def _resized(picture: np.ndarray, size: tuple[int, int], how: int) -> np.ndarray:
    return cv2.resize(picture, size, interpolation=how)


class _Laplacian:
    """The matting Laplacian of a picture, divided by the pixels of a window.

    Args:
        planes: (3, height, width) float32, channels in [0, 1].
    """

    def __init__(self, planes: np.ndarray) -> None:
        self._planes = planes
        self._mean = [_box(plane) for plane in planes]
        pairs = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
        # Of grey edges the determinant is so small beside its terms that single precision leaves noise of it, or 0.
        a, b, c, d, e, f = (
            (_box(planes[i] * planes[j]) - self._mean[i] * self._mean[j]).astype(float) + (_EPSILON if i == j else 0)
            for i, j in pairs
        )
        adjugate = [
            [d * f - e * e, c * e - b * f, b * e - c * d],
            [c * e - b * f, a * f - c * c, b * c - a * e],
            [b * e - c * d, b * c - a * e, a * d - b * b],
        ]
        determinant = a * adjugate[0][0] + b * adjugate[0][1] + c * adjugate[0][2]
        self._inverse = [[(part / determinant).astype(np.float32) for part in row] for row in adjugate]

    def times(self, alpha: np.ndarray) -> np.ndarray:
        """The product with a picture, (height, width) float32: alpha less the mean of what windows make of it."""
        mean = _box(alpha)
        moved = [_box(plane * alpha) - own * mean for plane, own in zip(self._planes, self._mean, strict=True)]
        slopes = [row[0] * moved[0] + row[1] * moved[1] + row[2] * moved[2] for row in self._inverse]
        offset = mean - sum(slope * own for slope, own in zip(slopes, self._mean, strict=True))
        fitted = _box(offset)
        for slope, plane in zip(slopes, self._planes, strict=True):
            fitted += _box(slope) * plane
        return alpha - fitted


def _box(plane: np.ndarray) -> np.ndarray:
    side = 2 * _RADIUS + 1
    return cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT)
