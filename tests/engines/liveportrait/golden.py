"""Reads the reference data in tests/data/liveportrait: parts of tensors, and sums over the whole of them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).resolve().parents[2] / "data" / "liveportrait"
_PROJECTIONS = 4
_LARGEST = 10_000_000


class Golden:
    """One file of reference data."""

    def __init__(self, name: str) -> None:
        self._arrays = np.load(DATA / f"{name}.npz")
        self.meta = json.loads(str(self._arrays["meta"]))

    def names(self) -> list[str]:
        """The tensors it knows."""
        return list(self.meta["tensors"])

    def part(self, name: str) -> np.ndarray:
        """What is stored of a tensor: all of a small one."""
        return self._arrays[f"{name}.slice"]

    def deviation(self, name: str, value: Any) -> float:
        """How far an array or tensor is from the reference at most, in the part stored and the sums, per its spread."""
        facts = self.meta["tensors"][name]
        value = np.asarray(value)
        assert list(value.shape) == facts["shape"], f"{name}: {value.shape} instead of {facts['shape']}"
        window = tuple(slice(*bounds) for bounds in facts["slice"])
        reference = self._arrays[f"{name}.summary"]
        spread = reference[1]
        here = np.abs(value[window].astype(np.float64) - self.part(name)).max()
        sums = np.abs(_summary(value) - reference)
        sums[2] /= value.size  # A sum grows with the tensor; its mean is what can be compared.
        return float(max(here, sums.max()) / spread)


@cache
def _signs() -> list[np.ndarray]:
    """Of each projection as many as the largest tensor needs; a smaller one takes the first of them."""
    return [
        2 * np.random.RandomState(1000 + k).randint(0, 2, _LARGEST).astype(np.int8) - 1 for k in range(_PROJECTIONS)
    ]


def _summary(value: np.ndarray) -> np.ndarray:
    flat = value.astype(np.float64).ravel()
    projections = [flat @ signs[: flat.size] / np.sqrt(flat.size) for signs in _signs()]
    return np.array([flat.mean(), flat.std(), flat.sum(), flat.min(), flat.max(), *projections])
