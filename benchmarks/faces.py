"""How well faces are found, where they look, and whether hidden eyes are noticed.

    python -m benchmarks.faces [PHOTO ...]

Parts are compared with marks set by hand, after changes that photos go through. Looks are those that the instant engine
gave the portraits before. Further photos are measured without marks, by what is found in them unchanged.

Errors are in distances between the irises. The example is always measured; the paintings where they lie beside the
project.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from benchmarks.changes import CHANGES, HIDDEN
from gaze.engines.warp.engine import WarpEngine
from gaze.face.detection import find_faces
from gaze.face.face import Contours, Face, Iris, typical_face
from gaze.face.topology import (
    CHIN,
    LEFT_BROW,
    LEFT_BROW_BELOW,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    NOSE_TIP,
    RIGHT_BROW,
    RIGHT_BROW_BELOW,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
    UPPER_LIP,
)
from gaze.grid import Pose
from gaze.photo.portrait import Portrait, load_portrait

ROOT = Path(__file__).resolve().parents[1]
MARKS = ROOT / "tests" / "data"
EXAMPLE = ROOT / "gaze" / "ui" / "examples" / "astronaut.jpg"
PAINTINGS = ROOT.parent / "shared" / "portraits"

_LIDS = ((LEFT_UPPER_LID, LEFT_LOWER_LID), (RIGHT_UPPER_LID, RIGHT_LOWER_LID))
_BROWS = ((LEFT_BROW, LEFT_BROW_BELOW), (RIGHT_BROW, RIGHT_BROW_BELOW))


def read_marks(name: str) -> dict[str, Face]:
    """Faces as marked by hand, by the name of the picture."""
    marks = json.loads((MARKS / name).read_text())
    return {picture: _marked(mark) for picture, mark in marks.items()}


def _marked(mark: dict) -> Face:
    """An average face laid by the irises, its mesh moved to the marks where there are any."""
    left, right = Iris(*mark["left"]), Iris(*mark["right"])
    typical = typical_face(left, right)
    mesh = typical.mesh.copy()
    for (upper, lower), lids in zip(_LIDS, mark["openings"], strict=True):
        middle = len(upper) // 2
        mesh[[upper[0], upper[-1], upper[middle], lower[middle]], :2] = lids
        # Between the marks the lids are taken for straight, so that the marks remain the apexes.
        for contour in (upper, lower):
            for start, end in ((0, middle), (middle, len(contour) - 1)):
                for index in range(start + 1, end):
                    share = (index - start) / (end - start)
                    mesh[contour[index], :2] = (1 - share) * mesh[contour[start], :2] + share * mesh[contour[end], :2]
    # A brow that was painted over cannot be marked.
    for contours, brow in zip(_BROWS, mark["brows"] or [(np.nan, np.nan)] * 2, strict=True):
        mesh[[contour[2] for contour in contours], :2] = brow
    mesh[NOSE_TIP, :2] = mark["nose"]
    mesh[[UPPER_LIP[0], UPPER_LIP[-1]], :2] = mark["mouth"]
    mesh[CHIN, :2] = mark["chin"]
    return replace(typical, mesh=mesh)


def errors(found: Face, truth: Face) -> dict[str, float]:
    """Distances from the truth, in its iris distances; of the lids only across them, where they have a place."""
    unit = truth.iris_distance
    down = np.array([-np.sin(truth.tilt), np.cos(truth.tilt)])

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
        "brow": max(apart(_middle(a), _middle(b)) for a, b in zip(found.brows, truth.brows, strict=True)),
        "nose": apart(found.nose, truth.nose),
        "mouth": max(apart(a, b) for a, b in zip(found.mouth, truth.mouth, strict=True)),
        "chin": apart(found.chin, truth.chin),
    }


def _middle(brow: Contours) -> tuple[float, float]:
    """The middle of a brow's two edges."""
    x, y = (brow.upper[2] + brow.lower[2]) / 2
    return float(x), float(y)


def pictures() -> Iterator[tuple[str, np.ndarray, Face]]:
    """The portraits at hand: name, (h, w, 3) uint8 RGB, and the face marked by hand."""
    yield "astronaut", load_portrait(EXAMPLE).image, read_marks("faces.json")["astronaut"]
    for name, truth in read_marks("faces_paintings.json").items():
        path = PAINTINGS / f"{name}.jpg"
        if path.exists():
            yield name, load_portrait(path).image, truth


def shown_looks(image: np.ndarray, face: Face) -> dict[str, tuple[float, float, float, int]]:
    """Looks from side to side drawn by the engine and found again, by the way the picture was changed after.

    Each: slope and constant of what is found over what was drawn, root mean square off that line, and how many of the
    seven looks could be told.
    """
    source = WarpEngine(straighten=False).prepare(Portrait(image), face)
    table = {}
    for what in ("as it is", "grey", "JPEG 30", "30 px"):
        drawn, found = [], []
        for x in (-15, -10, -5, 0, 5, 10, 15):
            frame = WarpEngine().render(source, [Pose(pupil_x=x)])[0]
            faces = find_faces(Portrait(CHANGES[what](frame, face)[0]))
            offset = faces[0].gaze if faces else 0.0
            # Exactly none: the eyes were too unlike to tell.
            if abs(offset) > 1e-9:
                drawn.append(0.08 * x / 15)
                found.append(offset)
        slope, constant = np.polyfit(drawn, found, 1) if len(found) > 2 else (np.nan, np.nan)
        off = np.subtract(found, np.multiply(slope, drawn) + constant)
        table[what] = float(slope), float(constant), float(np.sqrt(np.mean(off**2))) if len(off) else np.nan, len(found)
    return table


def print_parts() -> None:
    everything: list[dict[str, float]] = []
    times = []
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
            times.append(seconds)
            row = errors(faces[0], truth)
            everything.append(row)
            cells = " | ".join(f"{value:.3f}" for value in row.values())
            print(f"| {what} | {faces[0].confidence:.2f} | {seconds:.2f} | {cells} |")
    print(f"\n| of all | {' | '.join(everything[0])} |\n|{'---|' * (len(everything[0]) + 1)}")
    for what, statistic in (("median", np.nanmedian), ("largest", np.nanmax)):
        print(
            f"| {what} | {' | '.join(f'{statistic([row[key] for row in everything]):.3f}' for key in everything[0])} |"
        )
    print(f"\nCPU seconds to find one: median {np.median(times):.2f}, most {max(times):.2f}")


def print_nothing() -> None:
    print("\n| no face | CPU seconds |\n|---|---|")
    for name in ("coffee", "rocket", "brick", "coins", "page", "chelsea"):
        image = getattr(data, name)()
        image = np.ascontiguousarray(image[..., :3] if image.ndim == 3 else np.dstack([image] * 3))
        started = time.process_time()
        find_faces(Portrait(image))
        print(f"| {name} | {time.process_time() - started:.2f} |")


def print_looks(portraits: list[tuple[str, np.ndarray, Face]]) -> None:
    print("\n| look: slope, constant ± off (told of 7) | as it is | grey | JPEG 30 | 30 px |\n|---|---|---|---|---|")
    for name, image, _ in portraits:
        rows = shown_looks(image, find_faces(Portrait(image))[0]).values()
        cells = " | ".join(
            f"{slope:.2f}, {constant:+.3f} ± {off:.3f} ({count})" for slope, constant, off, count in rows
        )
        print(f"| {name} | {cells} |")


def print_trust(portraits: list[tuple[str, np.ndarray, Face]]) -> None:
    """How many portraits are accepted with their eyes in sight, and with them hidden."""
    print("\n| accepted | of |\n|---|---|")
    shown = {what: [change(*it)[0] for _, *it in portraits] for what, change in CHANGES.items()}
    hidden = {what: [change(*it) for _, *it in portraits] for what, change in HIDDEN.items()}
    for what, images in [*shown.items(), *hidden.items()]:
        accepted = sum(any(face.confidence >= 0.5 for face in find_faces(Portrait(image))) for image in images)
        print(f"| {what} | {accepted} of {len(images)} |")


def main() -> None:
    print_parts()
    print_nothing()
    portraits = list(pictures())
    for path in sys.argv[1:]:
        image = load_portrait(Path(path)).image
        face = find_faces(Portrait(image))[0]
        scale = min(1.0, 100 / face.iris_distance)
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        portraits.append((Path(path).stem, image, find_faces(Portrait(image))[0]))
    print_looks(portraits)
    print_trust(portraits)


if __name__ == "__main__":
    main()
