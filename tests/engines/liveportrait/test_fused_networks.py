"""The fused networks give what the networks they are made from give, in either memory layout."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gaze.engines.liveportrait import keypoints
from gaze.engines.liveportrait.decoder import SpadeDecoder, SpectralConv2d
from gaze.engines.liveportrait.fused_convolutions import (
    FlatConv,
    SlicedConv,
    UpsampledConv,
    channels_last,
    fold_norm,
    is_channels_last,
    plain,
    through,
    to_channels_last,
    widened,
)
from gaze.engines.liveportrait.fused_networks import FusedDecoder, FusedWarping, normed
from gaze.engines.liveportrait.warping import WarpingModule
from tests.engines.liveportrait import rule

CLOSE = 1e-4
"""Of a tensor's spread: the same sums in another order."""


@pytest.fixture(scope="session")
def fused_warping(warping: WarpingModule) -> FusedWarping:
    """With channels innermost; the other layout is held against the reference in test_renderer."""
    return to_channels_last(FusedWarping(warping).eval())


@pytest.fixture(scope="session")
def fused_decoder(decoder: SpadeDecoder) -> FusedDecoder:
    return to_channels_last(FusedDecoder(decoder).eval())


class LayoutChanges(TorchDispatchMode):
    """Lists the shapes of maps made from one of another layout: with channels innermost, or not. Views move nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, ...]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        read = [x for x in tree_leaves(args) if is_map(x)]
        for made in filter(is_map, tree_leaves(result)):
            is_copy = func is torch.ops.aten.copy_.default
            sources = read[1:] if is_copy else read
            is_view = any(x.untyped_storage().data_ptr() == made.untyped_storage().data_ptr() for x in sources)
            if not is_view and any(innermost(x) != innermost(made) for x in sources):
                self.found.append(tuple(made.shape))
        return result


def is_map(x: object) -> bool:
    """Whether it is what a convolution reads or writes: with channels and places."""
    return isinstance(x, Tensor) and x.ndim in (4, 5) and x.shape[1] > 3 and x[0, 0].numel() >= 64


def innermost(x: Tensor) -> bool:
    """Whether channels lie side by side."""
    return x.stride(1) == 1


def deviation(found: Tensor, expected: Tensor) -> float:
    assert found.shape == expected.shape
    return float((found - expected).abs().max() / expected.std())


def scene(batch: int) -> tuple[Tensor, Tensor, Tensor]:
    """A source's volume and keypoints, and driving keypoints."""
    volume = rule.blocky((1, 32, 16, 64, 64), 8, "lean")
    x_s = keypoints.source_keypoints(rule.motion("lean"))
    return volume, x_s, x_s + 0.05 * torch.from_numpy(rule.normals((batch, 21, 3), "lean-shift")).float()


def test_warping_of_a_batch_is_that_of_each(warping: WarpingModule, fused_warping: FusedWarping) -> None:
    volume, x_s, x_d = scene(2)
    source = fused_warping.prepare(volume, x_s)
    with LayoutChanges() as changes:
        together = fused_warping(source, x_d)
    # The volume that was sampled becomes what the rest of the networks reads; nothing else is laid out anew.
    assert changes.found == [(2, 512, 64, 64)]
    # The first of a batch would be right if all were taken for the first.
    assert deviation(together[1:], warping(volume, x_s, x_d[1:])) < CLOSE


def test_decoding_of_a_batch_is_that_of_each(decoder: SpadeDecoder, fused_decoder: FusedDecoder) -> None:
    features = rule.blocky((2, 256, 16, 16), 16, "lean-features")
    ready = channels_last(features)
    with LayoutChanges() as changes:
        together = fused_decoder(ready)
    assert changes.found == []
    assert deviation(together[1:], decoder(features[1:])) < CLOSE


def test_decoding_in_the_other_layout(decoder: SpadeDecoder, fused_decoder: FusedDecoder) -> None:
    features = rule.blocky((1, 256, 16, 16), 16, "lean-features")
    plainly = FusedDecoder(decoder).eval()
    with LayoutChanges() as changes:
        found = plainly(features)
    assert changes.found == []
    assert deviation(found, fused_decoder(features)) < CLOSE


def test_weights_of_any_rank_become_channels_last(fused_warping: FusedWarping, fused_decoder: FusedDecoder) -> None:
    kernels = [weight for weight in [*fused_warping.parameters(), *fused_decoder.parameters()] if weight.ndim in (4, 5)]
    assert {weight.ndim for weight in kernels} == {4, 5}
    for weight in kernels:
        assert weight.movedim(1, -1).is_contiguous()


def test_channels_of_every_frame_fill_the_matrix_units(
    fused_warping: FusedWarping, fused_decoder: FusedDecoder
) -> None:
    seen: dict[tuple[int, ...], int] = {}
    for name, weight in [*fused_warping.named_parameters(), *fused_decoder.named_parameters()]:
        if weight.ndim in (4, 5) and name != "compress.weight":
            outputs, inputs, *_ = weight.shape
            assert (outputs % 8, inputs % 8) == (0, 0), name
            seen[outputs, inputs] = 1
    assert {(64, 112), (144, 144), (160, 144), (16, 64)} <= set(seen)


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("innermost", [False, True])
@pytest.mark.parametrize("deep", [False, True])
def test_an_upsampled_convolution_needs_no_enlarged_map(factor: int, innermost: bool, deep: bool) -> None:
    convs = [(nn.Conv3d if deep else nn.Conv2d)(6, 5, 3, padding=1) for _ in range(3)]
    x = torch.randn(2, 6, 3, 7, 9) if deep else torch.randn(2, 6, 7, 9)
    x = channels_last(x) if innermost else x
    enlarged = F.interpolate(x, scale_factor=(1, factor, factor) if deep else factor, mode="nearest")
    found = UpsampledConv(factor, *convs)(x)
    assert len(found) == 3
    for conv, result in zip(convs, found, strict=True):
        torch.testing.assert_close(result, F.relu(conv(enlarged)), atol=1e-5, rtol=1e-5)
        assert is_channels_last(result) == innermost


@pytest.mark.parametrize("innermost", [False, True])
def test_a_convolution_by_slices_is_the_convolution_in_depth(innermost: bool) -> None:
    conv = nn.Conv3d(6, 3, 7, padding=3)
    x = torch.randn(2, 6, 9, 8, 10)
    wide = F.pad(x, (0, 0, 0, 0, 0, 0, 0, 2), value=7.0)  # What the padding holds does not matter.
    found = SlicedConv(conv)(channels_last(wide) if innermost else wide)
    torch.testing.assert_close(found.movedim(-1, 1), conv(x), atol=1e-5, rtol=1e-5)


def test_a_convolution_with_one_output_is_a_product_and_a_shifted_sum() -> None:
    conv = nn.Conv2d(6 * 4, 1, 7, padding=3)
    x = torch.randn(2, 6, 4, 8, 10)
    wide = F.pad(x, (0, 0, 0, 0, 0, 0, 0, 2), value=7.0)
    torch.testing.assert_close(FlatConv(conv, 4)(channels_last(wide)), conv(x.flatten(1, 2)), atol=1e-5, rtol=1e-5)


def test_a_widened_convolution_is_the_same_and_zeros() -> None:
    conv = nn.Conv3d(6, 5, 3, padding=1)
    x = torch.randn(2, 6, 3, 4, 4)
    found = widened(conv)(F.pad(x, (0, 0, 0, 0, 0, 0, 0, 2), value=7.0))
    assert found.shape[1] == 8
    torch.testing.assert_close(found[:, :5], conv(x), atol=1e-5, rtol=1e-5)
    assert not found[:, 5:].any()


@pytest.mark.parametrize("innermost", [False, True])
def test_instance_norm_keeps_the_layout(innermost: bool) -> None:
    x = 3 + 2 * torch.randn(2, 5, 16, 16)
    x = channels_last(x) if innermost else x
    found = normed(x)
    torch.testing.assert_close(found, F.instance_norm(x), atol=1e-5, rtol=1e-5)
    assert is_channels_last(found) == innermost
    # Half precision whose squares would not fit into it.
    large = (x * 1000).half()
    torch.testing.assert_close(normed(large).float(), F.instance_norm(large.float()), atol=5e-3, rtol=0)


def test_norms_and_pointwise_convolutions_fold() -> None:
    norm = nn.BatchNorm2d(5).eval()
    for name in ("weight", "bias", "running_mean"):
        getattr(norm, name).copy_(torch.randn(5))
    assert norm.running_var is not None
    norm.running_var.copy_(torch.rand(5) + 0.5)
    conv, x = nn.Conv2d(4, 5, 3, padding=1), torch.randn(2, 4, 6, 6)
    torch.testing.assert_close(fold_norm(conv, norm)(x), norm(conv(x)), atol=1e-5, rtol=1e-5)
    after = SpectralConv2d(5, 3, 1, bias=False)
    after.weight_u.copy_(torch.randn(3))
    after.weight_v.copy_(torch.randn(5))
    folded = through(conv, plain(after))
    torch.testing.assert_close(folded(x), after(conv(x)), atol=1e-5, rtol=1e-5)
