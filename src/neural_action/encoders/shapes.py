"""The shapes an encoder is built for."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from neural_action.errors import InputError


@dataclass(frozen=True)
class Shapes:
    """Shapes of one window.

    Attributes:
        frames: neural frames a window.
        neural: shape of one neural frame, (y, x), (channel, y, x) or (unit,).
        poses: behaviour samples a window.
        behavior: features of one behaviour sample.
        syllables: states of the behavioural HMM, 0 without one.
        classes: action classes of the recordings, 0 where no objective needs them.
        sessions: name and number of units of each session, where each has units of its own and lies side by side.
        units: name and number of units of each animal, where each has an input layer of its own; ``neural`` is then
            empty.
    """

    frames: int
    neural: tuple[int, ...]
    poses: int
    behavior: int
    syllables: int = 0
    classes: int = 0
    sessions: tuple[tuple[str, int], ...] = ()
    units: tuple[tuple[str, int], ...] = ()

    @property
    def pixels(self) -> int:
        """Pixels or units of one neural frame."""
        return math.prod(self.neural)

    def image(self, encoder: str) -> tuple[int, int, int]:
        """(channel, y, x) of one neural frame. InputError, naming the ``encoder``, if it is no image."""
        if len(self.neural) not in (2, 3):
            raise InputError(
                f"encoders.neural: {encoder} needs images (y, x) or (channel, y, x), the recordings hold {self.neural}"
            )
        channel, y, x = (1, *self.neural)[-3:]
        return channel, y, x

    def to_dict(self) -> dict:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict) -> Shapes:
        """From JSON."""
        named = {
            key: tuple((str(name), int(units)) for name, units in value.get(key, ()))
            for key in ("sessions", "units")
        }
        return cls(**{**value, "neural": tuple(value["neural"]), **named})
