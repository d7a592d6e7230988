"""The shapes an encoder is built for."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from neural_action.errors import InputError


@dataclass(frozen=True)
class Shapes:
    """Shapes of one window.

    Attributes:
        frames: number of neural frames of a window.
        neural: shape of one neural frame, (y, x), (channel, y, x) or (unit,).
        poses: number of behaviour samples of a window.
        behavior: features of one behaviour sample.
        syllables: number of states of the behavioural HMM, 0 without one.
        classes: number of action classes, 0 if the objective does not need them.
        sessions: name and number of units of each session, if sessions with different units are side by side.
        units: name and number of units of each animal, if each animal has its own input layer; ``neural`` is then
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
        """(channel, y, x) shape of a neural frame. InputError, naming the ``encoder``, if it is not an image."""
        if len(self.neural) not in (2, 3):
            raise InputError(
                f"encoders.neural: {encoder} needs images (y, x) or (channel, y, x), found frames {self.neural}"
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
