"""F, the appearance feature extractor: a picture becomes a volume of features, once per portrait."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS, DEPTH, SIDE = 32, 16, 64
"""The volume's channels, depth, and height and width."""


class ConvBlock(nn.Module):
    """Convolution, batch norm, ReLU; then, in the encoder, a halving by average pooling."""

    def __init__(self, inputs: int, outputs: int, halve: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm = nn.BatchNorm2d(outputs)
        self._halve = halve

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.conv(x)))
        return F.avg_pool2d(x, 2) if self._halve else x


class ResBlock3d(nn.Module):
    """A residual block with its norms before its convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv3d(channels, channels, 3, padding=1)
        self.norm1 = nn.BatchNorm3d(channels)
        self.norm2 = nn.BatchNorm3d(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(F.relu(self.norm1(x)))
        return x + self.conv2(F.relu(self.norm2(y)))


class AppearanceFeatureExtractor(nn.Module):
    """(B, 3, 256, 256) RGB in [0, 1] → (B, 32, 16, 64, 64)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ConvBlock(3, 64)
        self.down_blocks = nn.ModuleList([ConvBlock(64, 128, halve=True), ConvBlock(128, 256, halve=True)])
        self.second = nn.Conv2d(256, CHANNELS * DEPTH, 1)
        # The published keys name these blocks, so a plain list would not do.
        self.resblocks_3d = nn.Sequential()
        for index in range(6):
            self.resblocks_3d.add_module(f"3dr{index}", ResBlock3d(CHANNELS))

    def forward(self, picture: Tensor) -> Tensor:
        x = self.first(picture)
        for block in self.down_blocks:
            x = block(x)
        volume: Tensor = self.resblocks_3d(unfold_depth(self.second(x)))
        return volume


def unfold_depth(x: Tensor) -> Tensor:
    """(B, 512, H, W) → (B, 32, 16, H, W); a channel's number is volume channel * 16 + depth."""
    return x.unflatten(1, (CHANNELS, DEPTH))


def fold_depth(x: Tensor) -> Tensor:
    """(B, C, D, H, W) → (B, C * D, H, W), the inverse of `unfold_depth`."""
    return torch.flatten(x, 1, 2)
