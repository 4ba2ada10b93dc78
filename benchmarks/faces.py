"""How well the parts of a face are found, against marks set by hand, after changes that photos go through.

    python -m benchmarks.faces

Errors are in distances between the irises. The example is always measured; the paintings where they lie beside the
project.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from gaze.faces import Face, Iris, Opening, find_faces, typical_face
from gaze.portrait import Portrait, load_portrait

ROOT = Path(__file__).resolve().parents[1]
MARKS = ROOT / "tests" / "data"
EXAMPLE = ROOT / "assets" / "examples" / "astronaut.jpg"
PAINTINGS = ROOT.parent / "shared" / "portraits"

Change = Callable[[np.ndarray, Face], tuple[np.ndarray, Face]]


def read_marks(name: str) -> dict[str, Face]:
    """Faces as marked by hand, by the name of the picture."""
    marks = json.loads((MARKS / name).read_text())
    return {picture: _marked(mark) for picture, mark in marks.items()}


def _marked(mark: dict) -> Face:
    left, right = Iris(*mark["left"]), Iris(*mark["right"])
    typical = typical_face(left, right)
    return Face(
        box=typical.box,
        left=left,
        right=right,
        confidence=1.0,
        openings=tuple(Opening(*map(tuple, corners)) for corners in mark["openings"]),
        # A brow that was painted over cannot be marked.
        brows=tuple(map(tuple, mark["brows"] or [(np.nan, np.nan)] * 2)),
        nose=tuple(mark["nose"]),
        mouth=tuple(map(tuple, mark["mouth"])),
        chin=tuple(mark["chin"]),
    )


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
        return image, face.mapped(lambda x, y: tuple(matrix @ (x, y, 1)), 1, face.box)

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
        return cv2.resize(image, (width, height), interpolation=kind), face.moved(
            scale, scale / 2 - 0.5, scale / 2 - 0.5
        )

    return change


def compressed(image: np.ndarray, face: Face) -> tuple[np.ndarray, Face]:
    data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]), face


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


CHANGES: dict[str, Change] = {
    "as it is": lambda image, face: (image, face),
    **{f"turned {degrees}°": turned(degrees) for degrees in (-30, -25, -15, 15, 25, 30)},
    "mirrored": mirrored,
    "grey": grey,
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


def errors(found: Face, truth: Face) -> dict[str, float]:
    """Distances from the truth, in its iris distances; of the lids only across them, where they have a place."""
    unit = truth.iris_distance
    down = np.array([-np.sin(truth.roll), np.cos(truth.roll)])

    def apart(a: tuple[float, float], b: tuple[float, float]) -> float:
        return float(np.hypot(a[0] - b[0], a[1] - b[1])) / unit

    eyes = list(zip((found.left, found.right), (truth.left, truth.right), strict=True))
    lids = list(zip(found.openings, truth.openings, strict=True))
    return {
        "left": apart((found.left.x, found.left.y), (truth.left.x, truth.left.y)),
        "right": apart((found.right.x, found.right.y), (truth.right.x, truth.right.y)),
        "radius": max(abs(a.radius - b.radius) for a, b in eyes) / unit,
        "upper": max(abs(float(np.subtract(a.upper, b.upper) @ down)) for a, b in lids) / unit,
        "lower": max(abs(float(np.subtract(a.lower, b.lower) @ down)) for a, b in lids) / unit,
        "corner": max(max(apart(a.left, b.left), apart(a.right, b.right)) for a, b in lids),
        "brow": max(apart(a, b) for a, b in zip(found.brows, truth.brows, strict=True)),
        "nose": apart(found.nose, truth.nose),
        "mouth": max(apart(a, b) for a, b in zip(found.mouth, truth.mouth, strict=True)),
        "chin": apart(found.chin, truth.chin),
    }


def pictures() -> Iterator[tuple[str, np.ndarray, Face]]:
    """The portraits at hand: name, (h, w, 3) uint8 RGB, and the face marked by hand."""
    yield "astronaut", load_portrait(EXAMPLE).image, read_marks("faces.json")["astronaut"]
    for name, truth in read_marks("faces_paintings.json").items():
        path = PAINTINGS / f"{name}.jpg"
        if path.exists():
            yield name, load_portrait(path).image, truth


def main() -> None:
    everything: list[dict[str, float]] = []
    for name, image, face in pictures():
        heading = ["confidence", "seconds", *errors(face, face)]
        print(f"\n| {name} | {' | '.join(heading)} |\n|{'---|' * (len(heading) + 1)}")
        for what, change in CHANGES.items():
            changed, truth = change(image, face)
            started = time.process_time()
            faces = find_faces(Portrait(changed))
            seconds = time.process_time() - started
            if not faces:
                print(f"| {what} | none | {seconds:.2f} |")
                continue
            row = errors(faces[0], truth)
            everything.append(row)
            cells = " | ".join(f"{value:.3f}" for value in row.values())
            print(f"| {what} | {faces[0].confidence:.2f} | {seconds:.2f} | {cells} |")
    print(f"\n| of all | {' | '.join(everything[0])} |\n|{'---|' * (len(everything[0]) + 1)}")
    for what, statistic in (("median", np.nanmedian), ("largest", np.nanmax)):
        print(
            f"| {what} | {' | '.join(f'{statistic([row[key] for row in everything]):.3f}' for key in everything[0])} |"
        )


if __name__ == "__main__":
    main()
