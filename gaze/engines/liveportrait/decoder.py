"""G, the SPADE decoder (Park et al., 2019): a warped feature map becomes a picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2
"""Of every leaky ReLU in this network."""
MAP_CHANNELS = 256


class SpectralConv2d(nn.Conv2d):
    """A convolution whose weight is stored undivided by its spectral norm, beside the vectors that give that norm."""

    weight_u: Tensor
    weight_v: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, kernel, padding=kernel // 2, bias=bias)
        self.weight_orig = nn.Parameter(self.weight.detach().clone())
        del self.weight
        self.register_buffer("weight_u", torch.zeros(outputs))
        self.register_buffer("weight_v", torch.zeros(inputs * kernel * kernel))

    def normalised(self) -> Tensor:
        """The weight that counts. The stored vectors are used as they are: no further power iteration."""
        matrix = self.weight_orig.flatten(1)
        return self.weight_orig / torch.dot(self.weight_u, matrix @ self.weight_v)

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.normalised(), self.bias)


class Spade(nn.Module):
    """Instance norm whose scale and shift are read off the feature map at every place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mlp_shared = nn.Sequential(nn.Conv2d(MAP_CHANNELS, 128, 3, padding=1), nn.ReLU())
        self.mlp_gamma = nn.Conv2d(128, channels, 3, padding=1)
        self.mlp_beta = nn.Conv2d(128, channels, 3, padding=1)

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        shared = self.mlp_shared(F.interpolate(features, x.shape[2:], mode="nearest"))
        return F.instance_norm(x) * (1 + self.mlp_gamma(shared)) + self.mlp_beta(shared)


class SpadeBlock(nn.Module):
    """A residual block of two SPADE-normed convolutions, with a third in the shortcut where the channels change."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        middle = min(inputs, outputs)
        self.conv_0 = SpectralConv2d(inputs, middle, 3)
        self.conv_1 = SpectralConv2d(middle, outputs, 3)
        self.norm_0 = Spade(inputs)
        self.norm_1 = Spade(middle)
        self.has_shortcut = inputs != outputs
        if self.has_shortcut:
            self.conv_s = SpectralConv2d(inputs, outputs, 1, bias=False)
            self.norm_s = Spade(inputs)

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        y = self.conv_0(F.leaky_relu(self.norm_0(x, features), SLOPE))
        y = self.conv_1(F.leaky_relu(self.norm_1(y, features), SLOPE))
        return y + (self.conv_s(self.norm_s(x, features)) if self.has_shortcut else x)


class SpadeDecoder(nn.Module):
    """(B, 256, 64, 64) → (B, 3, 512, 512) RGB in (0, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Conv2d(MAP_CHANNELS, 512, 3, padding=1)
        for index in range(6):
            self.add_module(f"G_middle_{index}", SpadeBlock(512, 512))
        self.up_0 = SpadeBlock(512, 256)
        self.up_1 = SpadeBlock(256, 64)
        self.conv_img = nn.Sequential(nn.Conv2d(64, 12, 3, padding=1), nn.PixelShuffle(2))

    def middle(self) -> list[SpadeBlock]:
        """The six blocks at the feature map's own size."""
        return [self.get_submodule(f"G_middle_{index}") for index in range(6)]  # type: ignore[misc]

    def forward(self, features: Tensor) -> Tensor:
        x = self.fc(features)
        for block in self.middle():
            x = block(x, features)
        x = self.up_0(F.interpolate(x, scale_factor=2, mode="nearest"), features)
        x = self.up_1(F.interpolate(x, scale_factor=2, mode="nearest"), features)
        return torch.sigmoid(self.conv_img(F.leaky_relu(x, SLOPE)))
