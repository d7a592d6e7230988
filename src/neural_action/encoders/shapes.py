"""The shapes an encoder is built for."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Shapes:
    """Shapes of one clip.

    Attributes:
        frames: neural frames a clip.
        neural: shape of one neural frame, (y, x) or (unit,).
        poses: behaviour samples a clip.
        behavior: features of one behaviour sample.
        syllables: states of the behavioural HMM, 0 without one.
        classes: action classes of the recordings, 0 where no objective needs them.
    """

    frames: int
    neural: tuple[int, ...]
    poses: int
    behavior: int
    syllables: int = 0
    classes: int = 0

    @property
    def pixels(self) -> int:
        """Pixels or units of one neural frame."""
        return math.prod(self.neural)

    def to_dict(self) -> dict:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict) -> Shapes:
        """From JSON."""
        return cls(**{**value, "neural": tuple(value["neural"])})
