"""Drawn eyes of known size: what the engine makes of them is measured in the pixels."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from gaze.engines.warp.engine import WarpEngine, WarpSource, _look, displacement
from gaze.engines.warp.eyes import find_eye
from gaze.engines.warp.gaze import IRIS_SWING, eye_motion
from gaze.engines.warp.inverse import source_positions
from gaze.engines.warp.lids import Lids
from gaze.engines.warp.sclera import iris_reach
from gaze.face.face import Face, Iris, Opening
from gaze.grid import Cell, GazeGrid, Pose
from gaze.photo.portrait import Portrait
from gaze.photo.remapping import NO_MAP, pixels
from tests.faces import typical_face, with_openings

SKIN, WHITE, IRIS = (205, 165, 145), (238, 234, 230), (70, 45, 30)
RADIUS, DISTANCE, MIDDLE = 10.0, 100, (250, 240)
WIDE = 17


def drawn_face(height: int = WIDE, highlight: bool = False, radius: float = RADIUS) -> tuple[Portrait, Face]:
    """A face of skin with two eyes whose lids leave `height` pixels above and below the iris's centre."""
    scale = 4
    image = np.full((520 * scale, 500 * scale, 3), SKIN, np.uint8)
    openings = []
    for x in (MIDDLE[0] - DISTANCE // 2, MIDDLE[0] + DISTANCE // 2):
        s = np.linspace(-1, 1, 60)
        arc = height * (1 - s**2)
        outline = np.concatenate(
            [np.stack([x + 27 * s, MIDDLE[1] - arc], 1), np.stack([x - 27 * s, MIDDLE[1] + arc], 1)]
        )
        mask = np.zeros(image.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.round((outline + 0.5) * scale).astype(np.int32)], 255)
        eye = np.full_like(image, WHITE)
        at = (round((x + 0.5) * scale), round((MIDDLE[1] + 0.5) * scale))
        cv2.circle(eye, at, round(radius * scale), IRIS, -1, cv2.LINE_AA)
        if highlight:
            cv2.circle(eye, (at[0] - 3 * scale, at[1] - 3 * scale), 2 * scale, (255, 255, 255), -1, cv2.LINE_AA)
        image[mask > 0] = eye[mask > 0]
        y = float(MIDDLE[1])
        openings.append(Opening((x - 27.0, y), (x + 27.0, y), (float(x), y - height), (float(x), y + height)))
    small = cv2.resize(image, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
    left, right = (Iris(float(MIDDLE[0] + side * DISTANCE / 2), float(MIDDLE[1]), radius) for side in (-1, 1))
    return Portrait(small), with_openings(typical_face(left, right), openings)


@pytest.fixture(scope="module")
def source() -> WarpSource:
    return WarpEngine().prepare(*drawn_face())


def blobs(frame: np.ndarray) -> list[tuple[float, float, float, float]]:
    """The dark discs of a frame, left to right: x, y, radius of the same area, shorter by longer axis."""
    darkness = np.clip((WHITE[0] - frame[..., 0].astype(float)) / (WHITE[0] - IRIS[0]), 0, 1)
    # Skin counts as sclera here: only what is darker than it belongs to an iris.
    skin = (WHITE[0] - SKIN[0]) / (WHITE[0] - IRIS[0])
    count, labels, stats, _ = cv2.connectedComponentsWithStats((darkness > skin + 0.1).astype(np.uint8))
    found = []
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] < 30:
            continue
        y, x = np.nonzero(cv2.dilate((labels == label).astype(np.uint8), np.ones((3, 3), np.uint8)))
        weight = darkness[y, x]
        centre = np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()
        spread = np.cov(np.stack([x, y]), aweights=weight)
        axes = np.sqrt(np.linalg.eigvalsh(spread))
        found.append((*centre, float(np.sqrt(weight.sum() / np.pi)), float(axes[0] / axes[1])))
    return sorted(found)


def test_the_measure_itself() -> None:
    found = blobs(drawn_face()[0].image)
    assert len(found) == 2
    for (x, y, radius, ratio), middle in zip(found, (200, 300), strict=True):
        assert (x, y) == pytest.approx((middle, MIDDLE[1]), abs=0.2)
        assert radius == pytest.approx(RADIUS, rel=0.02)
        assert ratio > 0.97


@pytest.mark.parametrize("x", [-15.0, -10.0, -5.0, -2.0, 2.0, 5.0, 10.0, 15.0])
def test_a_moved_iris_stays_round_and_of_its_size_and_both_go_together(source: WarpSource, x: float) -> None:
    found = blobs(WarpEngine().render(source, [Pose(pupil_x=x)])[0])
    assert len(found) == 2
    shifts = [x - middle for (x, *_), middle in zip(found, (200, 300), strict=True)]
    assert shifts == pytest.approx(eye_motion(Pose(pupil_x=x)).across * DISTANCE, abs=0.5)
    assert shifts[0] == pytest.approx(shifts[1], abs=0.2)
    for _, _, radius, ratio in found:
        assert radius == pytest.approx(RADIUS, rel=0.05)
        assert ratio > 0.9


def test_each_iris_goes_its_own_way_with_its_lids(source: WarpSource) -> None:
    apart = replace(source, straighten=(0.05, -0.02))
    found = blobs(WarpEngine().render(apart, [Pose()])[0])
    shifts = [x - middle for (x, *_), middle in zip(found, (200, 300), strict=True)]
    assert shifts == pytest.approx([5, -2], abs=0.5)
    field, bow = displacement(apart, Pose(), _look(apart, Pose())), _look(apart, Pose()).bow
    assert [field[..., 0].max(), field[..., 0].min()] == pytest.approx(bow * DISTANCE, rel=0.1)


@pytest.mark.parametrize("x", [-15.0, 15.0])
def test_in_a_look_down_and_aside_irises_are_discs_under_lids_and_not_wedges(x: float) -> None:
    """Between lids that touch them at rest."""
    eyes = WarpEngine(straighten=False).prepare(*drawn_face(height=11))
    look = Pose(pupil_x=x, pupil_y=-15)
    frame = WarpEngine().render(eyes, [look])[0]
    found, motion = blobs(frame), eye_motion(look, room=eyes.room)
    assert len(found) == 2
    for _, _, radius, ratio in found:
        assert radius > 0.9 * RADIUS
        assert ratio > 0.86
    down, across = np.mgrid[: frame.shape[0], : frame.shape[1]]
    below = down - MIDDLE[1] - motion.down * DISTANCE
    for middle in (200, 300):
        far = np.hypot(across - middle - motion.across[0] * DISTANCE, below) / RADIUS
        # The lower lid gives way: it does not cut the foot of the disc off.
        assert (frame[(far < 0.85) & (below > 0)][:, 0] < (IRIS[0] + SKIN[0]) / 2).mean() > 0.94


@pytest.mark.parametrize("x", [-15.0, 15.0])
def test_narrow_lids_leave_irises_round_in_the_lower_corners(x: float) -> None:
    """As much of them as at rest, or nearly so, and in nearly that shape: a lid that came on alone made blocks."""
    eyes = WarpEngine(straighten=False).prepare(*drawn_face(height=8))
    rest, looking = (blobs(it) for it in WarpEngine().render(eyes, [Pose(), Pose(pupil_x=x, pupil_y=-15)]))
    assert len(rest) == len(looking) == 2
    for (*_, radius, ratio), (*_, usual_radius, usual_ratio) in zip(looking, rest, strict=True):
        assert radius > 0.88 * usual_radius
        assert ratio > 0.84 * usual_ratio


def test_the_opening_of_an_eye_follows_a_look_aside() -> None:
    def middle(x: float) -> np.ndarray:
        """Across, where the openings are: the mean of what is not skin, by how high that is there."""
        frame = WarpEngine().render(eyes, [Pose(pupil_x=x)])[0][MIDDLE[1] - 25 : MIDDLE[1] + 26].astype(int)
        high = (np.abs(frame - SKIN).max(2) > 20).sum(0) ** 4.0
        halves = [np.arange(len(high)) < MIDDLE[0], np.arange(len(high)) >= MIDDLE[0]]
        return np.array([(np.arange(len(high)) * high * half).sum() / (high * half).sum() for half in halves])

    eyes = WarpEngine(straighten=False).prepare(*drawn_face())
    left, rest, right = (middle(x) for x in (-15.0, 0.0, 15.0))
    assert (rest - left > 1).all()
    assert (right - rest > 1).all()


def test_at_double_strength_the_irises_stay_in_sight(source: WarpSource) -> None:
    for x in (-30.0, 30.0):
        found = blobs(WarpEngine().render(source, [Pose(pupil_x=x)])[0])
        assert [x for x, *_ in found] == pytest.approx([200 + 0.4 * x, 300 + 0.4 * x], abs=1.0)
        assert all(radius > 0.9 * RADIUS for *_, radius, _ in found)


def test_irises_stay_round_while_the_head_turns() -> None:
    """Between lids that are too far apart to hide any of them. Turned away, discs are ellipses."""
    source, grid = WarpEngine().prepare(*drawn_face(height=28)), GazeGrid(30)
    for cell in (Cell(0, 0), Cell(0, 29), Cell(29, 0), Cell(29, 29), Cell(7, 20)):
        for _, _, radius, ratio in blobs(WarpEngine().render(source, [grid.pose(cell)])[0]):
            assert radius == pytest.approx(RADIUS, rel=0.08)
            assert ratio > 0.85


def test_no_trace_of_the_iris_is_left_where_it_was(source: WarpSource) -> None:
    frame = WarpEngine().render(source, [Pose(pupil_x=15)])[0].astype(int)
    for middle in (200, 300):
        uncovered = frame[MIDDLE[1] - 2 : MIDDLE[1] + 3, middle - 9 : middle - 3]
        assert np.abs(uncovered - WHITE).max() < 16


def test_lids_clip_the_iris() -> None:
    """With narrow lids, the skin above and below stays skin wherever the eyes look."""
    portrait, face = drawn_face(height=7)
    source = WarpEngine().prepare(portrait, face)
    for x in (-15.0, 15.0):
        frame = WarpEngine().render(source, [Pose(pupil_x=x)])[0].astype(int)
        for row in (MIDDLE[1] - 10, MIDDLE[1] + 10):
            assert np.abs(frame[row, 170:330] - SKIN).max() < 10


def test_what_the_lids_hide_of_the_iris_is_made_up() -> None:
    """The disc is whole: its colour above the lid is the iris's, not the skin's."""
    portrait, face = drawn_face(height=7)
    eye = find_eye(portrait.image, face.iris_distance, face.left, Lids(face.lids[0]))
    size = eye.disc.shape[0]
    y, x = np.mgrid[:size, :size] - size // 2
    inside = np.hypot(x, y) < 0.8 * RADIUS
    colour = eye.disc[inside][:, :3] / eye.disc[inside][:, 3:]
    assert np.abs(colour - IRIS).max() < 25


def test_a_highlight_makes_about_half_of_the_way() -> None:
    portrait, face = drawn_face(highlight=True)
    source = WarpEngine().prepare(portrait, face)

    def highlights(x: float) -> np.ndarray:
        """Across, where the bright spot lies that is well inside each iris, whose middle is known."""
        frame = WarpEngine().render(source, [Pose(pupil_x=x)])[0].astype(float)
        down, across = np.mgrid[: frame.shape[0], : frame.shape[1]]
        places = []
        for middle in (200, 300):
            iris = middle + IRIS_SWING * x / 15 * DISTANCE
            inside = np.hypot(across - iris, down - MIDDLE[1]) < 0.75 * RADIUS
            weight = np.clip(frame[..., 2] - 100, 0, None) * inside
            places.append(float((across * weight).sum() / weight.sum()))
        return np.array(places)

    rest = highlights(0.0)
    assert rest == pytest.approx([197, 297], abs=0.6)
    assert highlights(5.0) - rest == pytest.approx(np.full(2, 0.56 * IRIS_SWING * 5 / 15 * DISTANCE), abs=0.5)


@pytest.mark.parametrize(("right", "x"), [(-5, -15.0), (-3, 15.0), (-3, 30.0)])
def test_a_highlight_that_moves_is_as_bright_on_the_pupil_and_not_lost_at_the_rim(right: int, x: float) -> None:
    portrait, face = drawn_face()
    image = cv2.resize(portrait.image, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    for iris in (face.left, face.right):
        at = (round(4 * iris.x + 1.5), round(4 * iris.y + 1.5))
        cv2.circle(image, at, round(4 * RADIUS) - 2, (120, 95, 75), -1, cv2.LINE_AA)
        cv2.circle(image, at, 12, (5, 3, 2), -1, cv2.LINE_AA)
        cv2.circle(image, (at[0] + 4 * right, at[1]), 7, (255, 255, 255), -1, cv2.LINE_AA)
    portrait = Portrait(cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA))
    engine, look = WarpEngine(straighten=False), Pose(pupil_x=x)
    source = engine.prepare(portrait, face)
    frame, motion = engine.render(source, [look])[0], eye_motion(look, room=source.room)
    down, across = np.mgrid[: frame.shape[0], : frame.shape[1]]
    for iris in (face.left, face.right):
        far = np.hypot(across - iris.x - motion.across[0] * DISTANCE, down - iris.y - motion.down * DISTANCE)
        assert frame[far < 0.75 * RADIUS].min(1).max() > 225


@pytest.mark.parametrize(("share", "shines"), [(0.74, True), (0.6, False)])
def test_what_is_nearly_as_bright_as_the_white_is_a_highlight(share: float, shines: bool) -> None:
    portrait, face = drawn_face()
    for iris in (face.left, face.right):
        at = (round(iris.x) + 1, round(iris.y) - 3)
        portrait.image[at[1] - 1 : at[1] + 2, at[0] - 1 : at[0] + 2] = np.round(share * np.array(WHITE))
    for eye in WarpEngine().prepare(portrait, face).eyes:
        assert (eye.light.max() > 0.2) == shines


def test_white_above_an_iris_that_is_flat_there_is_no_highlight() -> None:
    """It would be drawn as a pale arc wherever the iris goes."""
    portrait, face = drawn_face()
    for iris in (face.left, face.right):
        portrait.image[int(iris.y - RADIUS) : int(iris.y - 0.8 * RADIUS) + 1, int(iris.x - 8) : int(iris.x + 9)] = WHITE
    for eye in WarpEngine().prepare(portrait, face).eyes:
        assert eye.light.max() < 0.05


def test_a_dark_rim_goes_with_its_iris() -> None:
    portrait, face = drawn_face()
    image = cv2.resize(portrait.image, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    for iris in (face.left, face.right):
        at = (round(4 * iris.x + 1.5), round(4 * iris.y + 1.5))
        cv2.circle(image, at, round(4 * (RADIUS - 0.75)), (20, 10, 0), 6, cv2.LINE_AA)
    portrait = Portrait(cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA))
    engine, look = WarpEngine(straighten=False), Pose(pupil_x=15)
    frame = engine.render(engine.prepare(portrait, face), [look])[0][..., 0].astype(float)
    motion = eye_motion(look)
    y, x = np.mgrid[: frame.shape[0], : frame.shape[1]]
    for iris in (face.left, face.right):
        far = np.hypot(x - iris.x - motion.across[0] * DISTANCE, y - iris.y - motion.down * DISTANCE) / RADIUS
        rim, inside = frame[np.abs(far - 0.93) < 0.05], frame[far < 0.6]
        assert np.median(rim) < np.median(inside) - 20


def test_the_lids_shadow_on_an_iris_is_known_by_its_depth() -> None:
    portrait, face = drawn_face(height=7)
    lids = Lids(face.lids[0])
    y, x = np.mgrid[: portrait.height, : portrait.width].astype(np.float32)
    shade = np.clip(0.5 + lids.depth(x, y) / RADIUS, 0.5, 1)[..., None]
    shaded = Portrait(np.rint(portrait.image * shade).astype(np.uint8))
    eye = find_eye(shaded.image, face.iris_distance, face.left, lids)
    corner, (height, width) = eye.corner, eye.lids.shape[:2]
    found, depth = eye.lids[..., 1], lids.depth(x, y)[corner[1] :, corner[0] :][:height, :width] / RADIUS
    assert found[np.abs(depth - 0.2) < 0.05].mean() == pytest.approx(0.7, abs=0.12)
    assert found[depth > 0.9].min() == 1


@pytest.mark.parametrize(("blur", "least", "most"), [(0.5, 1.18, 1.3), (3.5, 1.3, 1.5)])
def test_the_more_blurred_an_iris_is_the_farther_it_reaches(blur: float, least: float, most: float) -> None:
    portrait, face = drawn_face(height=28)
    patch = cv2.GaussianBlur(portrait.image.astype(np.float32), (0, 0), blur)
    y, x = np.mgrid[: portrait.height, : portrait.width].astype(np.float32)
    distance = np.hypot(x - face.left.x, y - face.left.y) / RADIUS
    assert least <= iris_reach(patch, Lids(face.lids[0]).coverage(x, y), distance) <= most


def test_the_rim_of_a_disc_is_the_same_all_around_and_nothing_of_lashes_is_left_on_it() -> None:
    portrait, face = drawn_face(height=11)
    image = portrait.image.copy()
    for x in range(-9, 10, 3):
        cv2.line(image, (200 + x, MIDDLE[1] - 14), (200 + x, MIDDLE[1] - 8), (10, 8, 6), 1)
        cv2.circle(image, (200 + x, MIDDLE[1] + 10), 1, (250, 240, 235), -1)
    disc = find_eye(image, face.iris_distance, face.left, Lids(face.lids[0])).disc
    size = disc.shape[0]
    y, x = np.mgrid[:size, :size] - size // 2
    distance = np.hypot(x, y)
    for radius in (6, 8, 10, 11):
        ring = disc[np.abs(distance - radius) < 0.05]
        assert np.ptp(ring[:, 3]) < 0.25
        assert np.ptp(ring[:, :3].sum(1)) < 60
    assert (disc[distance < 7][:, 3] > 0.9999).all()
    assert disc[distance > 1.5 * RADIUS].max() < 0.01


@pytest.mark.parametrize(("down", "level", "mirrored"), [(-4, 235, True), (5, 235, False), (5, 255, False)])
def test_what_shines_low_on_an_iris_is_its_own_and_goes_with_it(down: int, level: int, mirrored: bool) -> None:
    portrait, face = drawn_face(height=28)
    image = portrait.image.copy()
    cv2.circle(image, (203, MIDDLE[1] + down), 2, (level,) * 3, -1)
    light = find_eye(image, face.iris_distance, face.left, Lids(face.lids[0])).light
    assert (light.max() > 0.4) == mirrored


def test_a_coloured_fleck_on_an_iris_is_drawn_in_the_colour_of_the_iris() -> None:
    """As what lenses mirror is; how bright it is beside the iris is kept."""
    portrait, face = drawn_face(height=28)
    image = portrait.image.copy()
    cv2.circle(image, (204, MIDDLE[1] + 4), 2, (55, 80, 60), -1)
    disc = find_eye(image, face.iris_distance, face.left, Lids(face.lids[0])).disc
    fleck = disc[disc.shape[0] // 2 + 4, disc.shape[1] // 2 + 4, :3]
    assert fleck.mean() > np.mean(IRIS) + 1
    assert np.ptp(fleck / IRIS) < 0.1


def test_a_pale_fleck_on_an_iris_stays_pale() -> None:
    """In the colour of a brown iris it would be an orange spot."""
    portrait, face = drawn_face(height=28)
    image = portrait.image.copy()
    iris = np.hypot(*np.ogrid[-MIDDLE[1] : len(image) - MIDDLE[1], -200 : image.shape[1] - 200]) < 0.9 * RADIUS
    fibres = 20 + 15 * np.random.default_rng(0).choice((-1, 1), iris.sum())
    image[iris] = np.add(IRIS, fibres[:, None])
    cv2.circle(image, (204, MIDDLE[1] + 4), 2, np.add(IRIS, 60).tolist(), -1)
    disc = find_eye(image, face.iris_distance, face.left, Lids(face.lids[0])).disc
    fleck = disc[disc.shape[0] // 2 + 4, disc.shape[1] // 2 + 4, :3]
    assert fleck.mean() > np.mean(IRIS) + 40
    assert np.ptp(fleck) < 1.1 * np.ptp(IRIS)


def test_skin_that_is_squeezed_by_a_lid_shows_where_it_came_from() -> None:
    """Around an eye in the corner of the grid: what is shown goes where it is shown."""
    eyes = WarpEngine(straighten=False).prepare(*drawn_face())
    look = GazeGrid(30).pose(Cell(29, 0))
    _, _, width, height = eyes.region
    forward = displacement(eyes, look, eye_motion(look, room=eyes.room))
    shown = source_positions(forward, eyes.stride, width, height)
    moves = cv2.resize(forward, (forward.shape[1] * eyes.stride, forward.shape[0] * eyes.stride))
    there = shown + cv2.remap(moves, shown, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    off = np.hypot(*cv2.split(there - pixels(width, height)))[2:-2, 2:-2]
    assert off.max() < 0.6
    assert off.mean() < 0.02


def test_the_layers_reach_as_far_as_an_iris_goes(framed: tuple[Portrait, Face]) -> None:
    """Beyond them nothing of it would be seen."""
    portrait, face = framed
    iris, unit = face.left, face.iris_distance
    eye = find_eye(portrait.image, unit, iris, Lids(face.lids[0]), reach=0.22)
    width = eye.lids.shape[1]
    for edge in (iris.x - eye.corner[0], eye.corner[0] + width - iris.x):
        assert edge > 1.5 * iris.radius + 0.22 * unit
