"""Shortened names of animals, trials, actions, features and rows, for places with little room."""

from __future__ import annotations

from collections.abc import Iterable

#: Characters of a drawn name of an animal, trial, action or feature, at most.
NAME = 24


def shortened(names: Iterable[str], length: int = NAME) -> list[str]:
    """Names of at most ``length`` characters; the middle of a long name is replaced by an ellipsis.

    If different names would become equal, the cut is moved so that none are. If that is not possible, long names end in
    their number in ``names``.
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
