"""S and R: small networks on keypoints. Stitching keeps shoulders in place; the others open and close eyes and lips."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from gaze.engines.liveportrait.keypoints import KEYPOINTS


class Mlp(nn.Module):
    """Linear layers with ReLU between them."""

    def __init__(self, *sizes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.mlp = nn.Sequential(*layers[:-1])

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.mlp(x)
        return y


class Stitching(Mlp):
    """Corrects driving keypoints, so that the generated face fits the still picture around it."""

    def __init__(self) -> None:
        super().__init__(2 * KEYPOINTS * 3, 128, 128, 64, KEYPOINTS * 3 + 2)

    def correct(self, x_s: Tensor, x_d: Tensor) -> Tensor:
        """Source keypoints (1 or B, 21, 3) and driving ones (B, 21, 3) → corrected driving ones, the same shape."""
        both = torch.cat([x_s.expand_as(x_d).flatten(1), x_d.flatten(1)], 1)
        offsets, shift = self(both).split([KEYPOINTS * 3, 2], 1)
        x_d = x_d + offsets.unflatten(1, (KEYPOINTS, 3))
        return torch.cat([x_d[..., :2] + shift[:, None], x_d[..., 2:]], -1)


class LipRetargeting(Mlp):
    """Source keypoints, the source's lip ratio, the wanted one: (B, 65) → (B, 63) to add to the driving keypoints."""

    def __init__(self) -> None:
        super().__init__(KEYPOINTS * 3 + 2, 128, 128, 64, KEYPOINTS * 3)


class EyeRetargeting(Mlp):
    """Source keypoints, both eyes' ratios, the wanted one: (B, 66) → (B, 63) to add to the driving keypoints."""

    def __init__(self) -> None:
        super().__init__(KEYPOINTS * 3 + 3, 256, 256, 128, 128, 64, KEYPOINTS * 3)

    def closing(self, x_s: Tensor, openness: tuple[float, float], blinks: Tensor) -> Tensor:
        """What closes the eyes so far: (B, 21, 3).

        Args:
            x_s: (1, 21, 3) the source's keypoints.
            openness: the source's ratios, of the left and the right eye.
            blinks: (B, 1), 0 to 1.
        """
        ratios = blinks.new_tensor([openness]).expand(len(blinks), 2)
        wanted = (1 - blinks) * ratios.mean(1, keepdim=True)
        offsets: Tensor = self(torch.cat([x_s.flatten(1).expand(len(blinks), -1), ratios, wanted], 1))
        return offsets.unflatten(1, (KEYPOINTS, 3))
