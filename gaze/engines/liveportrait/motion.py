"""M, the motion extractor: a picture becomes head pose, expression and keypoints, once per portrait.

A ConvNeXt-V2 (Woo et al., 2023) of the size "tiny" with seven linear heads.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaze.engines.liveportrait.keypoints import KEYPOINTS, Motion, bins_to_degrees

_DEPTHS = (3, 3, 9, 3)
_WIDTHS = (96, 192, 384, 768)
_ANGLE_BINS = 66
_HEADS = {
    "kp": KEYPOINTS * 3,
    "scale": 1,
    "pitch": _ANGLE_BINS,
    "yaw": _ANGLE_BINS,
    "roll": _ANGLE_BINS,
    "t": 3,
    "exp": KEYPOINTS * 3,
}


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class GlobalResponseNorm(nn.Module):
    """Each channel weighed by its share of the response, on (B, H, W, C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1, 1, 1, channels))
        self.beta = nn.Parameter(torch.zeros(1, 1, 1, channels))

    def forward(self, x: Tensor) -> Tensor:
        response = torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True)
        share = response / (response.mean(-1, keepdim=True) + 1e-6)
        return self.gamma * (x * share) + self.beta + x


class Block(nn.Module):
    """A ConvNeXt-V2 block on (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.pwconv1 = nn.Linear(channels, 4 * channels)
        self.grn = GlobalResponseNorm(4 * channels)
        self.pwconv2 = nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.pwconv2(self.grn(F.gelu(self.pwconv1(y))))
        return x + y.permute(0, 3, 1, 2)


class Detector(nn.Module):
    """The network itself: a picture → the raw values of each head."""

    def __init__(self) -> None:
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, _WIDTHS[0], 4, stride=4), ChannelNorm(_WIDTHS[0]))
        halvings = [
            nn.Sequential(ChannelNorm(before), nn.Conv2d(before, after, 2, stride=2))
            for before, after in pairwise(_WIDTHS)
        ]
        self.downsample_layers = nn.ModuleList([stem, *halvings])
        self.stages = nn.ModuleList(
            nn.Sequential(*(Block(width) for _ in range(depth))) for depth, width in zip(_DEPTHS, _WIDTHS, strict=True)
        )
        self.norm = nn.LayerNorm(_WIDTHS[-1], eps=1e-6)
        for name, size in _HEADS.items():
            self.add_module(f"fc_{name}", nn.Linear(_WIDTHS[-1], size))

    def forward(self, picture: Tensor) -> dict[str, Tensor]:
        x = picture
        for halve, stage in zip(self.downsample_layers, self.stages, strict=True):
            x = stage(halve(x))
        x = self.norm(x.mean((2, 3)))
        return {name: self.get_submodule(f"fc_{name}")(x) for name in _HEADS}


class MotionExtractor(nn.Module):
    """(B, 3, 256, 256) RGB in [0, 1] → `Motion`."""

    def __init__(self) -> None:
        super().__init__()
        self.detector = Detector()

    def forward(self, picture: Tensor) -> Motion:
        heads = self.detector(picture)
        return Motion(
            kp=heads["kp"].unflatten(1, (KEYPOINTS, 3)),
            exp=heads["exp"].unflatten(1, (KEYPOINTS, 3)),
            t=heads["t"],
            scale=heads["scale"],
            pitch=bins_to_degrees(heads["pitch"]),
            yaw=bins_to_degrees(heads["yaw"]),
            roll=bins_to_degrees(heads["roll"]),
        )
