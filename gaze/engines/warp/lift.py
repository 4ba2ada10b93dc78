"""An iris lifted off a photo: with its rim, but without its highlight and the lid's shadow, which go other ways."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from gaze.engines.warp.edge import find_edge
from gaze.face.face import Iris

_RIM = 0.16
"""Softness of the iris border, in radii."""
_RING = 0.05
_RINGS = _RING * np.arange(1, 32)
"""Radii, in the iris's own, at which its typical colour is read."""
_SMOOTHINGS, _RIPPLE = 3, 0.5
"""Passes of a binomial filter of three rings, at most; and pixels, the standard deviation of the blur they make."""
_SOLID = (0.7, 1.0)
"""Radii between which the outermost ring lies that nothing shines through."""
_END = 0.1
"""Radii beyond the iris's reach over which the last of it ends."""
_LEAST_CONTRAST = 300.0
"""Squared difference of rim and sclera from which on the rim's softness can be read."""
_SHINES, _BELOW = (0.7, 1.25), 0.1
"""A highlight is somewhere at least that bright beside the sclera: on the upper part of an iris; and so many radii and
more below its middle, where light that fell in from above lights the iris."""
_ALONG_RIM = 0.5
"""Share of a bright spot that lies along the rim from which on it is sclera beside an iris that is no circle."""
_LASHES = (0.08, 0.18)
"""Distance from a lid's edge, in radii, up to which an iris shows lashes, and from which on it does not."""
_GRAIN = (0.7, 0.9)
"""Radii up to which an iris has a grain of its own, and from which on it is the same all around."""
_LEAST_GRAIN, _OUTLIER = 4.0, 3.0
"""Grain goes up to so many grey levels, or times the median of what is seen."""
_OWN_HUE = 0.3
"""Share of its own colour that grain keeps: fibres differ in brightness; coloured flecks are reflections and noise."""
_HALO, _FEATHER = 0.1, 0.06
"""How far around a highlight it is bright still, in radii, and over which it is taken away."""
_SHADOW = np.linspace(0.05, 0.75, 8)
"""Depths below the upper lid, in radii, at which its shadow on the iris is read; beyond there is none."""
_DARKEST = 0.35
_PUPIL, _UNLIT = 0.4, 0.35
"""Radius of a pupil, in the iris's, and the share of what is seen of it that no light falls on."""
_LEAST_LACK = 10.0
"""Grey levels below white from which on a place can become brighter."""
_LARGEST_LIGHT = 0.12
"""Share of the iris's area up to which what is bright in it is a highlight; else it is the iris's own."""


class EyePatch(NamedTuple):
    """A part of a portrait around an iris. Lengths are in its radii.

    Attributes:
        patch: (h, w, 3) float32 RGB.
        sclera: likewise, without the iris.
        opening: (h, w) float32, 1 between the lids.
        iris: in the patch's pixels.
        distance: (h, w) from the iris's centre.
        depth, height: (h, w) below the upper lid's edge, and above the lower one's.
    """

    patch: np.ndarray
    sclera: np.ndarray
    opening: np.ndarray
    iris: Iris
    distance: np.ndarray
    depth: np.ndarray
    height: np.ndarray


def lift_iris(eye: EyePatch, reach: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The iris of a photo before the sclera, what the lids hide of it made up.

    At its rim both shine through each other, since photos are soft: the layer is what the sclera does not explain.

    Args:
        eye: what is seen around it.
        reach: radius, in the iris's own, up to which something of it is seen.

    Returns:
        The iris, (h, w, 4) float32, colour and coverage, premultiplied; its highlight, (h, w, 3), the share of what
        a place lacks of white that it adds there; and the share of their brightness that the upper lid's shadow leaves
        irises at each place, (h, w, 1).
    """
    patch, sclera, opening, iris, distance, depth, height = eye
    radius = iris.radius
    clear = np.clip((np.minimum(depth, height) - _LASHES[0]) / (_LASHES[1] - _LASHES[0]), 0, 1)
    visible = (opening > 0.9) & (distance < reach + _END) & (clear == 1)
    wide = max(0.04, 0.75 / radius)
    typical = _typical(eye, visible, reach, wide)
    layer = patch - (1 - typical[..., 3:]) * sclera
    shadow = _shadow(layer, typical, (opening > 0.9) & (distance < 0.85), depth)[..., None]
    excess = layer - typical[..., :3] * shadow
    spots = _highlights(eye, excess, visible & (distance < 1 - _RIM / 2))
    if spots.any():
        # Once more without them: they may lie on most of a pupil.
        typical = _typical(eye, visible & (spots == 0), reach, wide)
        excess = patch - (1 - typical[..., 3:]) * sclera - typical[..., :3] * shadow
    spots = cv2.dilate(spots, np.ones((2 * max(1, round(_HALO * radius)) + 1,) * 2))
    glow = cv2.GaussianBlur(spots, (0, 0), max(0.6, _FEATHER * radius))[..., None]
    known = (np.clip((opening - 0.7) / 0.3, 0, 1) * clear)[..., None]
    # Not what it adds: on the pupil, which is darker than where it lay, that would be a milky grey.
    light = np.clip(excess / np.maximum(255 - patch + excess, _LEAST_LACK), 0, 1) * glow * known
    # The rim is drawn the same all around; lashes, reflections and skin stand out from the grain of the iris within it.
    inner = visible & (distance < _GRAIN[0])
    most = max(_LEAST_GRAIN, _OUTLIER * float(np.median(np.abs(excess[inner])))) if inner.any() else 0.0
    within = np.clip((_GRAIN[1] - distance) / (_GRAIN[1] - _GRAIN[0]), 0, 1)[..., None]
    grain = np.clip(excess, -most, most) * known * within * (1 - glow)
    grey = grain.mean(2, keepdims=True)
    tint = grey * (typical[..., :3] / np.maximum(typical[..., :3].mean(2, keepdims=True), 1) - 1)
    # No more colourful than it is seen: on a brown iris a pale glint would become orange.
    seen = np.linalg.norm(grain - grey, axis=2, keepdims=True)
    tint *= np.minimum(1, seen / np.maximum(np.linalg.norm(tint, axis=2, keepdims=True), 1e-3))
    grain = _OWN_HUE * grain + (1 - _OWN_HUE) * (grey + tint)
    layer = typical.copy()
    layer[..., :3] = np.clip(layer[..., :3] + grain, 0, 255 * layer[..., 3:])
    return layer.astype(np.float32), light.astype(np.float32), shadow


def _highlights(eye: EyePatch, excess: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Where light is mirrored, 1 and 0, float32: spots brighter than the iris, somewhere as bright as the sclera.

    Args:
        eye: what is seen around the iris.
        excess: (h, w, 3), colour beside that of the iris.
        where: (h, w) bool, where they may be.
    """
    distance, down = eye.distance, (eye.depth - eye.height) / 2
    bright, beside = excess.mean(2), eye.patch.mean(2) / np.maximum(eye.sclera.mean(2), 1)
    spread = float(np.std(bright[where])) if where.any() else 0.0
    spots = (bright > max(25.0, 1.5 * spread)) & where
    rim = distance > distance[where].max(initial=0.0) - 1 / eye.iris.radius
    count, labels = cv2.connectedComponents(spots.astype(np.uint8))
    most, middle = _LARGEST_LIGHT * (distance < 1).sum(), down.flat[distance.argmin()]
    shining = np.zeros(count, np.float32)
    for label in range(1, count):
        here = labels == label
        low = down[here].mean() > middle + _BELOW
        inside = here.sum() <= most and rim[here].mean() <= _ALONG_RIM
        shining[label] = inside and beside[here].max() > _SHINES[int(low)]
    return shining[labels]


def _shadow(layer: np.ndarray, typical: np.ndarray, visible: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """How much of its brightness the upper lid's shadow leaves an iris, (h, w) float32, by the depth below the lid."""
    ratio = layer[visible][:, :3].sum(1) / np.maximum(typical[visible][:, :3].sum(1), 1)
    depths = depth[visible]
    known, left = [], []
    for at in _SHADOW:
        there = ratio[np.abs(depths - at) < 0.06]
        if len(there) >= 3:
            known.append(at)
            left.append(min(1.0, max(_DARKEST, float(np.sort(there)[len(there) // 2]))))
    return np.interp(depth, [*known, 0.9], [*np.maximum.accumulate(left), 1.0]).astype(np.float32)


def _typical(eye: EyePatch, visible: np.ndarray, reach: float, wide: float) -> np.ndarray:
    """What an iris is like at each distance from its centre, premultiplied, and how much it covers there: (h, w, 4).

    Colours are medians of what is visible at that distance, or `wide` from it. From the ring on that stands out from
    the sclera most, the iris is of that ring's colour, and covers less and less: what the sclera does not explain.
    """
    order = np.argsort(eye.distance[visible], kind="stable")
    distance = eye.distance[visible][order]
    both = np.hstack([eye.patch[visible], eye.sclera[visible]])[order]
    radii, colours, scleras = [], [], []
    for radius in _RINGS[reach + _END > _RINGS]:
        first, last = np.searchsorted(distance, (radius - wide, radius + wide))
        if last - first >= 3:
            # Highlights are bright and lashes dark: the median passes both over, but on a pupil that is lit for most.
            ring = np.sort(both[first:last], axis=0)
            radii.append(radius)
            colours.append(ring[int(len(ring) * (_UNLIT if radius < _PUPIL else 0.5)), :3])
            scleras.append(ring[len(ring) // 2, 3:])
    if not radii or radii[0] > _SOLID[1]:
        inner = eye.distance <= max(0.9, float(eye.distance.min()))
        radii, colours, scleras = [0.0], [np.median(eye.patch[inner], axis=0)], [np.median(eye.sclera[inner], axis=0)]
    at, found = np.array(radii), _smooth(np.array(colours), eye.iris.radius)
    apart = np.array(scleras) - found
    solid = np.flatnonzero((at >= _SOLID[0]) & (at <= _SOLID[1]))
    rim = int(solid[np.argmax(apart[solid].sum(1))]) if len(solid) else int(np.flatnonzero(at <= _SOLID[1])[-1])
    away = eye.distance
    contrast = float(apart[rim] @ apart[rim])
    edge = None
    if contrast > _LEAST_CONTRAST:
        edge = find_edge((eye.sclera - eye.patch) @ apart[rim] / contrast, visible, eye.iris)
    if edge:
        share = edge.within(away)
    else:
        cover = _cover(at, apart, rim)
        share = np.interp(away, [*at, at[-1] + 0.1], [*cover, 0.0 if at[-1] > 1 else cover[-1]])
        if at[-1] <= 1:
            share = np.minimum(share, np.clip((1 + _RIM / 2 - away) / _RIM, 0, 1))
    found[rim:] = found[rim]
    share = share * np.clip((reach + _END - away) / _END, 0, 1)
    channels = [np.interp(away, at, found[:, channel]) * share for channel in range(3)]
    return np.dstack([*channels, share]).astype(np.float32)


def _cover(at: np.ndarray, apart: np.ndarray, rim: int) -> np.ndarray:
    """How much an iris covers at radii, (rings,): all up to the rim, then less and less.

    Args:
        at: (rings,) radii.
        apart: (rings, 3), how much brighter the sclera is than what is seen there.
        rim: of the rings.
    """
    contrast = float(apart[rim] @ apart[rim])
    seen = contrast > _LEAST_CONTRAST and at[-1] > 1
    cover = apart @ apart[rim] / contrast if seen else np.clip((1 + _RIM / 2 - at) / _RIM, 0, 1)
    cover[: rim + 1] = 1
    return np.asarray(np.minimum.accumulate(np.clip(cover, 0, 1)))


def _smooth(profile: np.ndarray, radius: float) -> np.ndarray:
    """A profile, (rings, 3), without ripples from ring to ring: noise would be drawn as circles.

    Each pass adds half a ring's square to the variance. Of irises of many pixels rings hold less noise.
    """
    for _ in range(int(np.clip(2 * (_RIPPLE / (_RING * radius)) ** 2, 1, _SMOOTHINGS))):
        padded = np.pad(profile, ((1, 1), (0, 0)), mode="edge")
        profile = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    return profile
