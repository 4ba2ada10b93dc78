"""The LivePortrait networks with weights made by the rule of the reference data; speed does not depend on weights."""

from __future__ import annotations

from torch import nn

from gaze.engines.liveportrait import weights
from gaze.engines.liveportrait.weights import Networks
from tests.engines.liveportrait import rule

PARTS = {
    "appearance": "appearance_feature_extractor",
    "motion": "motion_extractor",
    "warping": "warping_module",
    "decoder": "spade_generator",
    "stitching": "retarget_shoulder",
    "eye": "retarget_eye",
    "lip": "retarget_mouth",
}
"""The field of `Networks`, and the name of the same network in the reference data."""


def network_by_rule(name: str) -> nn.Module:
    """One of `PARTS`, on the processor."""
    network: nn.Module = getattr(weights, Networks.__annotations__[name])()
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    network.load_state_dict(rule.state_dict(PARTS[name], shapes))
    return network.eval().requires_grad_(False)
