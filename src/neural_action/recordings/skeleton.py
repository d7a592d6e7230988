"""Find connected keypoints from their names; used only for drawing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

#: Names of leg joints from the body outwards, in pose trackers of insects.
_LEG = (
    ("coxa", "thc", "thorax-coxa", "body-coxa"),
    ("femur", "ctr", "coxa-femur", "coxa-trochanter"),
    ("tibia", "fti", "femur-tibia"),
    ("tarsus", "tita", "tibia-tarsus"),
    ("claw", "tip", "pretarsus"),
)
#: Keypoints of the fly, and of each side: three legs of five joints, an antenna, three stripes of the abdomen.
_FLY, _SIDE = 38, 19


@dataclass(frozen=True)
class Part:
    """A chain of connected keypoints.

    Attributes:
        name: name of the part, such as ``front leg``.
        keypoints: indices of the keypoints, in order.
    """

    name: str
    keypoints: tuple[int, ...]


def skeleton(names: Sequence[str]) -> tuple[Part, ...]:
    """The parts that can be found from the names; empty if there are none, so that only points are drawn.

    Known: the 38 numbered keypoints of the fly (one side after the other: three legs of five joints, antenna, abdomen);
    joints of legs with a common prefix (``LF_leg_Coxa`` ... ``LF_leg_Claw``); numbered keypoints with a common prefix
    (``tail_1``, ``tail_2``, ...), which are connected in the order of their numbers.
    """
    if len(names) == _FLY and all(re.fullmatch(r"keypoint_\d+", name) for name in names):
        return tuple(part for first in (0, _SIDE) for part in _fly_side(first))
    legs: dict[str, dict[int, int]] = defaultdict(dict)
    chains: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for at, name in enumerate(names):
        prefix, joint = _joint(name)
        if joint is not None:
            legs[prefix][joint] = at
        elif (found := re.fullmatch(r"(.*?[A-Za-z])[_ -]?(\d+)", name)) and found[1] not in (
            "keypoint",
            "point",
        ):
            chains[found[1]].append((int(found[2]), at))
    parts = [
        Part(prefix.strip("_- "), tuple(found[joint] for joint in sorted(found)))
        for prefix, found in legs.items()
    ]
    parts += [Part(prefix, tuple(at for _, at in sorted(found))) for prefix, found in chains.items()]
    return tuple(part for part in parts if len(part.keypoints) > 1)


def _joint(name: str) -> tuple[str, int | None]:
    """A keypoint's prefix and the index of its joint in a leg; the whole name and None if it is no leg joint."""
    lower = name.lower()
    for joint, words in enumerate(_LEG):
        for word in words:
            if lower.endswith(word) and len(lower) > len(word):
                return name[: -len(word)], joint
    return name, None


def _fly_side(first: int) -> list[Part]:
    legs = [
        Part(name, tuple(range(first + 5 * leg, first + 5 * leg + 5)))
        for leg, name in enumerate(("front leg", "middle leg", "hind leg"))
    ]
    return [*legs, Part("abdomen", (first + 16, first + 17, first + 18))]
