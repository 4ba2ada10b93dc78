"""W and G compiled ahead of time by torch's AOTInductor: an option, `GAZE_COMPILE`, which was not run on a GPU yet.

A package of native code is made once for a card and kept in the user's cache; later starts load it. It holds no
weights: those of the networks in memory are lent to it, so it fits any. What is compiled takes batches of
`FEWEST` to `MOST` frames; a single frame, and everything after a failure, is rendered by the networks themselves.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gaze.cache import cache_folder
from gaze.engines.base import on_zero_gpu
from gaze.engines.liveportrait.appearance import CHANNELS, DEPTH, SIDE
from gaze.engines.liveportrait.device import MOST, repeatably
from gaze.engines.liveportrait.fused_networks import WarpingSource
from gaze.engines.liveportrait.keypoints import KEYPOINTS

VARIABLE = "GAZE_COMPILE"
FEWEST = 2
_PACKAGE = Path("root", "package.pt2")
"""As `spaces` lays it out."""
_APART = 0.01
"""Of frames in [0, 1], root mean square: what half precision explains (40 dB)."""
_SETTINGS: dict[str, Any] = {  # The same as those of `spaces`: weights stay outside, and none is folded into the code.
    "aot_inductor.package_constants_in_so": False,
    "always_keep_tensor_constants": True,
    "joint_graph_constant_folding": False,
}

_log = logging.getLogger(__name__)


class FrameNetworks(nn.Module):
    """W and G one after the other, with tensors alone as inputs: those of a `WarpingSource`, and driving keypoints.

    Args:
        warping: as `gaze.engines.liveportrait.fused_networks.FusedWarping`.
        decoder: as `FusedDecoder`.
    """

    def __init__(self, warping: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.warping, self.decoder = warping, decoder

    def forward(self, volume: Tensor, compressed: Tensor, keypoints: Tensor, heat: Tensor, x_d: Tensor) -> Tensor:
        """Keypoints (B, 21, 3) → pictures (B, 3, 512, 512) in (0, 1)."""
        pictures: Tensor = self.decoder(self.warping(WarpingSource(volume, compressed, keypoints, heat), x_d))
        return pictures


def is_wanted(device: torch.device) -> bool:
    """Whether `GAZE_COMPILE` is 1, and the device one that it is meant for."""
    return os.environ.get(VARIABLE) == "1" and device.type == "cuda"


def package_folder(networks: FrameNetworks) -> Path:
    """Where the package is kept that fits these networks, this torch and this card."""
    weight = next(networks.parameters())
    card = torch.cuda.get_device_name(weight.device) if weight.device.type == "cuda" else "processor"
    parts = [torch.__version__, str(torch.version.cuda or torch.version.hip), card, str(weight.dtype)]
    source = [file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py"))]
    key = hashlib.sha256(b"\0".join(["\0".join(parts).encode(), *source]))
    return cache_folder() / "compiled" / key.hexdigest()[:16]


def compile_networks(networks: FrameNetworks, folder: Path) -> None:
    """Let the networks run what is compiled: loaded where a package that works is there, else made.

    Raises:
        Exception: whatever the compiler, the package, or the difference of its pictures gives rise to. The networks
            are as they were then.
    """
    if (folder / _PACKAGE).is_file():
        try:
            load(networks, folder)
            return _check(networks)
        except Exception as error:
            _log.warning("The compiled networks in %s cannot be used, and are made anew", folder, exc_info=error)
            unload(networks)
    try:
        _make(networks, folder)
        load(networks, folder)
        _check(networks)
    except Exception:
        unload(networks)
        raise


def load(networks: FrameNetworks, folder: Path) -> None:
    """Let the networks run the package of a folder, with their own weights. On a ZeroGPU Space, at its first use."""
    if on_zero_gpu():
        import spaces

        # Its loader removes what is unpacked, which processes that are killed cannot.
        spaces.aoti_load_from_package_dir(networks, folder)
        return
    import torch._inductor

    package: Any = torch._inductor.aoti_load_package(str(folder / _PACKAGE))
    weights = networks.state_dict()
    lent = {name: weights[name] for name in package.get_constant_fqns()}
    package.load_constants(lent, check_full_update=True, user_managed=True)
    networks.forward = package  # type: ignore[method-assign]


def unload(networks: FrameNetworks) -> None:
    """Let the networks run as they are written."""
    networks.__dict__.pop("forward", None)


def export(networks: FrameNetworks) -> torch.export.ExportedProgram:
    """The networks as one graph, for any batch of `FEWEST` to `MOST`."""
    batch = torch.export.Dim("batch", min=FEWEST, max=MOST)
    return torch.export.export(networks, _inputs(networks, 4), dynamic_shapes=({}, {}, {}, {}, {0: batch}))


def _make(networks: FrameNetworks, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made, torch.inference_mode(False):
        _compile(export(networks), Path(made))
        (folder / _PACKAGE).parent.mkdir(parents=True, exist_ok=True)
        os.replace(Path(made) / _PACKAGE, folder / _PACKAGE)


def _compile(exported: torch.export.ExportedProgram, folder: Path) -> None:
    if on_zero_gpu():
        import spaces

        spaces.aoti_compile_and_save(folder, exported)  # Which allows the code to be loaded there, too.
        return
    import torch._inductor

    file = folder / _PACKAGE
    file.parent.mkdir()
    torch._inductor.aoti_compile_and_package(exported, package_path=str(file), inductor_configs=dict(_SETTINGS))


def _inputs(networks: FrameNetworks, count: int) -> tuple[Tensor, ...]:
    """Values made up, laid out in memory as those of a portrait: compiled code asks no more."""
    device = next(networks.parameters()).device
    random = torch.Generator().manual_seed(0)
    volume = torch.randn(1, CHANNELS, DEPTH, SIDE, SIDE, generator=random).to(device)
    x_d = (torch.rand(count, KEYPOINTS, 3, generator=random) - 0.5).to(device)
    prepare: Any = networks.warping.prepare
    return (*prepare(volume, x_d[:1].clone()), x_d)


@torch.inference_mode()
def _check(networks: FrameNetworks) -> None:
    inputs = _inputs(networks, 3)
    with repeatably():
        apart = networks(*inputs).float() - FrameNetworks.forward(networks, *inputs).float()
    if not apart.square().mean().sqrt() < _APART:
        raise ArithmeticError("the compiled networks give other pictures")
