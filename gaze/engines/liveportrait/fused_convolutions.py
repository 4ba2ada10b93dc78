"""Convolutions made from other convolutions: the same results with less arithmetic, in shapes that GPUs are quick at.

Half precision on tensor cores wants channels in multiples of `UNIT` and innermost in memory ("channels last"). What is
made here has its channels padded, and keeps the layout that its input has.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaze.engines.liveportrait.decoder import SpectralConv2d

C = TypeVar("C", nn.Conv2d, nn.Conv3d)
M = TypeVar("M", bound=nn.Module)

UNIT = 8
"""Tensor cores take this many half-precision channels at a time; cuDNN pads, or leaves them aside, where it must."""


def padded(channels: int) -> int:
    """The next multiple of `UNIT`."""
    return -(-channels // UNIT) * UNIT


def to_channels_last(network: M) -> M:
    """Convolution weights in place with their channels innermost, whatever their number of dimensions.

    `Module.to(memory_format=...)` cannot do it: either format is refused by weights of the other rank.
    """
    for parameter in network.parameters():
        parameter.data = channels_last(parameter.data)
    return network


def channels_last(x: Tensor) -> Tensor:
    """A tensor with its channels innermost; those that are neither 4-D nor 5-D are left as they are."""
    if x.ndim not in _FORMATS:
        return x
    return x.contiguous(memory_format=_FORMATS[x.ndim])


def is_channels_last(x: Tensor) -> bool:
    """Whether the channels of a 4-D or 5-D tensor are innermost, and only so."""
    return x.is_contiguous(memory_format=_FORMATS[x.ndim]) and not x.is_contiguous()


_FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


def slices(x: Tensor) -> Tensor:
    """(B, C, D, H, W) → (B * D, C, H, W): every depth as a picture. A view where channels are innermost."""
    return x.transpose(1, 2).flatten(0, 1)


def unsliced(x: Tensor, depth: int) -> Tensor:
    """The inverse of `slices`: (B * D, C, H, W) → (B, C, D, H, W), always a view."""
    return x.unflatten(0, (-1, depth)).transpose(1, 2)


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


def widened(conv: C) -> C:
    """The same convolution with its inputs and outputs padded to multiples of `UNIT`.

    What the padded inputs hold does not matter as long as it is finite; the padded outputs are 0.
    """
    weight = _pad_channels(conv.weight, padded(conv.out_channels), padded(conv.in_channels))
    bias = None if conv.bias is None else F.pad(conv.bias, (0, padded(conv.out_channels) - conv.out_channels))
    return _conv_like(conv, weight, bias)


class UpsampledConv(nn.Module):
    """ReLU of 3×3 (or 3×3×3) convolutions of a map enlarged (nearest) in height and width, without enlarging it.

    Where several taps fall on the same pixel of the small map, their weights are added up. Rows (or columns) of the
    result that lie alike within an enlarged pixel are computed once. Of nine taps for each pixel of the result, four
    are left with factor 2, and 25/16 with factor 4.

    Args:
        factor: how often each row and column is repeated; 2 or more.
        convs: of the same input and with the same number of outputs; computed together.
    """

    def __init__(self, factor: int, *convs: nn.Conv2d | nn.Conv3d) -> None:
        super().__init__()
        self.factor, self.count = factor, len(convs)
        weight = torch.cat([conv.weight.detach() for conv in convs])
        self._conv: Any = F.conv2d if weight.ndim == 4 else F.conv3d
        self._padding = (0,) * 2 if weight.ndim == 4 else (1, 0, 0)  # Depth is not enlarged.
        biases = [conv.bias.detach() for conv in convs if conv.bias is not None]
        self.bias = nn.Parameter(torch.cat(biases), requires_grad=False)
        phases = _phases(factor)
        self._phases = [(down, across) for down in phases for across in phases]
        self.weights = nn.ParameterList(
            _tap_sums(_tap_sums(weight, down.taps, -2), across.taps, -1) for down, across in self._phases
        ).requires_grad_(False)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, C, …, H, W) → for each convolution (B, outputs, …, factor * H, factor * W)."""
        height, width = x.shape[-2:]
        shape = (x.shape[0], len(self.bias) // self.count, *x.shape[2:-2], height * self.factor, width * self.factor)
        layout = _FORMATS[x.ndim] if is_channels_last(x) else torch.contiguous_format
        results = tuple(
            torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=layout) for _ in range(self.count)
        )
        for (down, across), weight in zip(self._phases, self.weights, strict=True):
            part = F.relu(self._conv(F.pad(x, (*across.pad, *down.pad)), weight, self.bias, padding=self._padding))
            for result, own in zip(results, part.chunk(self.count, 1), strict=True):
                for row in down.at:
                    for col in across.at:
                        result[..., row :: self.factor, col :: self.factor] = own
        return results


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
    Inputs are padded as by `widened`.
    """

    def __init__(self, conv: nn.Conv3d) -> None:
        super().__init__()
        self.depth, self.outputs = conv.kernel_size[0], conv.out_channels
        weight = conv.weight.detach().movedim(2, 0).flatten(0, 1)
        weight = _pad_channels(weight, padded(len(weight)), padded(conv.in_channels))
        self.weight = nn.Parameter(weight.contiguous(), requires_grad=False)
        assert conv.bias is not None
        self.bias = nn.Parameter(conv.bias.detach().clone(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, D, H, W) → (B, D, H, W, outputs) float32: summed more finely than half precision can."""
        reach, deep = self.depth // 2, x.shape[2]
        parts = F.conv2d(slices(x), self.weight, padding=reach)[:, : self.depth * self.outputs]
        by_tap = parts.unflatten(0, (-1, deep)).unflatten(2, (self.depth, -1)).movedim(3, -1).unbind(2)
        total = by_tap[reach].float().contiguous() + self.bias.float()
        for tap, part in enumerate(by_tap):
            ahead = tap - reach  # This tap of a place reads the slice so many ahead of it.
            if ahead:
                total[:, max(-ahead, 0) : deep - max(ahead, 0)] += part[:, max(ahead, 0) : deep + min(ahead, 0)]
        return total


class FlatConv(nn.Module):
    """A 2-D convolution of a volume's channels and depths with one output, without laying depths out as channels.

    A product of each place with each tap, and their shifted sum: one output would leave a matrix unit idle.
    Channels of the volume are padded as by `widened`.
    """

    def __init__(self, conv: nn.Conv2d, depth: int) -> None:
        super().__init__()
        assert conv.out_channels == 1
        assert conv.bias is not None
        self.side = conv.kernel_size[0]
        # A channel's number is volume channel * depth + depth. The taps run the other way round in a shifted sum.
        weight = conv.weight.detach()[0].unflatten(0, (-1, depth)).flip(-1, -2).flatten(2).transpose(0, 1)
        channels, taps = weight.shape[1:]
        weight = F.pad(weight, (0, padded(taps) - taps, 0, padded(channels) - channels))
        self.weight = nn.Parameter(weight.contiguous(), requires_grad=False)
        self.bias = nn.Parameter(conv.bias.detach().clone(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, D, H, W) → (B, 1, H, W) float32."""
        size = x.shape[-2:]
        places = x.permute(0, 2, 3, 4, 1).flatten(2, 3)
        products = (places @ self.weight)[..., : self.side**2].sum(1, dtype=torch.float32)
        return F.fold(products.transpose(1, 2), size, self.side, padding=self.side // 2) + self.bias.float()


def _pad_channels(weight: Tensor, outputs: int, inputs: int) -> Tensor:
    pad = [0, 0] * (weight.ndim - 2)
    return F.pad(weight, (*pad, 0, inputs - weight.shape[1], 0, outputs - weight.shape[0]))


def _conv_like(conv: C, weight: Tensor, bias: Tensor | None) -> C:
    kind: Any = nn.Conv3d if isinstance(conv, nn.Conv3d) else nn.Conv2d
    made = kind(weight.shape[1], weight.shape[0], conv.kernel_size, padding=conv.padding, bias=bias is not None)
    made.weight = nn.Parameter(weight.detach().clone(), requires_grad=False)
    if bias is not None:
        made.bias = nn.Parameter(bias.detach().clone(), requires_grad=False)
    result: C = made
    return result
