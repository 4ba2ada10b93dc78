"""A person before a green screen, and a tiny network that tells green from all else: the true matte is known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from gaze.face.face import Face

GREEN = (0, 255, 0)
FAMILIES = {
    320: (np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])),
    1024: (np.array([0.5, 0.5, 0.5]), np.ones(3)),
}
"""How rembg brings pictures into the range of a network of the families of U²-Net and IS-Net, by the side they take."""


def write_network(path: Path, side: int = 320) -> Path:
    """An ONNX file as rembg's custom sessions take it: alpha is 1.5 - 4·(green - mean of red and blue), 0 to 1."""
    weights = np.array([2, -4, 2])
    mean, spread = FAMILIES.get(side, FAMILIES[320])
    constants = {
        "weights": (weights * spread).reshape(1, 3, 1, 1),
        "bias": np.array([1.5 + weights @ mean]),
        "zero": np.array(0),
        "one": np.array(1),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["picture", "weights", "bias"], ["linear"]),
            helper.make_node("Clip", ["linear", "zero", "one"], ["matte"]),
        ],
        "green",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info("matte", TensorProto.FLOAT, [1, 1, side, side])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def person(face: Face, height: int, width: int) -> np.ndarray:
    """The matte of head and shoulders around a face, with a soft edge: (height, width) uint8."""
    u, v = face.to_frame(*np.meshgrid(np.arange(width, dtype=float), np.arange(height, dtype=float)))
    head = np.hypot(u / 1.5, (v - 0.1) / 1.9) < 1
    shoulders = (np.hypot(u / 3, (v - 4) / 2.2) < 1) | ((np.abs(u) < 0.8) & (v > 1))
    return cv2.GaussianBlur(np.where(head | shoulders, 255, 0).astype(np.uint8), (0, 0), 1)


def before_green(image: np.ndarray, matte: np.ndarray) -> np.ndarray:
    """A picture composed with green by its matte."""
    share = matte[..., None] / 255
    return np.rint(image * share + np.array(GREEN) * (1 - share)).astype(np.uint8)


def find_green(picture: np.ndarray) -> np.ndarray:
    """What `write_network` finds, at full size: (height, width) uint8."""
    share = np.clip(1.5 - 4 * greenness(picture) / 255, 0, 1)
    return np.rint(255 * share).astype(np.uint8)


def greenness(picture: np.ndarray) -> np.ndarray:
    """(height, width) float64: how much greener than red and blue."""
    red, green, blue = np.moveaxis(picture[..., :3].astype(float), -1, 0)
    return green - (red + blue) / 2
