"""Convolutions made from other convolutions: the same results with less arithmetic."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaze.engines.liveportrait.decoder import SpectralConv2d

C = TypeVar("C", nn.Conv2d, nn.Conv3d)


def plain(conv: C) -> C:
    """A copy that holds its weight itself, spectral norm applied."""
    weight = conv.normalised() if isinstance(conv, SpectralConv2d) else conv.weight
    return _conv_like(conv, weight, conv.bias)


def fold_norm(conv: C, norm: nn.Module) -> C:
    """A convolution and the batch norm after it as one convolution."""
    assert isinstance(norm, nn.BatchNorm2d | nn.BatchNorm3d)
    assert norm.running_var is not None
    assert norm.running_mean is not None
    assert conv.bias is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight = conv.weight * scale.reshape(-1, *[1] * (conv.weight.ndim - 1))
    return _conv_like(conv, weight, (conv.bias - norm.running_mean) * scale + norm.bias)


def stacked(*convs: nn.Conv2d) -> nn.Conv2d:
    """Convolutions of the same input as one, their outputs one after the other."""
    biases = [conv.bias for conv in convs if conv.bias is not None]
    return _conv_like(convs[0], torch.cat([conv.weight for conv in convs]), torch.cat(biases))


def through(conv: nn.Conv2d, pointwise: nn.Conv2d) -> nn.Conv2d:
    """A convolution and a 1×1 one without bias after it as one convolution."""
    assert conv.bias is not None
    after = pointwise.weight.flatten(1)
    return _conv_like(conv, torch.einsum("om,mihw->oihw", after, conv.weight), after @ conv.bias)


def one_more(conv: nn.Conv2d) -> nn.Conv2d:
    """The same convolution, and one added to its results."""
    assert conv.bias is not None
    return _conv_like(conv, conv.weight, conv.bias + 1)


class UpsampledConv(nn.Module):
    """A 3×3 convolution of a map enlarged by `factor` (nearest), without enlarging it.

    Where several taps fall on the same place their weights are added up, and rows (or columns) of the result that lie
    alike within an enlarged place are computed once. Of nine taps for each pixel of the result, four are left with
    factor 2, and 25/16 with factor 4.
    """

    def __init__(self, conv: nn.Conv2d, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.bias = conv.bias
        phases = _phases(factor)
        self._phases = [(down, across) for down in phases for across in phases]
        self.weights = nn.ParameterList(
            _tap_sums(_tap_sums(conv.weight.detach(), down.taps, -2), across.taps, -1) for down, across in self._phases
        ).requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, outputs, factor * H, factor * W)."""
        height, width = x.shape[-2:]
        result = x.new_empty(len(x), len(self.weights[0]), height * self.factor, width * self.factor)
        if x.is_contiguous(memory_format=torch.channels_last):
            result = result.contiguous(memory_format=torch.channels_last)
        for (down, across), weight in zip(self._phases, self.weights, strict=True):
            part = F.conv2d(F.pad(x, (*across.pad, *down.pad)), weight, self.bias)
            for row in down.at:
                for col in across.at:
                    result[..., row :: self.factor, col :: self.factor] = part
        return result


class _Phase(NamedTuple):
    """Rows (or columns) that lie alike within an enlarged place: which, the padding, and which taps fall together."""

    at: range
    pad: tuple[int, int]
    taps: tuple[tuple[int, ...], ...]


def _phases(factor: int) -> list[_Phase]:
    first = _Phase(range(1), (1, 0), ((0,), (1, 2)))
    middle = _Phase(range(1, factor - 1), (0, 0), ((0, 1, 2),))
    last = _Phase(range(factor - 1, factor), (0, 1), ((0, 1), (2,)))
    return [first, middle, last] if factor > 2 else [first, last]


def _tap_sums(weight: Tensor, taps: tuple[tuple[int, ...], ...], dim: int) -> Tensor:
    return torch.stack([weight.movedim(dim, 0)[list(group)].sum(0) for group in taps]).movedim(0, dim)


class SlicedConv(nn.Module):
    """A 3-D convolution with few outputs as a 2-D one of every slice, whose results are shifted in depth and added.

    The same sums; but the 2-D convolution has as many more outputs as the kernel is deep, and keeps a processor busy.
    """

    def __init__(self, conv: nn.Conv3d) -> None:
        super().__init__()
        self.depth = conv.kernel_size[0]
        self.weight = nn.Parameter(conv.weight.detach().movedim(2, 0).flatten(0, 1).contiguous(), requires_grad=False)
        assert conv.bias is not None
        self.bias = nn.Parameter(conv.bias.detach().clone(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, D, H, W) → (B, outputs, D, H, W)."""
        reach, slices = self.depth // 2, x.shape[2]
        parts = F.conv2d(x.transpose(1, 2).flatten(0, 1), self.weight, padding=reach)
        parts = parts.unflatten(0, (-1, slices)).unflatten(2, (self.depth, -1))
        parts = F.pad(parts, (0, 0, 0, 0, 0, 0, 0, 0, reach, reach))
        total = sum(parts[:, tap : tap + slices, tap] for tap in range(self.depth))
        return (total + self.bias[:, None, None]).transpose(1, 2)


def _conv_like(conv: C, weight: Tensor, bias: Tensor | None) -> C:
    kind: Any = nn.Conv3d if isinstance(conv, nn.Conv3d) else nn.Conv2d
    made = kind(weight.shape[1], weight.shape[0], conv.kernel_size, padding=conv.padding, bias=bias is not None)
    made.weight = nn.Parameter(weight.detach().clone(), requires_grad=False)
    if bias is not None:
        made.bias = nn.Parameter(bias.detach().clone(), requires_grad=False)
    result: C = made
    return result
