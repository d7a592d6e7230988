"""Scikit-learn's handwritten digits: 1,797 grey pictures of 8 x 8 pixels, which come with the package."""

from __future__ import annotations

import numpy as np

from neural_action.recordings.pictures import Pictures

#: Number of training pictures, the first ones (our choice: no split is published; the last are by other writers).
TRAIN = 1297


def read() -> Pictures:
    """The digits; their 17 grey levels (0 to 16) are scaled to 0 to 255."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return Pictures(
        pictures=np.rint(found.images * (255 / 16)).astype(np.uint8)[..., None],
        labels=found.target.astype(np.int16),
        class_names=tuple(str(digit) for digit in range(10)),
        part=np.where(np.arange(len(found.target)) < TRAIN, "train", "test"),
    ).check("scikit-learn's digits")
