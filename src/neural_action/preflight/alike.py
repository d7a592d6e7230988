"""Check that trials agree in the shape of images, in the units of an animal, and in keypoints or features."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from neural_action.recordings.recording import Recording

_Key = TypeVar("_Key", bound=Hashable)
_Behavior = tuple[tuple[str, ...], tuple[int, ...]]
#: Maximum number of trials that a message names.
_NAMED = 4


@dataclass(frozen=True)
class Form:
    """Shapes and names of a trial.

    Attributes:
        where: animal and trial.
        neural, behavior: shapes of one neural frame and one behaviour sample.
        names: names of keypoints or features.
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
        """The form of ``recording``."""
        return cls(
            f"{recording.animal} {recording.trial}",
            tuple(recording.neural.shape[1:]),
            tuple(recording.behavior.shape[1:]),
            recording.behavior_names,
        )


def unlike(forms: Sequence[Form]) -> Iterator[str]:
    """One phrase for each difference from the most frequent form: which trials, what differs, and what to do.

    Animals may have different units, but their images must have one size.
    """
    units = all(len(form.neural) == 1 for form in forms)
    for animal in dict.fromkeys(form.animal for form in forms) if units else [None]:
        frame, frames = _parted(
            [form for form in forms if animal in (None, form.animal)], lambda form: form.neural
        )
        for shape, trials in frames.items():
            yield (
                f"neural frames of {listed(trials)} are {shown(shape)}, in most trials they are {shown(frame)}; "
                f"expected {'the same units in every trial of an animal' if units else 'images of one size, or units'}"
                ": remove these trials from the samples table"
            )
    usual, others = _parted(forms, lambda form: (form.names, form.behavior))
    for found, trials in others.items():
        yield (
            f"behaviour of {listed(trials)} {_difference(found, usual)}; expected the same keypoints or features in "
            "every trial: exclude keypoints or features in all trials (convert.reader_options.behavior.options, such "
            "as exclude), or remove these trials from the samples table"
        )


def shown(shape: tuple[int, ...]) -> str:
    """A shape as text, such as ``64 x 64``."""
    return " x ".join(map(str, shape))


def _parted(forms: Sequence[Form], key: Callable[[Form], _Key]) -> tuple[_Key, dict[_Key, list[str]]]:
    """The most frequent key, and the trials of every other key."""
    usual = Counter(map(key, forms)).most_common(1)[0][0]
    others: dict[_Key, list[str]] = {}
    for form in forms:
        if key(form) != usual:
            others.setdefault(key(form), []).append(form.where)
    return usual, others


def _difference(found: _Behavior, usual: _Behavior) -> str:
    """Phrase for how the names and shape of some trials differ from the usual ones."""
    (names, shape), (expected, form) = found, usual
    said = []
    if lacking := [name for name in expected if name not in names]:
        said.append(f"has no {', '.join(lacking)}")
    if more := [name for name in names if name not in expected]:
        said.append(f"has {', '.join(more)}, which most trials do not have")
    if not said and names != expected:
        said.append(f"has them in another order ({', '.join(names)})")
    return " and ".join(said) or f"is {shown(shape)}, in most trials it is {shown(form)}"


def listed(trials: list[str]) -> str:
    """The first ``_NAMED`` trials, and the number of the others."""
    more = f" and {len(trials) - _NAMED} more" if len(trials) > _NAMED else ""
    return ", ".join(trials[:_NAMED]) + more
