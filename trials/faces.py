"""Photos whose faces are hard to find, or that have none. Each has to end in a portrait or in a refusal, which is
quoted.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import cv2
import numpy as np
from skimage import data

from benchmarks.changes import CHANGES, HIDDEN, grey, mirrored, turned
from benchmarks.faces import pictures
from gaze.face.detection import main_face
from gaze.face.face import Face
from gaze.options import Options
from gaze.photo.portrait import Portrait, load_portrait
from gaze.pipeline.preparing import prepare_portrait
from trials.corpus import EXAMPLE
from trials.trying import REFUSED, Limits, Row, Size, attempt

MASKS = ((60, 110, 150), (240, 240, 240), (20, 20, 20))
LIMITS = Limits(seconds=5, megabytes=500)


def rows(size: Size) -> Iterator[Row]:
    image = load_portrait(EXAMPLE).image
    face = main_face(Portrait(image))[0]
    kinds = {
        "no face: a cup, a rocket, bricks, coins, a page, the moon, a clock, noise, one colour and others": faceless(),
        "one face, whole": [image],
        "many faces: 2, 4, 9, 36 alike; a large among small ones": many(image, face),
        "partly cut off: by a quarter, a third, half, from each side": cut(image, face),
        "at the border, whole": bordering(image, face),
        "tiny: 6, 10, 14, 20, 30 pixels between the irises": [
            shrunk(image, face, unit) for unit in (6, 10, 14, 20, 30)
        ],
        "tiny in a large picture": [lost(image, face, unit) for unit in (10, 20, 30, 40)],
        "turned by 15, 30, 45, 60, 90, 180 degrees": [turned(it)(image, face)[0] for it in (15, 30, 45, 60, 90, 180)],
        "in profile (squeezed sideways)": [squeezed(image, face, it) for it in (0.8, 0.6, 0.4)],
        "in a mirror; with and without its original": [mirrored(image, face)[0], np.hstack([image, image[:, ::-1]])],
        "masked, nose to chin: blue, white, black": [masked(image, face, colour) for colour in MASKS],
        "eyes closed or covered": [change(image, face) for change in HIDDEN.values()],
        "dark, bright, grey, noisy, compressed, and other changes": [it(image, face)[0] for it in CHANGES.values()],
        "a statue (stone, without colour)": [stone(image, face)],
        "a painting, a drawing (by filters)": [painted(image), drawn(image)],
        "paintings (those that are not part of the project)": [picture for _, picture, _ in pictures()][1:],
        "a cat": [data.chelsea()],
        "faces of 25 × 25 pixels, enlarged": [enlarged(it) for it in data.lfw_subset()[:5]],
    }
    for what, images in kinds.items():
        if not images:
            continue
        tries = [attempt(partial(_made, np.ascontiguousarray(it)), LIMITS) for it in images]
        words = dict.fromkeys(it.words.split(". ")[0].split(":")[0] for it in tries if it.happened == REFUSED)
        told = "; ".join(f"“{it}”" for it in words)
        yield Row(f"{what}{f' — {told}' if told else ''}", tries)


def _made(image: np.ndarray) -> str:
    prepare_portrait(image, Options())
    return "portrait"


def faceless() -> list[np.ndarray]:
    names = ("coffee", "rocket", "brick", "coins", "page", "moon", "text", "gravel", "grass", "retina", "clock")
    noise = np.random.default_rng(1).integers(0, 256, (400, 400, 3), np.uint8)
    return [*(coloured(getattr(data, name)()) for name in names), noise, np.full((400, 400, 3), 128, np.uint8)]


def coloured(picture: np.ndarray) -> np.ndarray:
    return picture[..., :3] if picture.ndim == 3 else np.dstack([picture] * 3)


def near(image: np.ndarray, face: Face) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the head."""
    (x, y), unit = face.centre, face.iris_distance
    left, top = max(0, round(x - 1.6 * unit)), max(0, round(y - 1.7 * unit))
    return left, top, min(image.shape[1], round(x + 1.6 * unit)), min(image.shape[0], round(y + 2.2 * unit))


def many(image: np.ndarray, face: Face) -> list[np.ndarray]:
    left, top, right, bottom = near(image, face)
    head = cv2.resize(image[top:bottom, left:right], (200, 240), interpolation=cv2.INTER_AREA)
    alike = [np.tile(head, (*tiles, 1)) for tiles in ((1, 2), (2, 2), (3, 3), (6, 6))]
    mixed = np.tile(cv2.resize(head, (100, 120), interpolation=cv2.INTER_AREA), (4, 6, 1))
    mixed[120:360, 200:400] = head
    return [*alike, mixed]


def cut(image: np.ndarray, face: Face) -> list[np.ndarray]:
    """The head with a part of it beyond each border."""
    left, top, right, bottom = near(image, face)
    parts = []
    for share in (1 / 4, 1 / 3, 1 / 2):
        across, down = round((right - left) * share), round((bottom - top) * share)
        parts += [image[:, left + across :], image[:, : right - across], image[top + down :], image[: bottom - down]]
    return parts


def bordering(image: np.ndarray, face: Face) -> list[np.ndarray]:
    """The head just inside each border."""
    left, top, right, bottom = near(image, face)
    return [image[:, left:], image[:, :right], image[top:], image[:bottom], image[top:bottom, left:right]]


def shrunk(image: np.ndarray, face: Face, unit: float) -> np.ndarray:
    scale = unit / face.iris_distance
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    margin = max(0, 100 - min(small.shape[:2]))
    return cv2.copyMakeBorder(small, margin, margin, margin, margin, cv2.BORDER_REPLICATE)


def lost(image: np.ndarray, face: Face, unit: float) -> np.ndarray:
    """The person as a small part of a picture of 2000 × 1500 pixels."""
    scene = cv2.resize(data.coffee(), (2000, 1500), interpolation=cv2.INTER_CUBIC)
    scale = unit / face.iris_distance
    person = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    scene[200 : 200 + person.shape[0], 150 : 150 + person.shape[1]] = person
    return scene


def squeezed(image: np.ndarray, face: Face, share: float) -> np.ndarray:
    """The side of the face that turns away made narrower, as in a turned head."""
    x = round(face.centre[0])
    narrow = (max(1, round((image.shape[1] - x) * share)), image.shape[0])
    return np.hstack([image[:, :x], cv2.resize(image[:, x:], narrow, interpolation=cv2.INTER_AREA)])


def masked(image: np.ndarray, face: Face, colour: tuple[int, int, int]) -> np.ndarray:
    """A mask from the middle of the nose to under the chin, and its strings."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    u, v = face.to_frame(x, y)
    cover = (np.abs(u) < 0.95 - 0.25 * np.maximum(0, v - 1)) & (v > 0.35 + 0.2 * np.abs(u)) & (v < 1.9)
    return np.where(cover[..., None], np.array(colour, np.uint8), image)


def stone(image: np.ndarray, face: Face) -> np.ndarray:
    """Without colour, its tones drawn together, eyes as light as the rest."""
    plain, _ = grey(image, face)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    u, v = face.to_frame(x, y)
    eyes = (((np.abs(u) - 0.5) / 0.28) ** 2 + (v / 0.14) ** 2 < 1)[..., None]
    light = np.where(eyes, 0.3 * plain + 0.7 * plain[~eyes[..., 0]].mean(), plain)
    grain = np.random.default_rng(2).normal(0, 5, image.shape[:2])[..., None]
    return np.clip(70 + 0.6 * light + grain, 0, 255).astype(np.uint8)


def painted(image: np.ndarray) -> np.ndarray:
    return cv2.stylization(image, sigma_s=40, sigma_r=0.4)


def drawn(image: np.ndarray) -> np.ndarray:
    return coloured(cv2.pencilSketch(image, sigma_s=40, sigma_r=0.1, shade_factor=0.04)[0])


def enlarged(face: np.ndarray) -> np.ndarray:
    return coloured((cv2.resize(face, (400, 400), interpolation=cv2.INTER_CUBIC).clip(0, 1) * 255).astype(np.uint8))
