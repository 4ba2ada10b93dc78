"""What photos of faces go through: changes that leave a face findable, and such that hide its eyes."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from gaze.face.face import Face

Change = Callable[[np.ndarray, Face], tuple[np.ndarray, Face]]


def turned(degrees: float) -> Change:
    """Turn a picture about its face, on a canvas large enough for all of it."""

    def change(image: np.ndarray, face: Face) -> tuple[np.ndarray, Face]:
        height, width = image.shape[:2]
        matrix = cv2.getRotationMatrix2D(face.centre, degrees, 1)
        corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]]) @ matrix.T
        matrix[:, 2] -= corners.min(0)
        size = np.ceil(np.ptp(corners, axis=0)).astype(int)
        image = cv2.warpAffine(
            image, matrix, (int(size[0]), int(size[1])), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        return image, face.mapped(lambda points: points @ matrix[:, :2].T + matrix[:, 2], 1)

    return change


def mirrored(image: np.ndarray, face: Face) -> tuple[np.ndarray, Face]:
    return np.ascontiguousarray(image[:, ::-1]), face.mirrored(image.shape[1])


def grey(image: np.ndarray, face: Face) -> tuple[np.ndarray, Face]:
    return np.dstack([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)] * 3), face


def gamma(power: float) -> Change:
    table = (255 * (np.arange(256) / 255) ** power + 0.5).astype(np.uint8)
    return lambda image, face: (table[image], face)


def resized(iris_distance: float) -> Change:
    def change(image: np.ndarray, face: Face) -> tuple[np.ndarray, Face]:
        scale = iris_distance / face.iris_distance
        height, width = (round(side * scale) for side in image.shape[:2])
        kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        return cv2.resize(image, (width, height), interpolation=kind), face.scaled(scale)

    return change


def compressed(image: np.ndarray, face: Face) -> tuple[np.ndarray, Face]:
    data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.ascontiguousarray(decoded[..., ::-1]), face


def noisy(image: np.ndarray, face: Face) -> tuple[np.ndarray, Face]:
    noise = np.random.default_rng(0).normal(0, 12, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8), face


def framed(image: np.ndarray, face: Face) -> tuple[np.ndarray, Face]:
    """The picture as a small part of a large one."""
    height, width = image.shape[:2]
    canvas = np.full((2 * height, 2 * width, 3), (90, 110, 130), np.uint8)
    canvas[height // 3 : height // 3 + height, width // 2 : width // 2 + width] = image
    return canvas, face.moved(1, width // 2, height // 3)


def cropped(across: float, above: float, below: float) -> Change:
    """Only this many iris distances about the middle between the eyes."""

    def change(image: np.ndarray, face: Face) -> tuple[np.ndarray, Face]:
        (x, y), unit = face.centre, face.iris_distance
        left, top = max(0, int(x - across * unit)), max(0, int(y - above * unit))
        part = image[top : int(y + below * unit), left : int(x + across * unit)]
        return np.ascontiguousarray(part), face.moved(1, -left, -top)

    return change


_LENSES = [((side * 0.52, 0.06), (0.4, 0.32)) for side in (-1, 1)]


def dark_skinned(image: np.ndarray, face: Face) -> tuple[np.ndarray, Face]:
    """Dark skin.

    Light is the sum of what comes out of the skin, which pigment takes away, and of the shine on it, which stays. What
    is brighter than the cheeks counts as shine by half. The whites of the eyes keep their light; lips lose some of it.
    Clothes and background stay, exposed as they were.
    """
    light = (image / 255.0) ** 2.2
    cheeks = _drawn(image, face, [((side * 0.5, 0.5), (0.15, 0.12)) for side in (-1, 1)]) > 0.5
    shine = 0.5 * np.maximum(light - np.median(light[cheeks], axis=0), 0).min(2, keepdims=True)
    skin = _drawn(image, face, [((0, 0.35), (1.05, 1.55))], 0.12)
    whites = np.zeros_like(skin)
    for eye, side in zip(face.openings, (-1, 1), strict=True):
        upper, lower = face.to_frame(*eye.upper)[1], face.to_frame(*eye.lower)[1]
        whites += _drawn(image, face, [((side * 0.5, (upper + lower) / 2), (0.17, 0.4 * (lower - upper)))])
    mouth = np.mean(face.mouth, axis=0)
    lips = _drawn(image, face, [(face.to_frame(*mouth), (0.35, 0.13))], 0.05)
    cover = (skin * (1 - 0.6 * whites) * (1 - 0.4 * lips))[..., None]
    light = (light - shine) * (1 - cover * (1 - np.array([0.28, 0.18, 0.13]))) + shine
    return (255 * light.clip(0, 1) ** (1 / 2.2) + 0.5).astype(np.uint8), face


def underexposed(image: np.ndarray, face: Face) -> tuple[np.ndarray, Face]:
    """Three stops too dark."""
    return (255 * ((image / 255.0) ** 2.2 / 8) ** (1 / 2.2) + 0.5).astype(np.uint8), face


def with_glasses(image: np.ndarray, face: Face) -> tuple[np.ndarray, Face]:
    """Dark rims around both eyes, and a bridge."""
    rims = _drawn(image, face, _LENSES) - _drawn(image, face, [(at, (w - 0.045, h - 0.045)) for at, (w, h) in _LENSES])
    rims = np.maximum(rims, _drawn(image, face, [((0, 0.0), (0.14, 0.03))]))
    return _painted(image, rims, (45, 35, 30)), face


def with_sunglasses(image: np.ndarray, face: Face) -> np.ndarray:
    lenses = np.maximum(_drawn(image, face, _LENSES), _drawn(image, face, [((0, 0.0), (0.14, 0.03))]))
    return _painted(image, lenses, (30, 28, 32))


def skin_over(side: int) -> Callable[[np.ndarray, Face], np.ndarray]:
    """One eye, -1 the left or 1 the right, vanished under skin."""

    def change(image: np.ndarray, face: Face) -> np.ndarray:
        x, y = _at(face, side * 0.5, 0.4)
        colour = image[min(round(y), image.shape[0] - 1), round(x)]
        return _painted(image, _drawn(image, face, [((side * 0.5, 0), (0.33, 0.2))], 0.03), colour)

    return change


def patch_over(side: int) -> Callable[[np.ndarray, Face], np.ndarray]:
    """A black patch on one eye."""
    return lambda image, face: _painted(image, _drawn(image, face, [((side * 0.5, 0.02), (0.36, 0.3))]), (20, 20, 22))


def hair_over(side: int) -> Callable[[np.ndarray, Face], np.ndarray]:
    """Brown strands that fall over one eye."""

    def change(image: np.ndarray, face: Face) -> np.ndarray:
        height, width = image.shape[:2]
        strands = np.random.default_rng(1).normal(0, 1, (1, 256)).astype(np.float32)
        y, x = np.mgrid[:height, :width].astype(np.float32)
        u, v = face.to_frame(x, y)
        u = side * u + 0.15 * v * v
        shade = cv2.remap(strands, ((u * 70) % 255).astype(np.float32), u * 0, cv2.INTER_LINEAR)
        cover = np.clip((u - 0.18) / 0.04, 0, 1) * np.clip((0.95 - u) / 0.04, 0, 1) * np.clip((0.7 - v) / 0.2, 0, 1)
        colour = np.array([80, 55, 40]) + 22 * shade[..., None] * (1, 0.8, 0.6)
        cover = cover[..., None] * (v > -1.3)[..., None]
        return np.clip(image * (1 - cover) + cover * colour, 0, 255).astype(np.uint8)

    return change


def eyes_closed(image: np.ndarray, face: Face) -> np.ndarray:
    """Skin over the eyes, with lashes along where the lids meet."""
    unit = face.iris_distance
    for side in (-1, 1):
        x, y = _at(face, side * 0.5, 0.3)
        lid = 0.9 * image[min(round(y), image.shape[0] - 1), round(x)]
        image = _painted(image, _drawn(image, face, [((side * 0.5, 0.0), (0.3, 0.17))], 0.03), lid)
        s = np.linspace(-1, 1, 40)
        arc = [_at(face, side * 0.5 + 0.24 * t, 0.045 + 0.05 * (1 - t * t)) for t in s]
        lashes = np.zeros(image.shape[:2], np.uint8)
        line = np.round(np.array(arc) * 16).astype(np.int32)
        cv2.polylines(lashes, [line], False, 255, max(1, round(0.045 * unit)), cv2.LINE_AA, 4)
        image = _painted(image, lashes / np.float32(255), (50, 35, 30))
    return image


def _at(face: Face, u: float, v: float) -> tuple[float, float]:
    """A place of the face frame in the image."""
    cos, sin = np.cos(face.tilt), np.sin(face.tilt)
    x, y = face.centre
    return x + face.iris_distance * (u * cos - v * sin), y + face.iris_distance * (u * sin + v * cos)


def _drawn(
    image: np.ndarray, face: Face, ovals: list[tuple[tuple[float, float], tuple[float, float]]], soft: float = 0.01
) -> np.ndarray:
    """Coverage, 0 to 1, of rounded boxes of the face frame: middles and half sizes; with a soft edge."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    u, v = face.to_frame(x, y)
    inside = [((u - at_u) / across) ** 4 + ((v - at_v) / down) ** 4 < 1 for (at_u, at_v), (across, down) in ovals]
    return cv2.GaussianBlur(np.any(inside, axis=0).astype(np.float32), (0, 0), max(0.4, soft * face.iris_distance))


def _painted(image: np.ndarray, cover: np.ndarray, colour: tuple[int, int, int] | np.ndarray) -> np.ndarray:
    return (image * (1 - cover[..., None]) + cover[..., None] * np.array(colour)).astype(np.uint8)


CHANGES: dict[str, Change] = {
    "as it is": lambda image, face: (image, face),
    **{f"turned {degrees}°": turned(degrees) for degrees in (-30, -25, -15, 15, 25, 30)},
    "mirrored": mirrored,
    "grey": grey,
    "dark skin": dark_skinned,
    "underexposed": underexposed,
    "glasses": with_glasses,
    "gamma 0.5": gamma(0.5),
    "gamma 2": gamma(2.0),
    "30 px": resized(30),
    "20 px": resized(20),
    "120 px": resized(120),
    "JPEG 30": compressed,
    "noise": noisy,
    "small": framed,
    "tight": cropped(1.15, 0.9, 1.9),
    "cut": cropped(0.95, 0.7, 1.5),
}
"""What should not keep a face from being found."""

HIDDEN: dict[str, Callable[[np.ndarray, Face], np.ndarray]] = {
    **{f"skin over the {name} eye": skin_over(side) for name, side in (("left", -1), ("right", 1))},
    **{f"patch over the {name} eye": patch_over(side) for name, side in (("left", -1), ("right", 1))},
    **{f"hair over the {name} eye": hair_over(side) for name, side in (("left", -1), ("right", 1))},
    "sunglasses": with_sunglasses,
    "eyes closed": eyes_closed,
}
"""What should."""
