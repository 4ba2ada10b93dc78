"""From a photo and poses to frames: the networks in batches on one device, and the frames' way off it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from gaze.engines.base import Expression, on_zero_gpu
from gaze.engines.liveportrait.crop import Crop
from gaze.engines.liveportrait.decoder import SpadeDecoder
from gaze.engines.liveportrait.keypoints import Motion, driving_keypoints, source_keypoints
from gaze.engines.liveportrait.lean import LeanDecoder, LeanWarping, WarpSource
from gaze.engines.liveportrait.paste import Paster
from gaze.engines.liveportrait.warping import WarpingModule
from gaze.engines.liveportrait.weights import Networks
from gaze.errors import GazeError
from gaze.grid import Pose

_INPUT_SIDE = 256
_FRAME_BYTES = 0.5e9
"""Device memory that one frame of a batch needs in half precision, roughly; twice that in float32."""
_MEMORY_SHARE = 0.6
_MAX_BATCH = 32


@dataclass(frozen=True)
class RenderSource:
    """What does not depend on the pose: head pose and keypoints, feature volume, and where frames are pasted."""

    motion: Motion
    warp: WarpSource
    paster: Paster


class Renderer:
    """The networks on one device.

    F and M, which run once, poses, keypoints and the deformation stay in float32; the convolutions of W and G run in
    bfloat16 on a GPU that has it, in float16 on one that has not, in float32 on a processor.

    Args:
        networks: as loaded.
        device: where to render.
        compile: whether torch.compile translates W and G; the first batch then takes a minute or more.
        dtype: of the convolutions; None chooses by the device.

    Attributes:
        batch: frames rendered at once; 0 until memory was looked at. Halved where it does not suffice.
        notes: sentences about what was changed on the way, for the person.
    """

    def __init__(
        self,
        networks: Networks,
        device: torch.device,
        compile: bool = False,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.device = device
        self.notes: list[str] = []
        self._heavy: tuple[WarpingModule, SpadeDecoder] | None = (networks.warping, networks.decoder)
        self._appearance = networks.appearance.to(device)
        self._motion = networks.motion.to(device)
        self._stitching = networks.stitching.to(device)
        self._compile = compile
        self._build(dtype or _best_dtype(device))

    def _build(self, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self._trusted = False
        assert self._heavy
        self._warping: Any = LeanWarping(self._heavy[0]).eval()
        self._decoder: Any = LeanDecoder(self._heavy[1]).eval()
        if dtype == torch.float32:
            self._heavy = None  # Only half precision may have to be built anew.
        for network in (self._warping, self._decoder):
            network.to(self.device, dtype)
            if self.device.type == "cuda":
                # The layout that tensor cores read; each call acts on the weights of its number of dimensions only.
                network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
                network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        if self._compile:
            self._warping, self._decoder = torch.compile(self._warping), torch.compile(self._decoder)
        self.batch = 0

    @torch.inference_mode()
    def prepare(self, image: np.ndarray, crop: Crop) -> RenderSource:
        """One still picture, (height, width, 3) uint8, through F and M."""
        window = cv2.resize(crop.cut(image), (_INPUT_SIDE, _INPUT_SIDE), interpolation=cv2.INTER_AREA)
        picture = torch.from_numpy(window).to(self.device).movedim(-1, 0)[None].float() / 255
        volume = self._appearance(picture)
        motion = self._motion(picture).to(self.device)
        warping = getattr(self._warping, "_orig_mod", self._warping)
        source = warping.prepare(volume, source_keypoints(motion))
        return RenderSource(motion, source, Paster(image, crop, self.device))

    def frames(self, source: RenderSource, poses: Sequence[Pose], expression: Expression) -> Iterator[np.ndarray]:
        """The frames of the poses in their order, (n, height, width, 3) uint8, in batches.

        Raises:
            GazeError: the networks give no numbers.
            torch.OutOfMemoryError: not even a single frame fits into the device's memory.
        """
        # Not earlier: a ZeroGPU Space has no GPU until it renders.
        self.batch = self.batch or _batch_size(self.device, self.dtype)
        left = self._keypoints(source, poses, expression)
        transfers = _Transfers(self.device)
        while len(left):
            batch = self._render(source, left)
            left = left[len(batch) :]
            yield from transfers.exchange(batch)
        yield from transfers.exchange(None)

    @torch.inference_mode()
    def _keypoints(self, source: RenderSource, poses: Sequence[Pose], expression: Expression) -> Tensor:
        x_d = driving_keypoints(source.motion, poses, expression)
        return self._stitching.correct(source.warp.keypoints, x_d)

    def _render(self, source: RenderSource, x_d: Tensor) -> Tensor:
        """Frames, (n, height, width, 3) uint8 on the device, of as many of the first keypoints as make a batch."""
        while True:
            try:
                return self._generate(source, x_d[: self.batch])
            except torch.OutOfMemoryError:
                if self.batch == 1:
                    raise
                self.batch = min(self.batch, len(x_d)) // 2 or 1
                self.notes.append(f"The graphics memory was short: frames are rendered {self.batch} at a time.")
            except FloatingPointError:
                if self.dtype == torch.float32:
                    raise GazeError(
                        "The networks give no numbers, even in full precision: their weights are damaged, or the GPU "
                        "is. Fetch the weights again, or choose the instant engine."
                    ) from None
                self._build(torch.float32)
                self.batch = _batch_size(self.device, self.dtype)
                self.notes.append("This GPU fails at half precision: frames are rendered in full precision, slower.")
            # Here, and not above: there the exception still holds the memory.
            if self.device.type == "cuda":
                torch.cuda.empty_cache()

    @torch.inference_mode()
    def _generate(self, source: RenderSource, x_d: Tensor) -> Tensor:
        # Of several equally good algorithms the same one every time.
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
            features = self._warping(source.warp, x_d)
            if self.device.type == "cuda":
                features = features.contiguous(memory_format=torch.channels_last)
            generated = self._decoder(features)
        if not self._trusted:
            # Some GPUs (GTX 16xx) give NaN in float16. Looking costs a wait, so the first batch speaks for all.
            if not torch.isfinite(generated).all():
                raise FloatingPointError
            self._trusted = True
        return source.paster.paste(generated)


class _Transfers:
    """Takes batches off the device: while one is computed, the one before travels to pinned memory."""

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._travelling: tuple[Tensor, torch.cuda.Event] | None = None

    def exchange(self, batch: Tensor | None) -> Iterator[np.ndarray]:
        """Send a batch on its way and get the one before, if there was one; None sends nothing."""
        if self._stream is None:
            if batch is not None:
                yield batch.numpy()
            return
        before, self._travelling = self._travelling, self._send(batch) if batch is not None else None
        if before:
            pinned, arrived = before
            arrived.synchronize()
            yield pinned.numpy()

    def _send(self, batch: Tensor) -> tuple[Tensor, torch.cuda.Event]:
        assert self._stream is not None
        self._stream.wait_stream(torch.cuda.current_stream(batch.device))
        with torch.cuda.stream(self._stream):
            # torch keeps pinned memory for the next batch once nobody holds this one.
            pinned = torch.empty(batch.shape, dtype=batch.dtype, pin_memory=True)
            pinned.copy_(batch, non_blocking=True)
            batch.record_stream(self._stream)
            arrived = torch.cuda.Event()
            arrived.record()
        return pinned, arrived


def best_device() -> torch.device:
    """The first GPU, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _best_dtype(device: torch.device) -> torch.dtype:
    if device.type != "cuda":
        return torch.float32
    if on_zero_gpu():
        return torch.bfloat16  # All its GPUs have it, and asking is not allowed before one is lent.
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def _batch_size(device: torch.device, dtype: torch.dtype) -> int:
    if device.type != "cuda":
        return 1
    free, _ = torch.cuda.mem_get_info(device)
    return int(min(max(_MEMORY_SHARE * free / (_FRAME_BYTES * dtype.itemsize / 2), 1), _MAX_BATCH))
