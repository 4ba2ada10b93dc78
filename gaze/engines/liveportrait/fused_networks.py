"""The two networks that run for every frame, with less arithmetic and the same results.

`warping` and `decoder` are written as they were published. What runs is made from them here, by exact
algebra: norms folded into convolutions, convolutions of enlarged maps done at the small size, what only depends on the
source done once. `benchmarks/liveportrait.py` says what each is worth.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaze.engines.liveportrait.appearance import DEPTH, SIDE, fold_depth
from gaze.engines.liveportrait.decoder import SLOPE, Spade, SpadeBlock, SpadeDecoder
from gaze.engines.liveportrait.fused_convolutions import (
    FlatConv,
    SlicedConv,
    UpsampledConv,
    fold_norm,
    is_channels_last,
    one_more,
    padded,
    plain,
    slices,
    stacked,
    through,
    unsliced,
    widened,
)
from gaze.engines.liveportrait.warping import (
    COMPRESSED,
    HOURGLASS_INPUTS,
    MOTIONS,
    THIRD_SLOPE,
    ConvBlock3d,
    WarpingModule,
    coordinates,
    heatmaps,
    sample,
    sample_each,
    sparse_motions,
)

_EPSILON = 1e-5
_COLOURS = 12
"""Outputs of the last convolution: three colours of 2 × 2 pixels."""


class WarpingSource(NamedTuple):
    """What the warping needs of the source, computed once; all contiguous.

    Attributes:
        volume: (1, 32, 16, 64, 64) float32.
        compressed: (1, 4, 16, 64, 64) float32.
        keypoints: (1, 21, 3) float32.
        heat: (1, 21, 16, 64, 64) float32.
    """

    volume: Tensor
    compressed: Tensor
    keypoints: Tensor
    heat: Tensor


class FusedWarping(nn.Module):
    """`WarpingModule` for many driving keypoints of one source.

    Convolutions run in the dtype and the memory layout of its weights.
    """

    def __init__(self, warping: WarpingModule) -> None:
        super().__init__()
        dense = warping.dense_motion_network
        encoder, decoder = dense.hourglass.encoder, dense.hourglass.decoder
        self.compress = fold_norm(dense.compress, dense.norm)
        self.down = nn.ModuleList(widened(_folded(block)) for block in encoder.down_blocks)
        self.up = nn.ModuleList(UpsampledConv(2, _folded(block)) for block in decoder.up_blocks)
        # The skip from the input ends with its padding, so what is padded stays at the end.
        self.last = widened(fold_norm(decoder.conv, decoder.norm))
        self.mask = SlicedConv(dense.mask)
        self.occlusion = FlatConv(dense.occlusion, DEPTH)
        self.third = fold_norm(warping.third.conv, warping.third.norm)
        self.fourth = plain(warping.fourth)

    def prepare(self, volume: Tensor, x_s: Tensor) -> WarpingSource:
        """The source's part: its volume (1, 32, 16, 64, 64) and keypoints (1, 21, 3)."""
        volume = volume.float().contiguous()
        compressed = F.relu(self.compress(volume.to(self.compress.weight.dtype)))
        return WarpingSource(volume, compressed.float().contiguous(), x_s, heatmaps(x_s))

    def forward(self, source: WarpingSource, x_d: Tensor) -> Tensor:
        """Driving keypoints (B, 21, 3) float32 → (B, 256, 64, 64)."""
        count = x_d.shape[0]
        prediction = self._hourglass(self._inputs(source, x_d))
        mask = self.mask(prediction).softmax(-1)
        # All motions are the identity and a shift, and the mask sums to one.
        shifts = F.pad(source.keypoints - x_d, (0, 0, 1, 0))
        grid = coordinates(x_d.device) + torch.einsum("bdhwk,bkc->bdhwc", mask, shifts)
        warped = fold_depth(sample(source.volume.expand(count, -1, -1, -1, -1), grid))
        occlusion = torch.sigmoid(self.occlusion(prediction))
        features = F.leaky_relu(self.third(_laid_out(warped, self.third.weight)), THIRD_SLOPE)
        return self.fourth(features) * occlusion.to(features.dtype)

    def _inputs(self, source: WarpingSource, x_d: Tensor) -> Tensor:
        """For each motion its heat and its sampled volume, then 0: (B, 112, 16, 64, 64), as convolutions read it."""
        motions = sparse_motions(source.keypoints, x_d)
        deformed = sample_each(source.compressed.expand(x_d.shape[0], -1, -1, -1, -1), motions)
        weight = self.last.weight
        shape = (x_d.shape[0], padded(HOURGLASS_INPUTS), DEPTH, SIDE, SIDE)
        layout = torch.channels_last_3d if is_channels_last(weight) else torch.contiguous_format
        inputs = torch.empty(shape, dtype=weight.dtype, device=x_d.device, memory_format=layout)
        by_motion = inputs[:, :HOURGLASS_INPUTS].unflatten(1, (MOTIONS, 1 + COMPRESSED))
        by_motion[:, 0, 0].zero_()  # The background has no heat.
        by_motion[:, 1:, 0] = heatmaps(x_d) - source.heat
        by_motion[:, :, 1:] = deformed
        inputs[:, HOURGLASS_INPUTS:].zero_()
        return inputs

    def _hourglass(self, x: Tensor) -> Tensor:
        results = [x]
        for conv in self.down:
            # As pictures, one for each depth: on a processor 3-D pooling knows no half precision.
            halved = F.avg_pool2d(slices(F.relu(conv(results[-1]))), 2)
            results.append(unsliced(halved, x.shape[2]))
        x = results.pop()
        for conv in self.up:
            x = torch.cat([*conv(x), results.pop()], 1)
        return F.relu(self.last(x))


class FusedDecoder(nn.Module):
    """`SpadeDecoder`. Convolutions run in the dtype and the memory layout of its weights."""

    def __init__(self, decoder: SpadeDecoder) -> None:
        super().__init__()
        self.fc = plain(decoder.fc)
        self.middle = nn.ModuleList(FusedBlock(block) for block in decoder.middle())
        self.up_0 = FusedUpBlock(decoder.up_0, 2)
        self.up_1 = FusedUpBlock(decoder.up_1, 4)
        self.conv_img = widened(_first(decoder.conv_img))

    def forward(self, features: Tensor) -> Tensor:
        """(B, 256, 64, 64) → (B, 3, 512, 512) in (0, 1)."""
        features = _laid_out(features, self.fc.weight)
        x = self.fc(features)
        for block in self.middle:
            x = block(x, features)
        x = self.up_1(self.up_0(x, features), features)
        colours = self.conv_img(F.leaky_relu(x, SLOPE))[:, :_COLOURS]
        return torch.sigmoid(F.pixel_shuffle(colours, 2))


class FusedBlock(nn.Module):
    """A SPADE block at the feature map's own size, with the identity as its shortcut."""

    def __init__(self, block: SpadeBlock) -> None:
        super().__init__()
        self.shared_0 = plain(_first(block.norm_0.mlp_shared))
        self.shared_1 = plain(_first(block.norm_1.mlp_shared))
        self.modulation_0 = modulation(block.norm_0)
        self.modulation_1 = modulation(block.norm_1)
        self.conv_0 = plain(block.conv_0)
        self.conv_1 = plain(block.conv_1)

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        y = self.conv_0(modulate(normed(x), self.modulation_0(F.relu(self.shared_0(features)))))
        return x + self.conv_1(modulate(normed(y), self.modulation_1(F.relu(self.shared_1(features)))))


class FusedUpBlock(nn.Module):
    """A doubling and a SPADE block whose shortcut has a convolution; `factor` of its size to the feature map's."""

    def __init__(self, block: SpadeBlock, factor: int) -> None:
        super().__init__()
        norms = (block.norm_0, block.norm_1, block.norm_s)
        self.shared = UpsampledConv(factor, *(_first(norm.mlp_shared) for norm in norms))
        self.modulation_0 = modulation(block.norm_0)
        self.modulation_1 = modulation(block.norm_1)
        self.conv_0 = plain(block.conv_0)
        self.conv_1 = plain(block.conv_1)
        self.conv_s = plain(block.conv_s)
        # Between the shortcut's norm and its convolution nothing bends, so its shift can pass the convolution ahead.
        self.gamma_s = one_more(plain(block.norm_s.mlp_gamma))
        self.beta_s = through(block.norm_s.mlp_beta, self.conv_s)

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        shared_0, shared_1, shared_s = self.shared(features)
        # Enlarging does not change means and variances.
        x = F.interpolate(normed(x), scale_factor=2, mode="nearest")
        y = self.conv_0(modulate(x, self.modulation_0(shared_0)))
        y = self.conv_1(modulate(normed(y), self.modulation_1(shared_1)))
        return y + self.conv_s(x * self.gamma_s(shared_s)) + self.beta_s(shared_s)


def normed(x: Tensor) -> Tensor:
    """Instance norm that keeps the memory layout (torch's own gives contiguous results). Sums are float32."""
    mean = x.mean((2, 3), keepdim=True, dtype=torch.float32)
    root = torch.linalg.vector_norm(x, dim=(2, 3), keepdim=True, dtype=torch.float32)
    variance = root.square() / x[0, 0].numel() - mean.square()
    scale = torch.rsqrt(variance.clamp(min=0) + _EPSILON)
    return torch.addcmul((-mean * scale).to(x.dtype), x, scale.to(x.dtype))


def modulation(norm: Spade) -> nn.Conv2d:
    """Scale, one added, and shift of a SPADE layer in one convolution."""
    return stacked(one_more(plain(norm.mlp_gamma)), norm.mlp_beta)


def modulate(x: Tensor, scale_and_shift: Tensor) -> Tensor:
    """What a SPADE layer does to a map already normed, and the leaky ReLU after it."""
    scale, shift = scale_and_shift.chunk(2, 1)
    return F.leaky_relu(torch.addcmul(shift, x, scale), SLOPE, inplace=True)


def _first(layers: nn.Sequential) -> nn.Conv2d:
    first = layers[0]
    assert isinstance(first, nn.Conv2d)
    return first


def _laid_out(x: Tensor, weight: Tensor) -> Tensor:
    """A map in the dtype and the memory layout of a convolution's weight."""
    layout = torch.channels_last if is_channels_last(weight) else torch.contiguous_format
    return x.to(weight.dtype, memory_format=layout)


def _folded(block: nn.Module) -> nn.Conv3d:
    assert isinstance(block, ConvBlock3d)
    return fold_norm(block.conv, block.norm)
