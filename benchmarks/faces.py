"""How well the parts of a face are found, against marks set by hand, after changes that photos go through.

    python -m benchmarks.faces

Errors are in distances between the irises. The example is always measured; the paintings where they lie beside the
project.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.changes import CHANGES
from gaze.faces import Face, Iris, Opening, find_faces, typical_face
from gaze.portrait import Portrait, load_portrait

ROOT = Path(__file__).resolve().parents[1]
MARKS = ROOT / "tests" / "data"
EXAMPLE = ROOT / "assets" / "examples" / "astronaut.jpg"
PAINTINGS = ROOT.parent / "shared" / "portraits"


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
