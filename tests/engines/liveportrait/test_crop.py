from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from gaze.engines.liveportrait.crop import (
    SIDE,
    Crop,
    crop_around_face,
    crop_around_landmarks,
    cut_window,
    feather_mask,
)
from gaze.engines.liveportrait.paste import Paster
from gaze.face.face import Iris
from gaze.face.framing import frame_portrait
from gaze.photo.portrait import Portrait
from tests.engines.liveportrait import rule
from tests.engines.liveportrait.golden import Golden
from tests.faces import typical_face


@pytest.fixture(scope="module")
def golden() -> Golden:
    return Golden("crop")


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return rule.picture("photo-p1", 512, 32)[:420, :360]


def reference_crop(golden: Golden, name: str) -> Crop:
    settings = golden.meta["sets"][name]
    points = golden.part(f"pts{name}.landmarks")
    return crop_around_landmarks(points, settings["scale"], settings["vy_ratio"], settings["dsize"])


def landmark_sets(golden: Golden) -> list[str]:
    return [name for name in golden.meta["sets"] if name.split(".")[0] in ("106", "203")]


def test_windows_around_landmarks(golden: Golden) -> None:
    names = landmark_sets(golden)
    assert len(names) == 6
    for name in names:
        crop = reference_crop(golden, name)
        np.testing.assert_allclose((crop.x, crop.y), golden.part(f"pts{name}.center"), atol=0.05)
        np.testing.assert_allclose(crop.size, golden.part(f"pts{name}.size")[0], atol=0.05)
        np.testing.assert_allclose(crop.angle, golden.part(f"pts{name}.angle_rad"), atol=5e-4)
        points = golden.part(f"pts{name}.landmarks")
        mapped = points @ crop.from_picture()[:2, :2].T + crop.from_picture()[:2, 2]
        np.testing.assert_allclose(mapped, golden.part(f"pts{name}.pt_crop"), atol=0.05)
        np.testing.assert_allclose(crop.to_picture() @ crop.from_picture(), np.eye(3), atol=1e-9)


def test_pictures_cut_out(golden: Golden, photo: np.ndarray) -> None:
    for name in ("106.0", "106.1", "106.2"):
        cut = reference_crop(golden, name).cut(photo)
        window = tuple(slice(*bounds) for bounds in golden.meta["tensors"][f"pts{name}.img_crop_u8"]["slice"])
        difference = np.abs(cut[window].astype(int) - golden.part(f"pts{name}.img_crop_u8"))
        # The reference is OpenCV 5's: two levels for the fixed-point weights of OpenCV 4, one for its float32 matrix.
        assert difference.max() <= 3, name
        assert difference.mean() < 0.3, name


def test_the_window_is_cut_from_the_photo_where_that_shows_more() -> None:
    y, x = np.mgrid[:1600, :1400]
    wave = 127 + 60 * np.sin(x / 40) + 60 * np.cos(y / 31)
    fine = wave + 60 * ((x // 4 + y // 4) % 2 - 0.5)
    face = typical_face(Iris(700, 700, 12), Iris(830, 710, 12))
    for picture, is_smooth in ((wave, True), (fine, False)):
        photo = Portrait(np.repeat(picture.clip(0, 255).astype(np.uint8)[..., None], 3, 2))
        framed, found = frame_portrait(photo, face, 384)
        assert framed.width < 1400 * 384 / 1600 * 2  # It was cut to head and shoulders.
        crop = crop_around_face(found)
        sharp, soft = (
            window[64:-64, 64:-64].astype(float) for window in (cut_window(framed, crop), crop.cut(framed.image))
        )
        if is_smooth:  # They show the same place to a fraction of a pixel.
            assert np.abs(sharp - soft).mean() < 1
        else:
            assert np.diff(sharp, axis=1).std() > 1.5 * np.diff(soft, axis=1).std()
    # What was changed since counts, and not the photo.
    changed = replace(framed, image=np.zeros_like(framed.image))
    assert not cut_window(changed, crop).any()


def test_mask_and_paste_back(golden: Golden, photo: np.ndarray) -> None:
    window = tuple(slice(*bounds) for bounds in golden.meta["tensors"]["mask_template_u8"]["slice"])
    np.testing.assert_array_equal(feather_mask()[window[:2]], golden.part("mask_template_u8")[..., 0])
    generated = torch.from_numpy(rule.picture("gen-p1", 512, 32)).movedim(-1, 0)[None] / 255
    # The reference gives whole levels; a hair more keeps them from being cut to the level below.
    generated = generated + 1e-6
    for name in ("106.0", "106.1"):
        pasted = Paster(photo, reference_crop(golden, name), torch.device("cpu"), False).paste(generated)[0].numpy()
        assert pasted.shape == photo.shape
        spots = tuple(slice(*bounds) for bounds in golden.meta["tensors"][f"pts{name}.pasted_u8"]["slice"])
        difference = np.abs(pasted[spots].astype(int) - golden.part(f"pts{name}.pasted_u8"))
        assert difference.max() <= 2, name
        assert difference.mean() < 0.3, name


def test_outside_the_window_the_portrait_stays(photo: np.ndarray) -> None:
    crop = Crop(180, 200, 150, 0.2)
    generated = torch.zeros(2, 3, SIDE, SIDE)
    frames = Paster(photo, crop, torch.device("cpu")).paste(generated).numpy()
    ys, xs = np.mgrid[: photo.shape[0], : photo.shape[1]]
    at = crop.from_picture()[:2] @ np.stack([xs.ravel(), ys.ravel(), np.ones(xs.size)])
    outside = ((at < -1) | (at > SIDE)).any(0).reshape(xs.shape)
    inside = ((at > 17) & (at < SIDE - 18)).all(0).reshape(xs.shape)
    for frame in frames:
        np.testing.assert_array_equal(frame[outside], photo[outside])
        assert frame[inside].max() == 0


def test_a_window_that_becomes_smaller_is_averaged() -> None:
    photo = np.full((200, 200, 3), 100, np.uint8)
    # Columns black and white by turns: single samples of every other pixel would see one of them alone.
    stripes = torch.zeros(1, 3, SIDE, SIDE)
    stripes[..., ::2] = 1
    for size in (SIDE / 2, SIDE / 4, 150.0):
        crop = Crop(100, 100, size, 0.0)
        inside = (slice(80, 120), slice(80, 120))
        fine = Paster(photo, crop, torch.device("cpu")).paste(stripes)[0].numpy()[inside]
        coarse = Paster(photo, crop, torch.device("cpu"), is_fine=False).paste(stripes)[0].numpy()[inside]
        assert np.abs(fine.astype(int) - 127).max() < 45 < np.abs(coarse.astype(int) - 127).max(), size


@pytest.mark.parametrize(("size", "degrees"), [(300.0, 0), (300.0, 13), (700.0, 5)])
def test_no_seam_at_the_edge_of_the_window(size: float, degrees: float) -> None:
    # The frame is generated like the photo: what is pasted must not be seen, least of all at the mask's edge.
    photo = np.full((400, 400, 3), 200, np.uint8)
    crop = Crop(200.3, 190.7, size, math.radians(degrees))
    frames = Paster(photo, crop, torch.device("cpu")).paste(torch.full((1, 3, SIDE, SIDE), 200.5 / 255))
    assert np.abs(frames[0].numpy().astype(int) - 200).max() <= 1


def test_a_window_that_reaches_beyond_the_picture(photo: np.ndarray) -> None:
    crop = Crop(20, 15, 300, -0.3)
    assert crop.cut(photo).shape == (SIDE, SIDE, 3)
    frames = Paster(photo, crop, torch.device("cpu")).paste(torch.ones(1, 3, SIDE, SIDE))
    assert frames.shape == (1, *photo.shape)


@pytest.mark.parametrize("degrees", [-30, 0, 20])
def test_the_window_around_a_mesh_is_that_around_its_landmarks(degrees: float) -> None:
    face = typical_face(Iris(160, 180, 8), Iris(240, 180, 8))
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    face = face.mapped(lambda points: (points - (200, 180)) @ turn + (200, 180), 1)
    # A set of 106 whose anchors and outline are the mesh's, brows to chin.
    landmarks = np.tile(face.nose, (106, 1))
    landmarks[[33, 35, 40, 39, 87, 89, 94, 93]] = np.concatenate(
        [[lids.upper[0], lids.upper[8], lids.upper[4], lids.lower[4]] for lids in face.lids]
    )
    landmarks[[52, 61]] = face.mouth
    brows = np.concatenate([brow.upper for brow in face.brows])
    down = np.array([-math.sin(angle), math.cos(angle)])
    jaw = face.outline[face.outline @ down > (brows @ down).min()]
    landmarks[: len(brows)] = brows
    free = [*range(10, 33), *range(62, 87)]
    landmarks[free[: len(jaw)]] = jaw
    expected, found = crop_around_landmarks(landmarks), crop_around_face(face)
    assert (found.x, found.y, found.size) == pytest.approx((expected.x, expected.y, expected.size), abs=0.5)
    assert found.angle == pytest.approx(expected.angle, abs=1e-6)
    # The forehead does not count: with it the window would be larger.
    assert found.size < 0.95 * 2.3 * np.ptp(face.mesh[:, :2] @ down)


def test_unknown_landmarks_are_refused() -> None:
    with pytest.raises(ValueError, match="68 landmarks"):
        crop_around_landmarks(np.zeros((68, 2)))
