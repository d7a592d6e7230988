"""What a check found: one line a person can act on, and the numbers behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

#: ``ok``: looked at and sound. ``note``: cannot be told from these data, or worth knowing. ``warning``: statistics say
#: that something may be wrong. ``error``: scores made with these data are wrong.
Severity = Literal["ok", "note", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

#: A number or a name behind a finding, as JSON has it.
Value = float | int | str | None

#: The checks, in the order in which they are shown, and what each asks.
CHECKS = {
    "leak": "Is anything hidden visible in training?",
    "swaps": "Do swaps stay among what training may see?",
    "normalisation": "Are statistics of behaviour fitted on visible samples alone?",
    "duplicates": "Is a recording, or a part of one, there twice?",
    "control": "Do permuted labels end at chance?",
    "synchrony": "Do neural activity and movement go together, at one lag?",
    "labels": "Do labels and what they are read from go together, at lag 0?",
    "names": "Is each trial like the other trials of its animal?",
    "balance": "Is every action there for every animal and split?",
}


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    Attributes:
        check: a key of ``CHECKS``.
        subject: what it is about, such as ``Fly1/001``, ``fold-0`` or the dataset, ``all``.
        severity: how bad.
        message: one line; names the values found and what was expected.
        values: the numbers behind it; JSON values.
    """

    check: str
    subject: str
    severity: Severity
    message: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def to_dict(self) -> dict:
        """For JSON."""
        return asdict(self)


def worst(findings: Iterable[Finding]) -> Severity:
    """The worst severity among ``findings``; ``ok`` for none."""
    return max((finding.severity for finding in findings), key=SEVERITIES.index, default="ok")


def name(animal: str, trial: str) -> str:
    """A trial as a subject."""
    return f"{animal}/{trial}"
