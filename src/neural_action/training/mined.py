"""Record which classes are mined together during training.

Labels are looked up after the step, from window numbers that the objective leaves behind. They never reach a loss.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

#: ``itself``: pairs whose mined view is of the very window of the anchor.
MINED_COLUMNS = ("step", "anchor", "mined", "pairs", "itself")
#: Records of a training (our choice); each sums the pairs since the last one.
_RECORDS = 40

Row = tuple[int, int, int, int, int]


class MinedPairs:
    """Counts of mined pairs by the class of the anchor and of the mined view.

    Pairs are counted on the device, without waiting for it, and read 40 times in a training. Pairs of which a label is
    unknown, or may not be seen, are left out.

    Args:
        label: (window,) int64 class of each window, -1 if unknown.
        classes: number of classes.
        steps: number of training steps.
    """

    def __init__(self, label: Tensor, classes: int, steps: int):
        self.label, self.classes, self.steps = label, classes, steps
        self.every = max(1, -(-steps // _RECORDS))
        self.rows: list[Row] = []
        #: All pairs, and those of a window with itself, by ``anchor * classes + mined``.
        self.counts = torch.zeros((2, classes**2), dtype=torch.int64, device=label.device)

    def add(self, pairs: tuple[Tensor, Tensor] | None, done: int) -> None:
        """Count the pairs of a step: (B,) int64 windows and mined windows, -1 for none; None if nothing was mined.

        Args:
            pairs: the pairs.
            done: number of steps done.
        """
        if pairs is not None:
            window, mined = pairs
            anchor, other = self.label[window], self.label[mined.clamp(min=0)]
            known = (mined >= 0) & (anchor >= 0) & (other >= 0)
            place = anchor.clamp(min=0) * self.classes + other.clamp(min=0)
            counted = torch.stack([known, known & (window == mined)])
            self.counts.index_add_(1, place, counted.long())
        if done % self.every == 0 or done == self.steps:
            pairs_of, itself = self.counts.cpu()
            for at in pairs_of.nonzero()[:, 0].tolist():
                self.rows.append((done, *divmod(at, self.classes), int(pairs_of[at]), int(itself[at])))
            self.counts.zero_()

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"rows": self.rows, "counts": self.counts}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        self.rows = [tuple(row) for row in state["rows"]]
        self.counts.copy_(state["counts"])


def write_mined(rows: Mapping[str, Sequence[Row]], class_names: Sequence[str], path: Path) -> None:
    """Write the pairs of the models of a run as CSV: the columns ``model`` and ``MINED_COLUMNS``, with class names."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("model", *MINED_COLUMNS))
        for model, own in rows.items():
            for step, anchor, mined, *counts in own:
                writer.writerow((model, step, class_names[anchor], class_names[mined], *counts))
