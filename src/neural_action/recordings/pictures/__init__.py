"""Sets of labelled pictures: their common form, and one module for each layout.

A layout module has ``EXPECTED``, one phrase that says which files it looks for; ``recognise(files) -> bool``; and
``read(files, ...) -> Pictures``, where ``files`` is the folder or archive as ``sources.FileTree``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neural_action.errors import InputError

#: Parts of a published set; ``ALL`` for a set without parts.
ALL = "all"
PARTS = ("train", "validation", "test", ALL)
UNLABELLED = -1
#: Maximum bytes of the pictures of a set (our choice; Tiny ImageNet has 1.4e9).
MOST_BYTES = 4 << 30


@dataclass(frozen=True)
class Pictures:
    """A set of labelled pictures of one size.

    Attributes:
        pictures: (n, y, x, channel) uint8, one channel (grey) or three (red, green, blue).
        labels: (n,) int16 index into ``class_names``; ``UNLABELLED`` where there is none.
        class_names: the classes.
        part: (n,) the published part of each picture, of ``PARTS``.
        coarse: (n,) int16 index into ``coarse_names``, or None where classes are not grouped.
        coarse_names: the groups of classes.
    """

    pictures: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    part: np.ndarray
    coarse: np.ndarray | None = None
    coarse_names: tuple[str, ...] = ()

    def check(self, where: Path | str) -> Pictures:
        """Return this set. InputError naming ``where`` and the first problem, if there is one.

        Problems: no pictures, a wrong shape or type, labels of another length or without a class, fewer than two
        classes, a name that occurs twice, a class with fewer than two pictures outside the test part, a class in two
        groups.
        """
        shape = self.pictures.shape
        if self.pictures.ndim != 4 or shape[3] not in (1, 3) or 0 in shape or self.pictures.dtype != np.uint8:
            raise InputError(
                f"{where}: pictures are {self.pictures.dtype} of shape {shape}, expected uint8 (n, y, x, channel) with "
                "1 or 3 channels"
            )
        if len(self.part) != len(self.pictures) or not np.isin(self.part, PARTS).all():
            raise InputError(
                f"{where}: {len(self.part)} parts, expected {len(self.pictures)} of {', '.join(PARTS)}"
            )
        _check_labels(where, "labels", self.labels, self.class_names, len(self.pictures))
        learnt = self.labels[self.part != "test"] if (self.part != "test").any() else self.labels
        counts = np.bincount(learnt[learnt >= 0], minlength=len(self.class_names))
        if (few := np.flatnonzero(counts < 2)).size:
            raise InputError(
                f"{where}: class {self.class_names[few[0]]!r} has {counts[few[0]]} pictures outside the test part, "
                "expected at least two"
            )
        if self.coarse is not None:
            _check_labels(where, "coarse labels", self.coarse, self.coarse_names, len(self.pictures))
            for number, name in enumerate(self.class_names):
                if len(groups := np.unique(self.coarse[self.labels == number])) > 1:
                    names = ", ".join(self.coarse_names[group] for group in groups)
                    raise InputError(f"{where}: class {name!r} is in groups {names}, expected one")
        return self


def _check_labels(where: Path | str, what: str, labels: np.ndarray, names: Sequence[str], count: int) -> None:
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise InputError(
            f"{where}: {what} are {labels.dtype} of shape {labels.shape}, expected {count} whole numbers"
        )
    if len(names) < 2:
        raise InputError(f"{where}: {len(names)} classes ({', '.join(names)}), expected at least two")
    if len(set(names)) < len(names):
        raise InputError(f"{where}: two classes have the same name, expected different names")
    outside = (labels < UNLABELLED) | (labels >= len(names))
    if outside.any():
        at = int(np.argmax(outside))
        raise InputError(
            f"{where}: {what} hold {labels[at]} at picture {at}, expected 0 to {len(names) - 1}, or -1 for none"
        )


def join(parts: Sequence[tuple[str, np.ndarray]]) -> np.ndarray:
    """(n,) the name of each entry's part, from (name, entries) one after the other."""
    return np.repeat([name for name, _ in parts], [len(entries) for _, entries in parts])
