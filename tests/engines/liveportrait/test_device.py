from __future__ import annotations

import pytest
import torch

from gaze.engines.liveportrait import device as devices
from gaze.engines.liveportrait.device import BatchSize

CUDA, MPS, CPU = torch.device("cuda"), torch.device("mps"), torch.device("cpu")


@pytest.mark.parametrize(("cuda", "mps", "kind"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_a_gpu_is_taken_where_torch_has_one(cuda: bool, mps: bool, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert devices.best_device().type == kind


@pytest.mark.parametrize("has_bfloat16", [True, False])
def test_precisions_of_a_gpu_are_tried_from_the_finest_of_the_quick(
    has_bfloat16: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has_bfloat16)
    order = [devices.best_dtype(CUDA)]
    while dtype := devices.next_dtype(CUDA, order[-1]):
        order.append(dtype)
    assert order == [torch.float16, *[torch.bfloat16] * has_bfloat16, torch.float32]


@pytest.mark.parametrize("has_amx", [True, False])
def test_a_processor_with_amx_gets_bfloat16_and_its_layout(has_amx: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: has_amx)
    dtype = devices.best_dtype(CPU)
    assert dtype == (torch.bfloat16 if has_amx else torch.float32)
    assert devices.wants_channels_last(CPU, dtype) == has_amx


def test_layouts_of_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    assert devices.wants_channels_last(CUDA, torch.float16)
    assert not devices.wants_channels_last(MPS, devices.best_dtype(MPS))
    monkeypatch.setattr(torch.version, "hip", "7.0")
    assert not devices.wants_channels_last(CUDA, torch.float16)


@pytest.mark.parametrize(
    ("free", "dtype", "side", "count"),
    [
        (80e9, torch.float16, 512, 32),
        (4e9, torch.float16, 512, 11),
        (4e9, torch.float32, 512, 5),
        (4e9, torch.float16, 2048, 5),
        (0.1e9, torch.float16, 512, 1),
    ],
)
def test_as_many_frames_at_once_as_fit(
    free: float, dtype: torch.dtype, side: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free / 2, 80e9))
    # What torch holds in reserve is free as well.
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: free)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: free / 2)
    assert devices.frames_at_once(CUDA, dtype, side * side) == count
    assert devices.frames_at_once(CPU, dtype, side * side) == 1


def test_a_single_frame_cannot_be_halved() -> None:
    size = BatchSize(5)
    assert size.failed(5)
    assert size.now == 2
    assert size.failed(2)
    assert not size.failed(1)
    assert size.now == 1
