"""How true mattes are at hair: a person with drawn strands before known backgrounds, by every way there is.

.venv/bin/python -m benchmarks.hair [photo ...]

The person is cut out of a photo by the quick way, its edge taken in by a pixel, and fine strands in its own colours are
drawn around the head: that is the truth, colours and alpha. It is put before backgrounds, two calm, two busy and two
photographs, with a little noise, and each way has to find it again from the flat picture. Looked at are the pixels that
are truly soft, and those next to them. "Stray" is the mean error of alpha around them, where it is truly 0 or 1:
remnants of the background, and holes. A wider unknown band buys a smaller error at soft edges with more of these.
"Colour" is the mean difference, in levels, of the person put over black, white and magenta; with the true alpha, only
that of the colours that are found, here also of the same pictures stored as JPEGs, with hue at half the size. `finest`
is there where its network is: GAZE_MATTING_MODEL chooses it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage.data import coffee, rocket

from benchmarks.instant import PHOTO, machine
from gaze.errors import GazeError
from gaze.face.face import Face
from gaze.face.person import find_person
from gaze.matting.background import compose, find_behind
from gaze.matting.colours import find_colours
from gaze.matting.finest import load_finest
from gaze.matting.matte import quick_matte
from gaze.matting.transparency import use_transparency
from gaze.options import Options
from gaze.photo.portrait import Portrait
from gaze.pipeline.preparing import prepare_portrait
from gaze.progress import Steps

PAPERS = [np.array(colour) for colour in ((0, 0, 0), (255, 255, 255), (255, 0, 255))]
Way = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Truth:
    """A person: colours that fill the picture, and alpha, (height, width) uint8."""

    colours: np.ndarray
    alpha: np.ndarray

    @property
    def soft(self) -> np.ndarray:
        """Where alpha is between, and one pixel around."""
        return cv2.dilate(((self.alpha > 5) & (self.alpha < 250)).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0

    @property
    def around(self) -> np.ndarray:
        """What lies within 1/16 of the longer side of that."""
        reach = max(self.alpha.shape) // 16
        near = cv2.dilate(self.soft.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
        return near & ~self.soft


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, default=[PHOTO])
    parser.add_argument("--frame-size", type=int, default=512)
    args = parser.parse_args()
    print(machine(), "\n")
    people = []
    for photo in args.photos:
        portrait, face, _ = prepare_portrait(photo, Options(frame_size=args.frame_size))
        people.append((cut(portrait), with_strands(cut(portrait), face)))
    found = ways()
    print("| picture | background | way | alpha | stray | colour | CPU ms |\n|---|---|---|---|---|---|---|")
    for index, name in enumerate(("plain edge", "strands")):
        truths = [pair[index] for pair in people]
        for kind in ("calm", "busy", "photo"):
            for way, find in found.items():
                print(f"| {name} | {kind} | {way} | {measure(truths, kind, find)} |", flush=True)
            print(f"| {name} | {kind} | the true alpha, a JPEG | {measure(truths, kind, None, as_jpeg)} |", flush=True)
    print("\n| export | colour | colour, worst |\n|---|---|---|")
    for export, store in EXPORTS.items():
        off = [colour_error(truth, recovered(truth, store)) for _, truth in people]
        print(f"| {export} | {statistics.mean(off):.2f} | {max(off):.2f} |")


def ways() -> dict[str, Way | None]:
    """Every way to find a matte from a flat picture; None: it is told."""
    found: dict[str, Way | None] = {"the true alpha": None, "the map alone": enlarged}
    for radius in (4, 8, 16):
        found[f"guided filter, {radius} px"] = partial(guided, radius=radius)
    found["quick (closed form)"] = quick_matte
    try:
        loading = Steps(load_finest())
        list(loading)
        found["finest"] = loading.result
    except GazeError as error:
        print(f"No finest way here: {error}\n")
    return found


def measure(truths: list[Truth], kind: str, find: Way | None, store: Way = lambda picture: picture) -> str:
    alpha, stray, colour, seconds = [], [], [], []
    for truth in truths:
        for picture in map(store, before_backgrounds(truth, kind)):
            started = time.process_time()
            matte = find(picture) if find else truth.alpha
            seconds.append(time.process_time() - started)
            off = np.abs(matte.astype(float) - truth.alpha) / 255
            alpha.append(off[truth.soft].mean())
            stray.append(off[truth.around].mean())
            colour.append(colour_error(truth, Truth(find_colours(picture, matte), matte)))
    means = f"{statistics.mean(alpha):.3f} | {statistics.mean(stray):.3f} | {statistics.mean(colour):.1f}"
    return f"{means} | {1e3 * statistics.median(seconds):.0f}"


def colour_error(truth: Truth, found: Truth) -> float:
    """Levels."""
    errors = []
    for paper in PAPERS:
        made, true = (compose(each.colours, each.alpha, paper).astype(float) for each in (found, truth))
        errors.append(np.abs(made - true)[truth.soft].mean())
    return statistics.mean(errors)


def cut(portrait: Portrait) -> Truth:
    alpha = cv2.erode(quick_matte(portrait.image), np.ones((3, 3), np.uint8))
    return Truth(find_colours(portrait.image, alpha), alpha)


def with_strands(truth: Truth, face: Face, count: int = 260, fine: int = 4) -> Truth:
    """Strands from the edge of the head outwards: 0.05 to 0.35 iris distances long, 0.25 to 1 px wide."""
    rng = np.random.default_rng(0)
    height, width = truth.alpha.shape
    outlines, _ = cv2.findContours((truth.alpha > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    edge = max(outlines, key=len)[:, 0].astype(float)
    head = edge[(edge[:, 1] < face.centre[1] + face.iris_distance) & (edge.min(axis=1) > 3) & (edge[:, 0] < width - 4)]
    middle = head.mean(axis=0)
    big = np.zeros((height * fine, width * fine), np.uint8)
    along = np.linspace(0, 1, 12)[:, None]
    for _ in range(count):
        start = head[rng.integers(len(head))]
        way = (start - middle) / np.hypot(*(start - middle))
        across = np.array([-way[1], way[0]])
        length = face.iris_distance * rng.uniform(0.05, 0.35)
        points = start + way * (length * along - 4) + across * (rng.normal(0, 0.8) * length * along**2)
        steps = np.rint(points * fine * 16).astype(np.int32)
        cv2.polylines(big, [steps], False, 255, int(rng.integers(1, fine + 1)), cv2.LINE_AA, 4)
    strands = cv2.resize(big, (width, height), interpolation=cv2.INTER_AREA)
    alpha = 255 - np.rint((255.0 - truth.alpha) * (255.0 - strands) / 255)
    return Truth(truth.colours, alpha.astype(np.uint8))


def before_backgrounds(truth: Truth, kind: str) -> Iterator[np.ndarray]:
    """A person before backgrounds of a kind.

    Calm: flat grey, and a ramp between two colours. Busy: large spots of all colours, and a crowd of edges. Photo: a
    laid table, and a rocket in the dusk.
    """
    rng = np.random.default_rng(1)
    height, width = truth.alpha.shape
    ramp = np.linspace(0, 1, width)[None, :, None]
    spots = rng.uniform(0, 255, (12, 12, 3)).astype(np.float32)
    tiles = rng.uniform(60, 220, (40, 40, 3)).astype(np.float32)
    calm = (np.array([150, 150, 150]), np.array([40, 90, 160]) * (1 - ramp) + np.array([220, 200, 150]) * ramp)
    busy = (
        np.clip(cv2.resize(spots, (width, height), interpolation=cv2.INTER_CUBIC), 0, 255),
        cv2.resize(tiles, (width, height), interpolation=cv2.INTER_NEAREST),
    )
    photos = (find_behind(Image.fromarray(picture), truth.colours, truth.alpha) for picture in (coffee(), rocket()))
    for behind in {"calm": calm, "busy": busy, "photo": photos}[kind]:
        flat = compose(truth.colours, truth.alpha, behind).astype(float)
        yield np.rint(np.clip(flat + rng.normal(0, 1.5, flat.shape), 0, 255)).astype(np.uint8)


def as_jpeg(picture: np.ndarray, quality: int = 80) -> np.ndarray:
    """What a file keeps of a picture: its hue at half the size."""
    _, stored = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    read = cv2.imdecode(stored, cv2.IMREAD_COLOR)
    assert read is not None
    return cv2.cvtColor(read, cv2.COLOR_BGR2RGB)


def enlarged(image: np.ndarray) -> np.ndarray:
    size = (image.shape[1], image.shape[0])
    large = cv2.resize(find_person(image), size, interpolation=cv2.INTER_CUBIC)
    return np.rint(255 * np.clip(large, 0, 1)).astype(np.uint8)


def guided(image: np.ndarray, radius: int, epsilon: float = 1e-4) -> np.ndarray:
    """He, Sun and Tang, "Guided Image Filtering" (2010), with colour."""

    def box(picture: np.ndarray) -> np.ndarray:
        return cv2.blur(picture, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REFLECT)

    guide, coarse = image.astype(np.float32) / 255, enlarged(image).astype(np.float32) / 255
    mean = box(guide)
    spread = np.stack([box(guide * guide[..., i : i + 1]) - mean * mean[..., i : i + 1] for i in range(3)], axis=-1)
    together = box(guide * coarse[..., None]) - mean * box(coarse)[..., None]
    slope = np.linalg.solve(spread + epsilon * np.eye(3, dtype=np.float32), together[..., None])[..., 0]
    offset = box(coarse) - (slope * mean).sum(axis=-1)
    return np.rint(255 * np.clip((box(slope) * guide).sum(axis=-1) + box(offset), 0, 1)).astype(np.uint8)


def recovered(truth: Truth, store: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Truth:
    """What comes of a file with alpha."""
    colours = np.rint(store(truth.colours.astype(float), truth.alpha[..., None] / 255)).astype(np.uint8)
    white = compose(colours, truth.alpha, np.array([255, 255, 255]))
    portrait = use_transparency(Portrait(white, alpha=truth.alpha))
    assert portrait.alpha is not None
    return Truth(portrait.image, portrait.alpha)


EXPORTS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "clean": lambda colours, _: colours,
    "premultiplied": lambda colours, share: colours * share,
    "cut from white": lambda colours, share: colours * share + 255 * (1 - share),
    "cut from a green wall": lambda colours, share: colours * share + np.array([30, 160, 70]) * (1 - share),
}

if __name__ == "__main__":
    main()
