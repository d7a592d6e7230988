"""The midline of a body, from the directions of its segments; used only for drawing."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from neural_action.recordings.skeleton import Part

#: A feature that is the direction of a segment (rad): ``body_angle_1`` at the head, ``body_angle_2``, ...
_DIRECTION = re.compile(r"body_angle_(\d+)")
#: Share of the midline that is drawn as the head (our choice).
_HEAD = 0.15


def segments_of(names: Sequence[str]) -> tuple[int, ...]:
    """Indices of the features that are directions of segments, from head to tail; empty if there are fewer than two."""
    found = sorted(
        (int(match[1]), at) for at, name in enumerate(names) if (match := _DIRECTION.fullmatch(name))
    )
    return tuple(at for _, at in found) if len(found) > 1 else ()


def midline(directions: np.ndarray) -> np.ndarray:
    """(n, segment + 1, 2) points along the body, from head to tail; its length is 1 and its mean is 0.

    Args:
        directions: (n, segment) float, rad, against any axis that the segments of a moment share. Segments
            have equal lengths.
    """
    steps = np.stack([np.cos(directions), np.sin(directions)], axis=-1) / directions.shape[1]
    points = np.concatenate([np.zeros_like(steps[:, :1]), np.cumsum(steps, axis=1)], axis=1)
    return points - points.mean(axis=1, keepdims=True)


def midline_names(segments: int) -> tuple[str, ...]:
    """Names of the points of ``midline``."""
    return ("head", *(f"point {at}" for at in range(1, segments)), "tail")


def midline_parts(segments: int) -> tuple[Part, ...]:
    """The whole midline, and its head, which is drawn over it."""
    head = max(1, round(_HEAD * segments))
    return Part("midline", tuple(range(segments + 1))), Part("head", tuple(range(head + 1)))
