"""How well faces are found, where they look, and whether hidden eyes are noticed.

    python -m benchmarks.faces [--against FOLDER] [PHOTO ...]

Irises are compared with marks set by hand, after changes that photos go through. Further photos are measured without
marks: how many have a face that is taken. Eyes are drawn at known places. With --against, another checkout of the
project does the same in the same run.

Errors are in distances between the irises, of the worse iris. The example is always measured; the paintings where they
lie beside the project.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
from skimage import data

from benchmarks.changes import CHANGES, HIDDEN, compressed, cropped, noisy, resized
from benchmarks.drawn_eyes import draw_eyes, random_eyes
from benchmarks.finding import TAKEN, Answer, ask, loading
from benchmarks.instant import PHOTO
from gaze.engines.warp.engine import WarpEngine
from gaze.engines.warp.region import tilt_axes
from gaze.face.detection import find_faces
from gaze.face.face import Contours, Face, Iris
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
from tests.faces import typical_face

ROOT = Path(__file__).resolve().parents[1]
MARKS = ROOT / "tests" / "data"
PAINTINGS = MARKS / "paintings"

_CHANGES = ("as it is", "turned -25°", "grey", "20 px")
"""Those of `CHANGES` that two versions are compared on: the older takes seconds for a picture."""
_READ_BACK = ("as it is", "JPEG 30")
_LIDS = ((LEFT_UPPER_LID, LEFT_LOWER_LID), (RIGHT_UPPER_LID, RIGHT_LOWER_LID))
_BROWS = ((LEFT_BROW, LEFT_BROW_BELOW), (RIGHT_BROW, RIGHT_BROW_BELOW))


def read_marks(name: str) -> dict[str, Face]:
    """Faces as marked by hand, by the name of the picture."""
    marks = json.loads((MARKS / name).read_text())
    return {picture: _marked(mark) for picture, mark in marks.items()}


def _marked(mark: dict[str, Any]) -> Face:
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
    _, down = tilt_axes(truth.tilt)

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
    yield "astronaut", load_portrait(PHOTO).image, read_marks("faces.json")["astronaut"]
    for name, truth in read_marks("faces_paintings.json").items():
        path = PAINTINGS / f"{name}.jpg"
        if path.exists():
            yield name, load_portrait(path).image, truth


def worse_iris(answer: Answer, truth: Face) -> tuple[float, float] | None:
    """Errors of the place and of the radius; None where the face was not taken."""
    if not answer.taken:
        return None
    irises = answer.irises[int(np.argmax(np.array(answer.confidences) >= TAKEN))]
    off = [np.hypot(x - it.x, y - it.y) for (x, y, _), it in zip(irises, (truth.left, truth.right), strict=True)]
    radius = [abs(r - it.radius) for (_, _, r), it in zip(irises, (truth.left, truth.right), strict=True)]
    return float(max(off)) / truth.iris_distance, float(max(radius)) / truth.iris_distance


def faceless() -> list[np.ndarray]:
    """Pictures without a person's face."""
    images = [getattr(data, name)() for name in ("coffee", "rocket", "brick", "coins", "page", "chelsea")]
    return [np.ascontiguousarray(it[..., :3] if it.ndim == 3 else np.dstack([it] * 3)) for it in images]


def small_in_large() -> tuple[np.ndarray, Face]:
    """The example with 40 pixels between the irises in a photo of 4000 × 3000."""
    _, image, truth = next(pictures())
    image, truth = resized(40)(image, truth)
    large = np.full((3000, 4000, 3), (90, 110, 130), np.uint8)
    large[1700 : 1700 + image.shape[0], 2600 : 2600 + image.shape[1]] = image
    return large, truth.moved(1, 2600, 1700)


def print_found(folders: dict[str, Path]) -> None:
    shown = [(change(image, truth)) for _, image, truth in pictures() for change in map(CHANGES.__getitem__, _CHANGES)]
    hidden = [hide(image, truth) for _, image, truth in islice(pictures(), 3) for hide in HIDDEN.values()]
    large, large_truth = small_in_large()
    rows: dict[str, list[str]] = {}
    for folder in folders.values():
        answers = ask(folder, [*(image for image, _ in shown), *hidden, *faceless(), large])
        found, rest = answers[: len(shown)], answers[len(shown) :]
        errors = [it for answer, (_, truth) in zip(found, shown, strict=True) if (it := worse_iris(answer, truth))]
        place, radius = np.array(errors).T
        refused = [answer.seconds for answer in found + rest if not answer.taken]
        lost = worse_iris(answers[-1], large_truth)
        for what, value in {
            f"found, of {len(shown)}": f"{len(errors)}",
            "worse iris: median, 90 of 100, largest": ", ".join(
                f"{it:.3f}" for it in (np.median(place), np.quantile(place, 0.9), place.max())
            ),
            "beyond 0.06, beyond 0.12": f"{(place > 0.06).sum()}, {(place > 0.12).sum()}",
            "radius: median, 90 of 100": f"{np.median(radius):.3f}, {np.quantile(radius, 0.9):.3f}",
            f"taken with hidden eyes, of {len(hidden)}": f"{sum(it.taken for it in rest[: len(hidden)])}",
            f"taken without a face, of {len(faceless())}": f"{sum(it.taken for it in rest[len(hidden) : -1])}",
            "40 px between the irises in 4000 × 3000": f"{lost[0]:.3f}" if lost else "not found",
            "CPU seconds: found, median": f"{np.median([it.seconds for it in found if it.taken]):.3f}",
            "CPU seconds: not found, median and most": f"{np.median(refused):.3f}, {max(refused):.3f}",
            "CPU seconds: import, and load of the networks": f"{loading(folder):.2f}",
        }.items():
            rows.setdefault(what, []).append(value)
    print(f"\n| | {' | '.join(folders)} |\n|---{'|---' * len(folders)}|")
    for what, values in rows.items():
        print(f"| {what} | {' | '.join(values)} |")


def print_parts() -> None:
    """Errors of all parts, of the example and the paintings as they are."""
    everything = []
    for _, image, truth in pictures():
        if faces := find_faces(Portrait(image)):
            everything.append(errors(faces[0], truth))
    print(f"\n| | {' | '.join(everything[0])} |\n|---{'|---' * len(everything[0])}|")
    for what, statistic in (("median", np.nanmedian), ("largest", np.nanmax)):
        cells = " | ".join(f"{statistic([row[key] for row in everything]):.3f}" for key in everything[0])
        print(f"| {what} | {cells} |")


def print_looks() -> None:
    """Looks from side to side that the instant engine gave the portraits, and what is read of them."""
    print(f"\n| look: slope, constant ± off | {' | '.join(_READ_BACK)} |\n|---{'|---' * len(_READ_BACK)}|")
    for name, image, _ in pictures():
        if not (faces := find_faces(Portrait(image))):
            continue
        source = WarpEngine(straighten=False).prepare(Portrait(image), faces[0])
        cells = []
        for what in _READ_BACK:
            looks = []
            for x in (-15, -7.5, 0, 7.5, 15):
                frame = WarpEngine().render(source, [Pose(pupil_x=x)])[0]
                if found := find_faces(Portrait(CHANGES[what](frame, faces[0])[0])):
                    looks.append((0.08 * x / 15, found[0].gaze))
            drawn, read = np.array(looks).T
            slope, constant = np.polyfit(drawn, read, 1)
            off = np.sqrt(np.mean((read - slope * drawn - constant) ** 2))
            cells.append(f"{slope:.2f}, {constant:+.3f} ± {off:.3f}")
        print(f"| {name} | {' | '.join(cells)} |")


def print_drawn(folders: dict[str, Path]) -> None:
    """Errors on eyes drawn over those of the example, at four sizes, a third of them noisy, a third as JPEG."""
    _, image, truth = next(pictures())
    shown: dict[str, list[tuple[np.ndarray, Face]]] = {}
    for name, sizes in (("as people have", (0.08, 0.105)), ("larger", (0.12, 0.16))):
        for distance, seed in product((25, 45, 90, 160), range(9)):
            drawn = draw_eyes(*resized(distance)(*cropped(2.2, 2.2, 2.2)(image, truth)), random_eyes(seed, sizes))
            shown.setdefault(name, []).append((lambda *it: it, noisy, compressed)[seed % 3](*drawn))
    print(f"\n| irises | {' | '.join(f'{it}: found, place, radius' for it in folders)} |\n|---{'|---' * len(folders)}|")
    for name, drawings in shown.items():
        cells = []
        for folder in folders.values():
            answers = ask(folder, [drawing for drawing, _ in drawings])
            errors = [
                it for answer, (_, told) in zip(answers, drawings, strict=True) if (it := worse_iris(answer, told))
            ]
            place, radius = (f"{np.median(it):.3f}, {np.quantile(it, 0.9):.3f}" for it in np.array(errors).T)
            cells.append(f"{len(errors)} of {len(drawings)}; {place}; {radius}")
        print(f"| {name} | {' | '.join(cells)} |")


def print_photos(folders: dict[str, Path], photos: list[Path]) -> None:
    images = [load_portrait(path).image for path in photos]
    for name, folder in folders.items():
        answers = ask(folder, images)
        seconds = np.median([it.seconds for it in answers])
        print(
            f"\n{name}: a face is taken in {sum(it.taken for it in answers)} of {len(photos)}, {seconds:.3f} s of CPU"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, metavar="FOLDER")
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTO")
    arguments = parser.parse_args()
    folders = {"now": ROOT}
    if arguments.against:
        folders = {"before": arguments.against.resolve(), **folders}
    print_found(folders)
    print_drawn(folders)
    if arguments.photos:
        print_photos(folders, arguments.photos)
    print_parts()
    print_looks()


if __name__ == "__main__":
    main()
