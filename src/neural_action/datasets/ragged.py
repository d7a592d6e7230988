"""Neural frames of animals with units of their own: one array an animal, numbered through."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neural_action.errors import InputError


class RaggedFrames:
    """What ``Dataset.neural`` is where animals differ in their units: rows are frames, of as many units as there are.

    Attributes:
        parts: of each animal, (frame, unit) float32; frames are numbered through, animal after animal.
    """

    def __init__(self, parts: Sequence[np.ndarray]):
        self.parts = tuple(parts)
        self._stops = np.cumsum([len(part) for part in parts])

    def __len__(self) -> int:
        return int(self._stops[-1])

    def __getitem__(self, frames: slice) -> np.ndarray:
        """(n, unit) float32 of a run of frames of one animal. InputError for frames of several."""
        animal = int(np.searchsorted(self._stops, frames.start, side="right"))
        first = int(self._stops[animal]) - len(self.parts[animal])
        if frames.stop > self._stops[animal]:
            raise InputError(
                f"frames {frames.start} to {frames.stop}: are of two animals, which differ in units"
            )
        return self.parts[animal][frames.start - first : frames.stop - first]
