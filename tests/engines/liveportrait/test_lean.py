"""The lean networks give what the networks they are made from give."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaze.engines.liveportrait import algebra, keypoints
from gaze.engines.liveportrait.decoder import SpadeDecoder, SpectralConv2d
from gaze.engines.liveportrait.lean import LeanDecoder, LeanWarping
from gaze.engines.liveportrait.warping import WarpingModule
from tests.engines.liveportrait import rule

CLOSE = 1e-4
"""Of a tensor's spread: the same sums in another order."""


@pytest.fixture(scope="session")
def lean_warping(warping: WarpingModule) -> LeanWarping:
    return LeanWarping(warping).eval()


@pytest.fixture(scope="session")
def lean_decoder(decoder: SpadeDecoder) -> LeanDecoder:
    return LeanDecoder(decoder).eval()


def deviation(found: Tensor, expected: Tensor) -> float:
    assert found.shape == expected.shape
    return float((found - expected).abs().max() / expected.std())


def scene(batch: int) -> tuple[Tensor, Tensor, Tensor]:
    """A source's volume and keypoints, and driving keypoints."""
    volume = rule.blocky((1, 32, 16, 64, 64), 8, "lean")
    x_s = keypoints.source_keypoints(rule.motion("lean"))
    return volume, x_s, x_s + 0.05 * torch.from_numpy(rule.normals((batch, 21, 3), "lean-shift")).float()


def test_warping_of_a_batch_is_that_of_each(warping: WarpingModule, lean_warping: LeanWarping) -> None:
    volume, x_s, x_d = scene(2)
    together = lean_warping(lean_warping.prepare(volume, x_s), x_d)
    for index in range(2):
        alone = warping(volume, x_s, x_d[index : index + 1])
        assert deviation(together[index : index + 1], alone) < CLOSE


def test_decoding_of_a_batch_is_that_of_each(decoder: SpadeDecoder, lean_decoder: LeanDecoder) -> None:
    features = rule.blocky((2, 256, 64, 64), 16, "lean-features")
    together = lean_decoder(features)
    for index in range(2):
        assert deviation(together[index : index + 1], decoder(features[index : index + 1])) < CLOSE


def test_decoding_with_channels_last(lean_decoder: LeanDecoder) -> None:
    features = rule.blocky((1, 256, 64, 64), 16, "lean-features")
    assert deviation(lean_decoder(features.to(memory_format=torch.channels_last)), lean_decoder(features)) < CLOSE


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_an_upsampled_convolution_needs_no_enlarged_map(factor: int, memory_format: torch.memory_format) -> None:
    conv = nn.Conv2d(6, 5, 3, padding=1)
    x = torch.randn(2, 6, 7, 9).to(memory_format=memory_format)
    expected = conv(F.interpolate(x, scale_factor=factor, mode="nearest"))
    torch.testing.assert_close(algebra.UpsampledConv(conv, factor)(x), expected, atol=1e-5, rtol=1e-5)


def test_a_convolution_by_slices_is_the_convolution_in_depth() -> None:
    conv = nn.Conv3d(6, 3, 7, padding=3)
    x = torch.randn(2, 6, 9, 8, 10)
    torch.testing.assert_close(algebra.SlicedConv(conv)(x), conv(x), atol=1e-5, rtol=1e-5)


def test_norms_and_pointwise_convolutions_fold() -> None:
    norm = nn.BatchNorm2d(5).eval()
    for name in ("weight", "bias", "running_mean"):
        getattr(norm, name).copy_(torch.randn(5))
    norm.running_var.copy_(torch.rand(5) + 0.5)
    conv, x = nn.Conv2d(4, 5, 3, padding=1), torch.randn(2, 4, 6, 6)
    torch.testing.assert_close(algebra.fold_norm(conv, norm)(x), norm(conv(x)), atol=1e-5, rtol=1e-5)
    after = SpectralConv2d(5, 3, 1, bias=False)
    after.weight_u.copy_(torch.randn(3))
    after.weight_v.copy_(torch.randn(5))
    folded = algebra.through(conv, algebra.plain(after))
    torch.testing.assert_close(folded(x), after(conv(x)), atol=1e-5, rtol=1e-5)
