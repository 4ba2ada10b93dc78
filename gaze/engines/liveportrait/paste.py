"""Puts generated windows back into the portrait, on the device that generated them. Specification: section 12."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gaze.engines.liveportrait.crop import Crop, feather_mask


class Paster:
    """The portrait, the mask and the geometry of one source; computed once, used for every frame.

    Only the upright rectangle that the window covers is computed per frame; outside it the portrait is copied.

    Args:
        image: the portrait, (height, width, 3) uint8.
        crop: the window that was cut out of it.
        device: where frames are generated.

    Attributes:
        pixels: of a frame.
    """

    def __init__(self, image: np.ndarray, crop: Crop, device: torch.device) -> None:
        height, width = image.shape[:2]
        self.pixels = height * width
        corners = crop.to_picture() @ np.array([[0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0]]) * (crop.side - 1)
        corners += crop.to_picture()[:, 2:]
        x0, y0 = (int(np.clip(np.floor(v.min()), 0, n - 1)) for v, n in zip(corners, (width, height), strict=False))
        x1, y1 = (int(np.clip(np.ceil(v.max()) + 1, 1, n)) for v, n in zip(corners, (width, height), strict=False))
        self._window = (slice(y0, y1), slice(x0, x1))
        self._portrait = torch.from_numpy(np.ascontiguousarray(image)).to(device)
        ys, xs = np.mgrid[y0:y1, x0:x1].astype(np.float64)
        at = crop.from_picture()[:2] @ np.stack([xs.ravel(), ys.ravel(), np.ones(xs.size)])
        # With aligned corners, -1 and 1 are the middles of the outermost pixels.
        grid = (at.T.reshape(*xs.shape, 2) * (2 / (crop.side - 1)) - 1).astype(np.float32)
        self._grid = torch.from_numpy(grid).to(device)
        mask = torch.from_numpy(feather_mask()).to(device, torch.float32)
        self._mask = self._resample(mask[None, None])[0] / 255
        self._kept = (1 - self._mask) * self._portrait[self._window].movedim(-1, 0)

    def paste(self, generated: Tensor) -> Tensor:
        """(B, 3, 512, 512) in [0, 1] → frames, (B, height, width, 3) uint8 on the same device.

        Values are cut, not rounded, to whole numbers, as the reference does.
        """
        pictures = (generated.float().clamp(0, 1) * 255).floor()
        blended = (self._mask * self._resample(pictures) + self._kept).clamp(0, 255)
        frames = self._portrait.expand(len(generated), -1, -1, -1).clone()
        frames[:, *self._window] = blended.to(torch.uint8).movedim(1, -1)
        return frames

    def _resample(self, pictures: Tensor) -> Tensor:
        grid = self._grid.expand(len(pictures), -1, -1, -1)
        return F.grid_sample(pictures, grid, mode="bilinear", padding_mode="zeros", align_corners=True).round()
