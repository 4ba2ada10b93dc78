"""From a photo and poses to frames: the networks in batches on one device, and the frames' way off it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from gaze.engines.liveportrait import device as devices
from gaze.engines.liveportrait.ahead import FEWEST, FrameNetworks
from gaze.engines.liveportrait.crop import Crop
from gaze.engines.liveportrait.decoder import SpadeDecoder
from gaze.engines.liveportrait.device import MOST, NAMES, BatchSize, repeatably
from gaze.engines.liveportrait.fused_convolutions import to_channels_last
from gaze.engines.liveportrait.fused_networks import FusedDecoder, FusedWarping, WarpingSource
from gaze.engines.liveportrait.keypoints import Motion, driving_keypoints, source_keypoints
from gaze.engines.liveportrait.paste import Paster
from gaze.engines.liveportrait.warping import WarpingModule
from gaze.engines.liveportrait.weights import Networks
from gaze.errors import GazeError
from gaze.grid import Expression, Pose

_log = logging.getLogger(__name__)

_INPUT_SIDE = 256
USUAL_OPENNESS = (0.3, 0.3)
"""Of eyes at ease."""


@dataclass(frozen=True)
class RenderSource:
    """What does not depend on the pose: head pose and keypoints, feature volume, and where frames are pasted.

    `openness` is the left and the right eye's, as `gaze.face.face.Face` has it.
    """

    motion: Motion
    warp: WarpingSource
    paster: Paster
    openness: tuple[float, float]


class Renderer:
    """The networks on one device.

    F and M, which run once, poses, keypoints and the deformation stay in float32; the convolutions of W and G run in
    what `device.best_dtype` says, and in the next of its order once they give NaN.

    Args:
        networks: as loaded.
        device: where to render.
        dtype: of the convolutions; None chooses by the device.

    Attributes:
        networks: W and G as they render.
        can_compile: whether `compile` would do anything.
        batch: frames rendered at once at most; None goes by the free memory.
        benchmark: whether cuDNN tries which of its algorithms is the quickest.
    """

    def __init__(self, networks: Networks, device: torch.device, dtype: torch.dtype | None = None) -> None:
        self.device = device
        self.batch: int | None = None
        self.benchmark = False
        self._heavy: tuple[WarpingModule, SpadeDecoder] | None = (networks.warping, networks.decoder)
        self._appearance = networks.appearance.to(device)
        self._motion = networks.motion.to(device)
        self._stitching = networks.stitching.to(device)
        self._eye = networks.eye.to(device)
        self._uncompiled: str | None = None
        self._first_dtype = dtype or devices.best_dtype(device)
        self._build(self._first_dtype)

    def _build(self, dtype: torch.dtype) -> None:
        self.dtype = dtype
        assert self._heavy
        warping, decoder = FusedWarping(self._heavy[0]).eval().to(dtype), FusedDecoder(self._heavy[1]).eval().to(dtype)
        if dtype == torch.float32:
            self._heavy = None  # Only half precision may have to be built anew.
        if devices.wants_channels_last(self.device, dtype):
            to_channels_last(warping)
            to_channels_last(decoder)
        # Moved last: a ZeroGPU Space has a stand-in for the device, which is to see finished weights only.
        self._warping: Any = warping.to(self.device)
        self._decoder: Any = decoder.to(self.device)
        self.networks = FrameNetworks(self._warping, self._decoder)
        self.can_compile, self._is_compiled = dtype == self._first_dtype, False

    def compile(self, make: Callable[[FrameNetworks], None]) -> None:
        """Have W and G compiled, once. Where that fails, all goes on without, and each run is told why.

        Args:
            make: lets the networks run what is compiled, as `gaze.engines.liveportrait.ahead.compile_networks` does.
        """
        if not self.can_compile:
            return
        self.can_compile = False
        try:
            make(self.networks)
            self._is_compiled = True
        except Exception as error:
            self._give_up_compiled(error)

    @torch.inference_mode()
    def prepare(
        self,
        image: np.ndarray,
        crop: Crop,
        window: np.ndarray | None = None,
        openness: tuple[float, float] = USUAL_OPENNESS,
    ) -> RenderSource:
        """One still picture through F and M.

        Args:
            image: (height, width, 3) uint8, what frames are pasted into.
            crop: the window on it.
            window: (side, side, 3) uint8, what is seen through it; None cuts it out of `image`.
            openness: of both eyes, as `gaze.face.face.Face` has it.
        """
        seen = crop.cut(image) if window is None else window
        halved = cv2.resize(seen, (_INPUT_SIDE, _INPUT_SIDE), interpolation=cv2.INTER_AREA)
        picture = torch.from_numpy(halved).to(self.device).movedim(-1, 0)[None].float() / 255
        with repeatably():
            volume = self._appearance(picture)
            motion = self._motion(picture).to(self.device)
            source = self._warping.prepare(volume, source_keypoints(motion))
        return RenderSource(motion, source, Paster(image, crop, self.device), openness)

    def frames(
        self,
        source: RenderSource,
        poses: Sequence[Pose],
        expression: Expression,
        tell: Callable[[str], None] = lambda _: None,
    ) -> Iterator[np.ndarray]:
        """The frames of the poses in their order, (n, height, width, 3) uint8, in batches.

        Args:
            source: of `prepare`.
            poses: one for each frame.
            expression: what is changed in all frames alike.
            tell: called with a sentence for the person where something had to be changed on the way.

        Raises:
            GazeError: the networks give NaN in every precision.
            torch.OutOfMemoryError: not even a single frame fits into the device's memory.
        """
        # Not earlier: a ZeroGPU Space has no GPU until it renders.
        size = BatchSize(self.batch or devices.frames_at_once(self.device, self.dtype, source.paster.pixels))
        if self.dtype != self._first_dtype:
            tell(self._slower())
        if self._uncompiled:
            tell(self._uncompiled)
        left = self._keypoints(source, poses, expression)
        transfers = _Transfers(self.device)
        is_first = True
        while len(left):
            batch = self._render(source, left, size, is_first, tell)
            left, is_first = left[len(batch) :], False
            yield from transfers.exchange(batch)
        yield from transfers.exchange(None)

    @torch.inference_mode()
    def _keypoints(self, source: RenderSource, poses: Sequence[Pose], expression: Expression) -> Tensor:
        x_d = driving_keypoints(source.motion, poses, expression)
        blinks = torch.tensor([[max(0.0, pose.expression.blink)] for pose in poses], device=self.device)
        if blinks.any():
            moved = self._eye.closing(source.warp.keypoints, source.openness, blinks)
            x_d = x_d + torch.where(blinks[..., None] > 0, moved, 0.0)
        return self._stitching.correct(source.warp.keypoints, x_d)

    def _render(
        self, source: RenderSource, x_d: Tensor, size: BatchSize, look: bool, tell: Callable[[str], None]
    ) -> Tensor:
        """Frames, (n, height, width, 3) uint8 on the device, of as many of the first keypoints as make a batch."""
        while True:
            some = x_d[: size.now]
            try:
                frames = self._generate(source, some, look)
            except torch.OutOfMemoryError:
                if not size.failed(len(some)):
                    raise
                tell(f"The graphics memory was short: frames are rendered {size.now} at a time.")
            except FloatingPointError:
                self._give_up_precision()
                tell(self._slower())
            except _CompiledError as error:
                tell(self._give_up_compiled(error))
            else:
                size.succeeded()
                return frames
            # Here, and not above: there the exception still holds the memory.
            devices.release_memory(self.device)

    @torch.inference_mode()
    def _generate(self, source: RenderSource, x_d: Tensor, look: bool) -> Tensor:
        with repeatably(self.benchmark):
            generated = self._pictures(source.warp, x_d)
        # Looking costs a wait, so the first batch speaks for all.
        if look and not torch.isfinite(generated).all():
            raise FloatingPointError
        return source.paster.paste(generated)

    def _pictures(self, source: WarpingSource, x_d: Tensor) -> Tensor:
        if not self._is_compiled or not FEWEST <= len(x_d) <= MOST:
            pictures: Tensor = self._decoder(self._warping(source, x_d))
            return pictures
        try:
            # A copy begins at an address that compiled code takes for granted; a part of all keypoints may not.
            return self.networks(*source, x_d.clone())
        except RuntimeError as error:  # Even where the memory is short: compiled code does not tell.
            raise _CompiledError(error) from error

    def _give_up_compiled(self, error: Exception) -> str:
        _log.warning("The networks run uncompiled", exc_info=error)
        self._is_compiled = False
        words = str(error).strip().split("\n", 1)[0][:200].rstrip(".")
        self._uncompiled = f"The compiled networks failed ({words}), so the uncompiled ones run, which may be slower."
        return self._uncompiled

    def _give_up_precision(self) -> None:
        """Build the networks anew in the next precision that is tried."""
        dtype = devices.next_dtype(self.device, self.dtype)
        if dtype is None:
            raise GazeError(
                "The networks give NaN, even in full precision: their weights are damaged, or the GPU is. "
                "Download the weights again, or choose the instant engine."
            ) from None
        self._build(dtype)

    def _slower(self) -> str:
        first, now = NAMES[self._first_dtype], NAMES[self.dtype]
        where = "processor" if self.device.type == "cpu" else "GPU"
        return f"On this {where} the networks give NaN in {first}: frames are rendered in {now}, which may be slower."


class _CompiledError(Exception):
    """What is compiled fails."""


class _Transfers:
    """Takes batches off the device: while one is computed, the one before travels to pinned memory."""

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._travelling: tuple[Tensor, torch.cuda.Event] | None = None

    def exchange(self, batch: Tensor | None) -> Iterator[np.ndarray]:
        """Send a batch on its way and get the one before, if there was one; None sends nothing."""
        if self._stream is None:
            if batch is not None:
                yield batch.cpu().numpy()
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
