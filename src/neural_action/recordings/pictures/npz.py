"""Pictures in one ``.npz``: ``pictures`` and ``labels``, or both for each part, such as ``x_train`` and ``y_test``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.pickles import load_npz
from neural_action.recordings.pictures import Pictures

EXPECTED = (
    "pictures, labels (part, coarse, class_names, coarse_names), or x_train, y_train, x_test, y_test "
    "(class_names)"
)
_LABELS = ("labels", "coarse")


def read(path: Path) -> Pictures:
    """The arrays as they are: pictures (n, y, x) or (n, y, x, channel) uint8, labels (n,) or (n, 1).

    Without ``class_names``, names are the class numbers. InputError naming the file: it is unreadable, or an array is
    missing or has a wrong shape or type (pickled objects are refused); and as ``Pictures.check``.
    """
    content = load_npz(Path(path))
    if "x_train" in content:
        content = _joined(path, content)
    if missing := [name for name in ("pictures", "labels") if name not in content]:
        raise InputError(
            f"{path}: has no array {missing[0]!r}, found {', '.join(content)}; expected {EXPECTED}"
        )
    pictures = content["pictures"]
    pictures = pictures[..., None] if pictures.ndim == 3 else pictures
    numbers = {name: _numbers(path, name, content[name]) for name in _LABELS if name in content}
    names = {
        name: _names(path, f"{key}_names", content, numbers[name])
        for name, key in (("labels", "class"), ("coarse", "coarse"))
        if name in numbers
    }
    part = content.get("part", np.full(len(pictures), "all"))
    return Pictures(
        pictures, numbers["labels"], names["labels"], part, numbers.get("coarse"), names.get("coarse", ())
    ).check(path)


def _joined(path: Path, content: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of all parts, concatenated."""
    if missing := [name for name in ("y_train", "x_test", "y_test") if name not in content]:
        raise InputError(f"{path}: has no array {missing[0]!r} beside x_train, expected {EXPECTED}")
    train, test = content["x_train"], content["x_test"]
    if train.shape[1:] != test.shape[1:] or train.ndim == 0 or train.dtype != test.dtype:
        raise InputError(
            f"{path}: x_test is {test.dtype} of shape {test.shape}, expected {train.dtype} {train.shape[1:]} as x_train"
        )
    for part in ("train", "test"):
        if content[f"y_{part}"].shape[:1] != content[f"x_{part}"].shape[:1]:
            raise InputError(
                f"{path}: y_{part} has shape {content[f'y_{part}'].shape}, expected {len(content[f'x_{part}'])} labels"
            )
    labels = [_numbers(path, name, content[name]) for name in ("y_train", "y_test")]
    parts = np.repeat(["train", "test"], [len(train), len(test)])
    extra = {name: content[name] for name in ("class_names",) if name in content}
    return {
        "pictures": np.concatenate([train, test]),
        "labels": np.concatenate(labels),
        "part": parts,
        **extra,
    }


def _numbers(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    flat = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if flat.ndim != 1 or flat.dtype.kind not in "iu":
        raise InputError(
            f"{path}: {name} is {values.dtype} of shape {values.shape}, expected whole numbers (n,)"
        )
    if len(flat) and not -1 <= int(flat.min()) <= int(flat.max()) < 1 << 15:
        raise InputError(f"{path}: {name} hold {flat.min()} to {flat.max()}, expected classes from 0, or -1")
    return flat.astype(np.int16)


def _names(path: Path, key: str, content: dict[str, np.ndarray], numbers: np.ndarray) -> tuple[str, ...]:
    if key not in content:
        return tuple(str(number) for number in range(int(numbers.max(initial=-1)) + 1))
    if content[key].dtype.kind != "U" or content[key].ndim != 1:
        found = f"{content[key].dtype} of shape {content[key].shape}"
        raise InputError(f"{path}: {key} is {found}, expected names (class,)")
    return tuple(content[key].tolist())
