"""Names where there is little room: of animals, trials, actions, features and rows."""

from __future__ import annotations

from collections.abc import Iterable

#: Characters of a name that is drawn, at most: of an animal, trial, action or feature.
NAME = 24


def shortened(names: Iterable[str], length: int = NAME) -> list[str]:
    """Names as they are drawn, of at most ``length`` characters: the middle of a long one gives way to an ellipsis.

    Where names would then read the same, the cut is moved to where none do; where there is no such place, long names
    end in their number among ``names``.
    """
    names = list(names)
    for head in sorted(range(1, length - 1), key=lambda head: abs(2 * head - length)):
        tail = length - 1 - head
        cut = [name if len(name) <= length else f"{name[:head]}…{name[-tail:]}" for name in names]
        if len(set(cut)) == len(set(names)):
            return cut
    return [
        name if len(name) <= length else f"{name[: length - 5]}…{number}"
        for number, name in enumerate(names, 1)
    ]
