"""Neural frames of animals with their own units: one array for each animal, with continuous frame numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neural_action.errors import InputError


class RaggedFrames:
    """``Dataset.neural`` of animals with their own units: rows are frames with different numbers of units.

    Attributes:
        parts: (frame, unit) float32 of each animal; frame numbers continue from animal to animal.
    """

    def __init__(self, parts: Sequence[np.ndarray]):
        self.parts = tuple(parts)
        self._stops = np.cumsum([len(part) for part in parts])

    def __len__(self) -> int:
        return int(self._stops[-1])

    def __getitem__(self, frames: slice) -> np.ndarray:
        """(n, unit) float32 of consecutive frames of one animal. InputError for frames of two animals."""
        animal = int(np.searchsorted(self._stops, frames.start, side="right"))
        first = int(self._stops[animal]) - len(self.parts[animal])
        if frames.stop > self._stops[animal]:
            raise InputError(
                f"frames {frames.start} to {frames.stop}: of two animals with different units, expected one animal"
            )
        return self.parts[animal][frames.start - first : frames.stop - first]
