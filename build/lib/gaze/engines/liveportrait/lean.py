"""The two networks that run for every frame, with less arithmetic and the same results.

`warping` and `decoder` are written to be held against the specification. What runs is made from them here, by exact
algebra: norms folded into convolutions, convolutions of enlarged maps done at the small size, what only depends on the
source done once. `benchmarks/liveportrait.py` says what each is worth.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaze.engines.liveportrait.algebra import (
    SlicedConv,
    UpsampledConv,
    fold_norm,
    one_more,
    plain,
    stacked,
    through,
)
from gaze.engines.liveportrait.appearance import fold_depth
from gaze.engines.liveportrait.decoder import SLOPE, Spade, SpadeBlock, SpadeDecoder
from gaze.engines.liveportrait.warping import (
    HALVE,
    THIRD_SLOPE,
    ConvBlock3d,
    WarpingModule,
    coordinates,
    heatmaps,
    sample,
    sample_each,
    sparse_motions,
)


class WarpSource(NamedTuple):
    """What the warping needs of the source, computed once.

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


class LeanWarping(nn.Module):
    """`WarpingModule` for many driving keypoints of one source. Convolutions run in the dtype it is cast to."""

    def __init__(self, warping: WarpingModule) -> None:
        super().__init__()
        dense = warping.dense_motion_network
        encoder, decoder = dense.hourglass.encoder, dense.hourglass.decoder
        self.compress = fold_norm(dense.compress, dense.norm)
        self.down = nn.ModuleList(_folded(block) for block in encoder.down_blocks)
        self.up = nn.ModuleList(_folded(block) for block in decoder.up_blocks)
        self.last = fold_norm(decoder.conv, decoder.norm)
        self.mask = SlicedConv(dense.mask)
        self.occlusion = plain(dense.occlusion)
        self.third = fold_norm(warping.third.conv, warping.third.norm)
        self.fourth = plain(warping.fourth)

    def prepare(self, volume: Tensor, x_s: Tensor) -> WarpSource:
        """The source's part: its volume (1, 32, 16, 64, 64) and keypoints (1, 21, 3)."""
        volume = volume.float()
        compressed = F.relu(self.compress(volume.to(self.compress.weight.dtype)))
        return WarpSource(volume, compressed.float(), x_s, heatmaps(x_s))

    def forward(self, source: WarpSource, x_d: Tensor) -> Tensor:
        """Driving keypoints (B, 21, 3) float32 → (B, 256, 64, 64)."""
        count, dtype = len(x_d), self.fourth.weight.dtype
        motions = sparse_motions(source.keypoints, x_d)
        deformed = sample_each(source.compressed.expand(count, -1, -1, -1, -1), motions)
        heat = F.pad(heatmaps(x_d) - source.heat, (0, 0, 0, 0, 0, 0, 1, 0))
        prediction = self._hourglass(torch.cat([heat[:, :, None], deformed], 2).flatten(1, 2).to(dtype))
        mask = self.mask(prediction).float().softmax(1)
        # All motions are the identity and a shift, and the mask sums to one.
        shifts = F.pad(source.keypoints - x_d, (0, 0, 1, 0))
        grid = coordinates(x_d.device) + torch.einsum("bkdhw,bkc->bdhwc", mask, shifts)
        warped = fold_depth(sample(source.volume.expand(count, -1, -1, -1, -1), grid)).to(dtype)
        occlusion = torch.sigmoid(self.occlusion(fold_depth(prediction)))
        return self.fourth(F.leaky_relu(self.third(warped), THIRD_SLOPE)) * occlusion

    def _hourglass(self, x: Tensor) -> Tensor:
        results = [x]
        for conv in self.down:
            results.append(_halved(F.relu(conv(results[-1]))))
        x = results.pop()
        for conv in self.up:
            enlarged = F.interpolate(x, scale_factor=HALVE, mode="nearest")
            x = torch.cat([F.relu(conv(enlarged)), results.pop()], 1)
        return F.relu(self.last(x))


class LeanDecoder(nn.Module):
    """`SpadeDecoder`. Convolutions run in the dtype it is cast to."""

    def __init__(self, decoder: SpadeDecoder) -> None:
        super().__init__()
        self.fc = plain(decoder.fc)
        self.middle = nn.ModuleList(LeanBlock(block) for block in decoder.middle())
        self.up_0 = LeanUpBlock(decoder.up_0, 2)
        self.up_1 = LeanUpBlock(decoder.up_1, 4)
        self.conv_img = plain(_first(decoder.conv_img))

    def forward(self, features: Tensor) -> Tensor:
        """(B, 256, 64, 64) → (B, 3, 512, 512) in (0, 1)."""
        x = self.fc(features)
        for block in self.middle:
            x = block(x, features)
        x = self.up_1(self.up_0(x, features), features)
        return torch.sigmoid(F.pixel_shuffle(self.conv_img(F.leaky_relu(x, SLOPE)), 2))


class LeanBlock(nn.Module):
    """A SPADE block at the feature map's own size, with the identity as its shortcut."""

    def __init__(self, block: SpadeBlock) -> None:
        super().__init__()
        self.shared = stacked(_first(block.norm_0.mlp_shared), _first(block.norm_1.mlp_shared))
        self.modulation_0 = modulation(block.norm_0)
        self.modulation_1 = modulation(block.norm_1)
        self.conv_0 = plain(block.conv_0)
        self.conv_1 = plain(block.conv_1)

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        shared_0, shared_1 = F.relu(self.shared(features)).chunk(2, 1)
        y = self.conv_0(F.leaky_relu(modulate(F.instance_norm(x), self.modulation_0(shared_0)), SLOPE))
        y = self.conv_1(F.leaky_relu(modulate(F.instance_norm(y), self.modulation_1(shared_1)), SLOPE))
        return x + y


class LeanUpBlock(nn.Module):
    """A doubling and a SPADE block whose shortcut has a convolution; `factor` of its size to the feature map's."""

    def __init__(self, block: SpadeBlock, factor: int) -> None:
        super().__init__()
        norms = (block.norm_0, block.norm_1, block.norm_s)
        self.shared = UpsampledConv(stacked(*(_first(norm.mlp_shared) for norm in norms)), factor)
        self.modulation_0 = modulation(block.norm_0)
        self.modulation_1 = modulation(block.norm_1)
        self.conv_0 = plain(block.conv_0)
        self.conv_1 = plain(block.conv_1)
        self.conv_s = plain(block.conv_s)
        # Between the shortcut's norm and its convolution nothing bends, so its shift can pass the convolution ahead.
        self.gamma_s = one_more(plain(block.norm_s.mlp_gamma))
        self.beta_s = through(block.norm_s.mlp_beta, self.conv_s)

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        shared_0, shared_1, shared_s = F.relu(self.shared(features)).chunk(3, 1)
        # Enlarging does not change means and variances.
        normed = F.interpolate(F.instance_norm(x), scale_factor=2, mode="nearest")
        y = self.conv_0(F.leaky_relu(modulate(normed, self.modulation_0(shared_0)), SLOPE))
        y = self.conv_1(F.leaky_relu(modulate(F.instance_norm(y), self.modulation_1(shared_1)), SLOPE))
        return y + self.conv_s(normed * self.gamma_s(shared_s)) + self.beta_s(shared_s)


def modulation(norm: Spade) -> nn.Conv2d:
    """Scale, one added, and shift of a SPADE layer in one convolution."""
    return stacked(one_more(plain(norm.mlp_gamma)), norm.mlp_beta)


def modulate(normed: Tensor, scale_and_shift: Tensor) -> Tensor:
    """What a SPADE layer does to a map already normed."""
    scale, shift = scale_and_shift.chunk(2, 1)
    return torch.addcmul(shift, normed, scale)


def _first(layers: nn.Sequential) -> nn.Conv2d:
    first = layers[0]
    assert isinstance(first, nn.Conv2d)
    return first


def _halved(x: Tensor) -> Tensor:
    # As pictures, one for each depth: on a processor 3-D pooling knows no half precision.
    slices = F.avg_pool2d(x.transpose(1, 2).flatten(0, 1), 2)
    return slices.unflatten(0, (-1, x.shape[2])).transpose(1, 2)


def _folded(block: nn.Module) -> nn.Conv3d:
    assert isinstance(block, ConvBlock3d)
    return fold_norm(block.conv, block.norm)
