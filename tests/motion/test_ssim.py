import numpy as np
import pytest
from skimage.color import rgb2gray
from skimage.metrics import structural_similarity

from gaze.motion.ssim import ssim
from gaze.photo.portrait import Portrait


def test_it_is_what_others_compute(portrait: Portrait) -> None:
    a = portrait.image
    b = np.roll(a, 2, 1)
    luma = [rgb2gray(image) * 255 for image in (a, b)]
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    # Weights of the luma and the border differ a little.
    assert ssim(a, b) == pytest.approx(structural_similarity(*luma, **settings), abs=0.01)
    assert ssim(a, a) == 1
