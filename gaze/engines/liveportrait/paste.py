"""Puts generated windows back into the portrait, on the device that generated them."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gaze.engines.liveportrait.crop import Crop, feather_mask

_MOST_SAMPLES = 4
"""Across each pixel; a window of 512 pixels that becomes one of 128 needs no more."""


class Paster:
    """The portrait, the mask and the geometry of one source; computed once, used for every frame.

    Only the upright rectangle that the window covers is computed per frame; outside it the portrait is copied.

    Args:
        image: the portrait, (height, width, 3) uint8.
        crop: the window that was cut out of it.
        device: where frames are generated.
        is_fine: whether a window that becomes smaller is averaged over areas, and its border drawn out. The reference
            takes single samples, and black beyond the border.

    Attributes:
        pixels: of a frame.
    """

    def __init__(self, image: np.ndarray, crop: Crop, device: torch.device, is_fine: bool = True) -> None:
        height, width = image.shape[:2]
        self.pixels = height * width
        corners = crop.to_picture() @ np.array([[0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0]]) * (crop.side - 1)
        corners += crop.to_picture()[:, 2:]
        x0, y0 = (int(np.clip(np.floor(v.min()), 0, n - 1)) for v, n in zip(corners, (width, height), strict=False))
        x1, y1 = (int(np.clip(np.ceil(v.max()) + 1, 1, n)) for v, n in zip(corners, (width, height), strict=False))
        self._window = (slice(y0, y1), slice(x0, x1))
        self._portrait = torch.from_numpy(np.ascontiguousarray(image)).to(device)
        self._grid = _grid(crop, (y0, y1), (x0, x1), 1).to(device)
        # A window that becomes smaller is averaged over the area of each pixel: so many samples across it.
        self._samples = min(math.ceil(crop.side / crop.size - 0.01), _MOST_SAMPLES) if is_fine else 1
        # Beyond the window its border goes on: 0 would darken the last row of pixels, where the mask is not quite 0.
        self._beyond = "border" if is_fine else "zeros"
        fine = _grid(crop, (y0, y1), (x0, x1), self._samples) if self._samples > 1 else self._grid
        self._fine_grid = fine.to(device)
        mask = torch.from_numpy(feather_mask()).to(device, torch.float32)
        self._mask = _resampled(mask[None, None], self._grid, "zeros")[0].round() / 255
        self._kept = (1 - self._mask) * self._portrait[self._window].movedim(-1, 0)

    def paste(self, generated: Tensor) -> Tensor:
        """(B, 3, 512, 512) in [0, 1] → frames, (B, height, width, 3) uint8 on the same device.

        Values are cut, not rounded, to whole numbers, as the reference does.
        """
        pictures = (generated.float().clamp(0, 1) * 255).floor()
        shown = F.avg_pool2d(_resampled(pictures, self._fine_grid, self._beyond), self._samples).round()
        blended = (self._mask * shown + self._kept).clamp(0, 255)
        frames = self._portrait.expand(len(generated), -1, -1, -1).clone()
        frames[:, *self._window] = blended.to(torch.uint8).movedim(1, -1)
        return frames


def _grid(crop: Crop, rows: tuple[int, int], columns: tuple[int, int], samples: int) -> Tensor:
    """(rows * samples, columns * samples, 2) float32 for `grid_sample`: where samples of pixels lie in the window."""
    ys, xs = (
        np.arange((end - start) * samples) / samples + start + (0.5 / samples - 0.5) for start, end in (rows, columns)
    )
    x, y = np.meshgrid(xs, ys)
    at = crop.from_picture()[:2] @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    # With aligned corners, -1 and 1 are the middles of the outermost pixels.
    return torch.from_numpy((at.T.reshape(*x.shape, 2) * (2 / (crop.side - 1)) - 1).astype(np.float32))


def _resampled(pictures: Tensor, grid: Tensor, beyond: str) -> Tensor:
    grid = grid.expand(len(pictures), -1, -1, -1)
    return F.grid_sample(pictures, grid, mode="bilinear", padding_mode=beyond, align_corners=True)
