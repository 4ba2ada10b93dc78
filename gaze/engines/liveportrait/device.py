"""What a device is given: numbers of which precision, in which memory layout, how many frames at once."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch

_CAUTION = 0.6
"""The share of the free memory that is planned with."""
_NETWORK_BYTES = 0.2e9
"""What the activations of one frame take in half precision, at most: 119 MB in W, then 199 MB in G."""
_PIXEL_BYTES = 48
"""What pasting takes for each pixel of a frame: a few float32 pictures of it, and the frame itself."""
MOST = 32
"""Frames at once beyond which nothing is gained."""
_PATIENCE = 8
"""Batches after which more memory is tried again."""

NAMES = {torch.float16: "float16", torch.bfloat16: "bfloat16", torch.float32: "full precision (float32)"}


def best_device() -> torch.device:
    """The first GPU (NVIDIA, or AMD by ROCm, which torch calls CUDA as well), else Apple's, else the processor."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def best_dtype(device: torch.device) -> torch.dtype:
    """What convolutions run in at first; float16 has eight times finer steps than bfloat16, and upstream runs it."""
    if device.type == "cuda":
        return torch.float16
    return torch.bfloat16 if device.type == "cpu" and has_matrix_unit() else torch.float32


def next_dtype(device: torch.device, dtype: torch.dtype) -> torch.dtype | None:
    """What to try where a precision gives NaN, as float16 does on some GPUs (GTX 16xx); None after float32."""
    if dtype == torch.float16 and device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return None if dtype == torch.float32 else torch.float32


def has_matrix_unit() -> bool:
    """Whether the processor multiplies bfloat16 matrices by AMX: less than half the time of float32 then."""
    return torch.backends.mkldnn.is_available() and bool(torch.cpu._is_amx_tile_supported())


def wants_channels_last(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether convolutions are quickest with their channels innermost."""
    if device.type == "cuda":
        return torch.version.hip is None  # MIOpen converts back and forth.
    return device.type == "cpu" and dtype == torch.bfloat16


def repeatably(benchmark: bool = False) -> AbstractContextManager[None]:
    """Within it convolutions are deterministic, and float32 is not replaced by TF32, which cuDNN would use by itself.

    Args:
        benchmark: try the algorithms and take the quickest, which need not be the same every time.
    """
    flags: AbstractContextManager[None] = torch.backends.cudnn.flags(
        enabled=True, benchmark=benchmark, deterministic=not benchmark, allow_tf32=False
    )
    return flags


def frame_bytes(pixels: int, dtype: torch.dtype) -> float:
    """Device memory that one more frame of so many pixels takes in a batch."""
    return _NETWORK_BYTES * dtype.itemsize / 2 + _PIXEL_BYTES * pixels


def frames_at_once(device: torch.device, dtype: torch.dtype, pixels: int) -> int:
    """How many frames of so many pixels are rendered together, by the memory that is free now; 1 on a processor."""
    if device.type == "cpu":
        return 1
    return int(min(max(_CAUTION * free_bytes(device) / frame_bytes(pixels, dtype), 1), MOST))


def free_bytes(device: torch.device) -> int:
    """Memory of a GPU that is free for this process, what torch holds in reserve included."""
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory()
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def release_memory(device: torch.device) -> None:
    """Give back what torch holds in reserve."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


class BatchSize:
    """How many frames are rendered at once: halved where memory is short, and doubled again after a while.

    Args:
        most: to begin with, and never more.

    Attributes:
        now: the current number.
    """

    def __init__(self, most: int) -> None:
        self.now = self._most = most
        self._done, self._patience = 0, _PATIENCE
        self._is_trying = False

    def failed(self, count: int) -> bool:
        """After so many frames at once did not fit: whether fewer are left to try."""
        if count <= 1:
            return False
        if self._is_trying:
            self._patience *= 2
        self.now, self._done, self._is_trying = count // 2, 0, False
        return True

    def succeeded(self) -> None:
        """After a batch went well."""
        self._done, self._is_trying = self._done + 1, False
        if self._done >= self._patience and self.now < self._most:
            self.now, self._done, self._is_trying = min(2 * self.now, self._most), 0, True
