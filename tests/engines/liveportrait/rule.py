"""Weights and inputs made by a rule, so that the networks can be held against reference numbers.

The rule is that of the reference data (tests/data/README.md): every tensor is drawn from a stream seeded by its name,
and scaled so that values neither vanish nor explode on their way through the networks. Shared with the benchmarks.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Mapping
from fnmatch import fnmatchcase

import numpy as np
import torch

from gaze.engines.liveportrait.keypoints import KEYPOINTS, Motion

SALT = "liveportrait-golden-1"

_GAIN = 1.4
_GAINS = {
    "appearance_feature_extractor:resblocks_3d.*.conv2.weight": 0.6,
    "motion_extractor:detector.fc_kp.weight": 0.25,
    "motion_extractor:detector.fc_exp.weight": 0.03,
    "motion_extractor:detector.fc_t.weight": 0.05,
    "motion_extractor:detector.fc_scale.weight": 0.05,
    "motion_extractor:detector.fc_pitch.weight": 2.5,
    "motion_extractor:detector.fc_yaw.weight": 2.5,
    "motion_extractor:detector.fc_roll.weight": 2.5,
    "warping_module:dense_motion_network.mask.weight": 2.2,
    "spade_generator:*.mlp_gamma.weight": 0.5,
    "spade_generator:*.mlp_beta.weight": 0.7,
    "spade_generator:conv_img.0.weight": 0.8,
    "retarget_shoulder:mlp.6.weight": 0.10,
    "retarget_mouth:mlp.6.weight": 0.10,
    "retarget_eye:mlp.10.weight": 0.10,
}
_SCALE_BIAS = ("motion_extractor", "detector.fc_scale.bias", 1.25)
_POWER_ITERATIONS = 3


def _stream(*name: str) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32("|".join((SALT, *name)).encode()))


def normals(shape: tuple[int, ...], *name: str) -> np.ndarray:
    """Standard normals in float64, from the stream of that name."""
    return _stream(*name).standard_normal(shape)


def state_dict(part: str, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """A whole state dict by the rule; `part` is the name that the reference data give it."""
    return {key: torch.from_numpy(np.asarray(_tensor(part, key, shapes))) for key in shapes}


def _matrix(part: str, key: str, shape: tuple[int, ...]) -> np.ndarray:
    gain = next((gain for pattern, gain in _GAINS.items() if fnmatchcase(f"{part}:{key}", pattern)), _GAIN)
    return normals(shape, part, key) * (gain / np.sqrt(np.prod(shape[1:])))


def _tensor(part: str, key: str, shapes: Mapping[str, tuple[int, ...]]) -> np.ndarray:
    shape = tuple(shapes[key])
    stem, _, leaf = key.rpartition(".")
    if leaf == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if leaf in ("weight_u", "weight_v"):
        return _spectral_vectors(part, stem, tuple(shapes[f"{stem}.weight_orig"]))[leaf].astype(np.float32)
    if len(shape) > 1 and leaf in ("weight", "weight_orig"):
        return _matrix(part, key, shape).astype(np.float32)
    n = normals(shape, part, key)
    value = {
        "weight": lambda: 1 + 0.1 * n,
        "bias": lambda: 0.05 * n + (_SCALE_BIAS[2] if (part, key) == _SCALE_BIAS[:2] else 0),
        "gamma": lambda: 0.2 * n,
        "beta": lambda: 0.2 * n,
        "running_mean": lambda: 0.1 * n,
        "running_var": lambda: 1 + 0.2 * np.abs(n),
    }[leaf]()
    return value.astype(np.float32)


@functools.cache
def _spectral_vectors(part: str, stem: str, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    matrix = _matrix(part, f"{stem}.weight_orig", shape).reshape(shape[0], -1)
    u = normals((shape[0],), part, f"{stem}.weight_u")
    u /= np.linalg.norm(u)
    for _ in range(_POWER_ITERATIONS):
        v = matrix.T @ u
        v /= np.linalg.norm(v)
        u = matrix @ v
        u /= np.linalg.norm(u)
    return {"weight_u": u, "weight_v": v}


def picture(name: str, size: int = 256, cells: int = 16) -> np.ndarray:
    """(size, size, 3) uint8: coloured blocks under a slanted wave."""
    blocks = _stream("image", name).random_sample((cells, cells, 3)).repeat(size // cells, 0).repeat(size // cells, 1)
    y, x, channel = np.meshgrid(np.arange(size), np.arange(size), np.arange(3), indexing="ij")
    wave = 0.5 + 0.5 * np.sin((3.0 * x + 5.0 * y) / 17.0 + 2.0 * channel)
    return np.floor(255 * (0.6 * blocks + 0.4 * wave) + 0.5).clip(0, 255).astype(np.uint8)


def blocky(shape: tuple[int, ...], coarse: int, name: str) -> torch.Tensor:
    """float32 (..., H, W): coarse random blocks with finer noise on top."""
    low = normals((*shape[:-2], coarse, coarse), "coarse", name)
    blocks = low.repeat(shape[-2] // coarse, -2).repeat(shape[-1] // coarse, -1)
    return torch.from_numpy((blocks + 0.25 * normals(shape, "fine", name)).astype(np.float32))


def motion(name: str, batch: int = 1) -> Motion:
    """A plausible result of the motion extractor."""

    def draw(part: str, spread: float, *shape: int, middle: float = 0.0) -> torch.Tensor:
        values = middle + spread * normals((batch, *shape), "motion", name, part)
        return torch.from_numpy(values.astype(np.float32))

    return Motion(
        kp=draw("kp", 0.30, KEYPOINTS, 3),
        exp=draw("exp", 0.03, KEYPOINTS, 3),
        t=draw("t", 0.05, 3),
        scale=draw("scale", 0.05, 1, middle=1.25),
        pitch=draw("pitch", 10.0, 1),
        yaw=draw("yaw", 12.0, 1),
        roll=draw("roll", 6.0, 1),
    )
