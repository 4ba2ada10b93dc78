"""Every network against the reference data: its own results, inner stages, and the keys of the published weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from gaze.engines.liveportrait import keypoints
from gaze.engines.liveportrait.appearance import AppearanceFeatureExtractor
from gaze.engines.liveportrait.decoder import SpadeDecoder
from gaze.engines.liveportrait.mlps import EyeRetargeting, LipRetargeting, Stitching
from gaze.engines.liveportrait.motion import MotionExtractor
from gaze.engines.liveportrait.warping import WarpingModule
from tests.engines.liveportrait import rule
from tests.engines.liveportrait.conftest import MANIFEST, Taps, image_tensor
from tests.engines.liveportrait.golden import Golden

NETWORKS: dict[str, type[nn.Module]] = {
    "appearance_feature_extractor": AppearanceFeatureExtractor,
    "motion_extractor": MotionExtractor,
    "warping_module": WarpingModule,
    "spade_generator": SpadeDecoder,
    "retarget_shoulder": Stitching,
    "retarget_mouth": LipRetargeting,
    "retarget_eye": EyeRetargeting,
}
CLOSE = 1e-4
"""Of a tensor's spread. Independent implementations differ by 2e-6 to 3e-5; a wrong epsilon in a batch norm by 4e-3."""


@pytest.mark.parametrize("part", NETWORKS)
def test_keys_and_shapes_are_those_published(part: str) -> None:
    with torch.device("meta"):
        keys = NETWORKS[part]().state_dict()
    assert {key: list(tensor.shape) for key, tensor in keys.items()} == MANIFEST[part]


def test_appearance(appearance: AppearanceFeatureExtractor, taps: Taps) -> None:
    golden = Golden("appearance")
    picture = rule.picture(golden.meta["image"])
    np.testing.assert_array_equal(picture, golden.part("input_image_u8"))
    stages = [name for name in golden.names() if name not in ("input_image_u8", "feature_3d")]
    taps.listen(appearance, stages)
    volume = appearance(image_tensor(picture)[None])
    for stage in stages:
        assert golden.deviation(stage, taps.seen[stage]) < CLOSE, stage
    assert golden.deviation("feature_3d", volume) < CLOSE


def test_motion(motion: MotionExtractor, taps: Taps) -> None:
    golden = Golden("motion")
    pictures = np.stack([rule.picture(name) for name in golden.meta["images"]])
    stages = [name for name in golden.names() if name.startswith("detector.")]
    taps.listen(motion, [*stages, "detector"])
    found = motion(image_tensor(pictures))
    for stage in stages:
        assert golden.deviation(stage, taps.seen[stage]) < CLOSE, stage
    for head, values in taps.seen["detector"].items():
        assert golden.deviation(f"head.{head}", values) < CLOSE, head
    for part in ("kp", "exp", "t", "scale"):
        assert golden.deviation(f"refined.{part}", getattr(found, part)) < CLOSE, part
    for angle in ("pitch", "yaw", "roll"):
        np.testing.assert_allclose(getattr(found, angle), golden.part(f"refined.{angle}"), atol=1e-4)
    np.testing.assert_allclose(keypoints.source_keypoints(found), golden.part("x_s"), atol=2e-6)


def test_warping(warping: WarpingModule, taps: Taps) -> None:
    golden = Golden("warping")
    _, shape, coarse, name = golden.meta["feature"]
    volume = rule.blocky(tuple(shape), coarse, name)
    assert golden.deviation("in.feature_3d", volume) < 1e-6
    x_s, x_d = (torch.from_numpy(golden.part(f"in.kp_{which}")) for which in ("source", "driving"))
    stages = [name for name in golden.names() if name.startswith("tap.")]
    taps.listen(warping, [name.removeprefix("tap.") for name in stages])
    taps.listen(warping, ["dense_motion_network"])
    taps.listen(warping.dense_motion_network.hourglass, ["encoder"])
    out = warping(volume, x_s, x_d)
    seen = taps.seen
    for stage in stages:
        assert golden.deviation(stage, seen[stage.removeprefix("tap.")]) < CLOSE, stage
    assert golden.deviation("hourglass_input", seen["encoder"][0]) < CLOSE
    assert golden.deviation("mask", seen["dense_motion_network.mask"].softmax(1)) < CLOSE
    assert golden.deviation("deformation", seen["dense_motion_network"].grid) < CLOSE
    assert golden.deviation("occlusion_map", seen["dense_motion_network"].occlusion) < CLOSE
    assert golden.deviation("out", out) < CLOSE


def test_decoder(decoder: SpadeDecoder, taps: Taps) -> None:
    golden = Golden("decoder")
    _, shape, coarse, name = golden.meta["feature"]
    features = rule.blocky(tuple(shape), coarse, name)
    stages = [name for name in golden.names() if name.startswith("tap.")]
    taps.listen(decoder, [name.removeprefix("tap.") for name in stages])
    out = decoder(features)
    for stage in stages:
        assert golden.deviation(stage, taps.seen[stage.removeprefix("tap.")]) < CLOSE, stage
    assert golden.deviation("out", out) < CLOSE
