"""What has to be alike in every trial: images, units of an animal, and keypoints or features."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from neural_action.recordings.recording import Recording

_Key = TypeVar("_Key", bound=Hashable)
_Behavior = tuple[tuple[str, ...], tuple[int, ...]]
#: Trials that a message names.
_NAMED = 4


@dataclass(frozen=True)
class Form:
    """What a trial is made of.

    Attributes:
        where: animal and trial.
        neural, behavior: shapes of one neural frame and one behaviour sample.
        names: of keypoints or features.
    """

    where: str
    neural: tuple[int, ...]
    behavior: tuple[int, ...]
    names: tuple[str, ...]

    @property
    def animal(self) -> str:
        """Name of the animal."""
        return self.where.split()[0]

    @classmethod
    def of(cls, recording: Recording) -> Form:
        """That of a recording."""
        return cls(
            f"{recording.animal} {recording.trial}",
            tuple(recording.neural.shape[1:]),
            tuple(recording.behavior.shape[1:]),
            recording.behavior_names,
        )


def unlike(forms: Sequence[Form]) -> Iterator[str]:
    """A phrase for whatever most trials have and others have not: which trials, what differs, and what to do.

    Animals may differ in their units, not in their images.
    """
    units = all(len(form.neural) == 1 for form in forms)
    for animal in dict.fromkeys(form.animal for form in forms) if units else [None]:
        frame, frames = _parted(
            [form for form in forms if animal in (None, form.animal)], lambda form: form.neural
        )
        for shape, trials in frames.items():
            yield (
                f"neural frames of {listed(trials)} are {shown(shape)}, of most trials {shown(frame)}; expected "
                f"{'the same units in every trial of an animal' if units else 'images of one size, or units'}: leave "
                "these trials out (in the samples table)"
            )
    usual, others = _parted(forms, lambda form: (form.names, form.behavior))
    for found, trials in others.items():
        yield (
            f"behaviour of {listed(trials)} {_difference(found, usual)}; expected the same keypoints or features in "
            "every trial: leave some out everywhere (convert.reader_options.behavior.options, such as exclude), or "
            "these trials (in the samples table)"
        )


def shown(shape: tuple[int, ...]) -> str:
    """A shape in words."""
    return " x ".join(map(str, shape))


def _parted(forms: Sequence[Form], key: Callable[[Form], _Key]) -> tuple[_Key, dict[_Key, list[str]]]:
    """What most have, and the trials of everything else."""
    usual = Counter(map(key, forms)).most_common(1)[0][0]
    others: dict[_Key, list[str]] = {}
    for form in forms:
        if key(form) != usual:
            others.setdefault(key(form), []).append(form.where)
    return usual, others


def _difference(found: _Behavior, usual: _Behavior) -> str:
    """How names and shape of some trials differ from the usual ones."""
    (names, shape), (expected, form) = found, usual
    said = []
    if lacking := [name for name in expected if name not in names]:
        said.append(f"has no {', '.join(lacking)}")
    if more := [name for name in names if name not in expected]:
        said.append(f"has {', '.join(more)}, which most have not")
    if not said and names != expected:
        said.append(f"has them in another order ({', '.join(names)})")
    return " and ".join(said) or f"is {shown(shape)}, of most trials {shown(form)}"


def listed(trials: list[str]) -> str:
    """The first few of them, and how many more there are."""
    more = f" and {len(trials) - _NAMED} more" if len(trials) > _NAMED else ""
    return ", ".join(trials[:_NAMED]) + more
