"""W, the warping module: moves the feature volume from the source's keypoints to the driving ones."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaze.engines.liveportrait.appearance import CHANNELS, DEPTH, SIDE, fold_depth
from gaze.engines.liveportrait.keypoints import KEYPOINTS

MOTIONS = KEYPOINTS + 1
"""One for each keypoint, and first the background, which stays."""
COMPRESSED = 4
HOURGLASS_INPUTS = MOTIONS * (1 + COMPRESSED)
HOURGLASS_OUTPUTS = 32 + HOURGLASS_INPUTS
_ENCODER = (HOURGLASS_INPUTS, 64, 128, 256, 512, 1024)
# Inputs and outputs of each decoder block; in between, the encoder's results are appended.
_DECODER = ((1024, 512), (1024, 256), (512, 128), (256, 64), (128, 32))
_HEAT_VARIANCE = 0.01
THIRD_SLOPE = 0.01
HALVE = (1, 2, 2)
"""Height and width are halved and doubled, depth is not."""


class Deformation(NamedTuple):
    """What the dense motion network finds.

    Attributes:
        grid: (B, 16, 64, 64, 3) float32, the position in the source volume that each place shows.
        occlusion: (B, 1, 64, 64), how much of each place can be seen.
    """

    grid: Tensor
    occlusion: Tensor


class ConvBlock3d(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(inputs, outputs, 3, padding=1)
        self.norm = nn.BatchNorm3d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


class DownBlock(ConvBlock3d):
    """`ConvBlock3d`, then a halving."""

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool3d(super().forward(x), HALVE)


class UpBlock(ConvBlock3d):
    """A doubling, then `ConvBlock3d`."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.interpolate(x, scale_factor=HALVE, mode="nearest"))


class HourglassEncoder(nn.Module):
    """Five halvings; gives its input and every result on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.down_blocks = nn.ModuleList(DownBlock(a, b) for a, b in pairwise(_ENCODER))

    def forward(self, x: Tensor) -> list[Tensor]:
        results = [x]
        for block in self.down_blocks:
            results.append(block(results[-1]))
        return results


class HourglassDecoder(nn.Module):
    """Five doublings, each followed by what the encoder had at that size."""

    def __init__(self) -> None:
        super().__init__()
        self.up_blocks = nn.ModuleList(UpBlock(a, b) for a, b in _DECODER)
        self.conv = nn.Conv3d(HOURGLASS_OUTPUTS, HOURGLASS_OUTPUTS, 3, padding=1)
        self.norm = nn.BatchNorm3d(HOURGLASS_OUTPUTS)

    def forward(self, results: list[Tensor]) -> Tensor:
        x = results[-1]
        for block, skip in zip(self.up_blocks, results[-2::-1], strict=True):
            x = torch.cat([block(x), skip], 1)
        return F.relu(self.norm(self.conv(x)))


class Hourglass(nn.Module):
    """(B, 110, 16, 64, 64) → (B, 142, 16, 64, 64)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = HourglassEncoder()
        self.decoder = HourglassDecoder()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.decoder(self.encoder(x))
        return y


class DenseMotionNetwork(nn.Module):
    """From sparse keypoints to a motion for every place of the volume."""

    def __init__(self) -> None:
        super().__init__()
        self.compress = nn.Conv3d(CHANNELS, COMPRESSED, 1)
        self.norm = nn.BatchNorm3d(COMPRESSED)
        self.hourglass = Hourglass()
        self.mask = nn.Conv3d(HOURGLASS_OUTPUTS, MOTIONS, 7, padding=3)
        self.occlusion = nn.Conv2d(HOURGLASS_OUTPUTS * DEPTH, 1, 7, padding=3)

    def forward(self, volume: Tensor, x_s: Tensor, x_d: Tensor) -> Deformation:
        compressed = F.relu(self.norm(self.compress(volume)))
        motions = sparse_motions(x_s, x_d)
        deformed = sample_each(compressed, motions)
        heat = heatmaps(x_d) - heatmaps(x_s)
        inputs = torch.cat([F.pad(heat, (0, 0, 0, 0, 0, 0, 1, 0))[:, :, None], deformed], 2).flatten(1, 2)
        prediction = self.hourglass(inputs)
        mask = self.mask(prediction).softmax(1)
        grid = (mask[..., None] * motions).sum(1)
        return Deformation(grid, torch.sigmoid(self.occlusion(fold_depth(prediction))))


class ThirdBlock(nn.Module):
    """Convolution, batch norm, leaky ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(CHANNELS * DEPTH, 256, 3, padding=1)
        self.norm = nn.BatchNorm2d(256)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.norm(self.conv(x)), THIRD_SLOPE)


class WarpingModule(nn.Module):
    """Volume (B, 32, 16, 64, 64), source and driving keypoints (B, 21, 3) → (B, 256, 64, 64). Section 5.3."""

    def __init__(self) -> None:
        super().__init__()
        self.dense_motion_network = DenseMotionNetwork()
        self.third = ThirdBlock()
        self.fourth = nn.Conv2d(256, 256, 1)

    def forward(self, volume: Tensor, x_s: Tensor, x_d: Tensor) -> Tensor:
        grid, occlusion = self.dense_motion_network(volume, x_s, x_d)
        return self.fourth(self.third(fold_depth(sample(volume, grid)))) * occlusion


def coordinates(device: torch.device) -> Tensor:
    """(16, 64, 64, 3) float32: x, y, z of every place of the volume; the outermost places lie at exactly -1 and 1."""
    axes = (torch.linspace(-1, 1, n, device=device) for n in (DEPTH, SIDE, SIDE))
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    return torch.stack([x, y, z], -1)


def sparse_motions(x_s: Tensor, x_d: Tensor) -> Tensor:
    """Keypoints (B, 21, 3) → (B, 22, 16, 64, 64, 3): where each place comes from if it moved with one keypoint."""
    shifts = F.pad(x_s - x_d, (0, 0, 1, 0))
    return coordinates(x_d.device) + shifts[:, :, None, None, None]


def heatmaps(keypoints: Tensor) -> Tensor:
    """(B, 21, 3) → (B, 21, 16, 64, 64) float32: a Gaussian around each keypoint.

    A product of one Gaussian for each axis, which is the same as one of the distance.
    """
    x, y, z = (
        torch.exp((torch.linspace(-1, 1, n, device=keypoints.device) - at[..., None]) ** 2 / (-2 * _HEAT_VARIANCE))
        for n, at in zip((SIDE, SIDE, DEPTH), keypoints.unbind(-1), strict=True)
    )
    return z[..., :, None, None] * y[..., None, :, None] * x[..., None, None, :]


def sample(volume: Tensor, grid: Tensor) -> Tensor:
    """The volume (B, C, D, H, W) at the positions of a grid (B, D, H, W, 3); 0 outside, the volume's dtype.

    `align_corners` is off although the coordinates are those of corners: the weights were trained that way.
    """
    at = F.grid_sample(volume.float(), grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return at.to(volume.dtype)


def sample_each(volume: Tensor, grids: Tensor) -> Tensor:
    """The volume (B, C, D, H, W) at each of K grids (B, K, D, H, W, 3) → (B, K, C, D, H, W)."""
    # One deep grid in place of K, so that the volume need not be repeated.
    return sample(volume, grids.flatten(1, 2)).unflatten(2, grids.shape[1:3]).transpose(1, 2)
