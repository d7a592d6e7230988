"""The shapes an encoder is built for."""

from __future__ import annotations

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
    """

    frames: int
    neural: tuple[int, ...]
    poses: int
    behavior: int
    syllables: int = 0

    def to_dict(self) -> dict:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict) -> Shapes:
        """From JSON."""
        return cls(
            value["frames"], tuple(value["neural"]), value["poses"], value["behavior"], value["syllables"]
        )
