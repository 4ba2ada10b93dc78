import numpy as np
import pytest
from skimage.color import rgb2gray
from skimage.metrics import structural_similarity

from gaze.portrait import Portrait
from gaze.ssim import ssim


def test_it_is_what_others_compute(portrait: Portrait) -> None:
    a = portrait.image
    b = np.roll(a, 2, 1)
    luma = [rgb2gray(image) * 255 for image in (a, b)]
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    # Weights of the luma and the border differ a little.
    assert ssim(a, b) == pytest.approx(structural_similarity(*luma, **settings), abs=0.01)
    assert ssim(a, a) == 1
