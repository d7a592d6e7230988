"""Findings of checks: a line that a person can act on, and the numbers behind it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

#: ``ok``: checked, nothing found. ``note``: these data do not allow the check, or worth knowing. ``warning``:
#: statistics suggest that something is wrong. ``error``: scores made with these data are wrong.
Severity = Literal["ok", "note", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

#: A number or a name behind a finding, as a JSON value.
Value = float | int | str | None

#: The checks in the order in which they are shown, each with its question.
CHECKS = {
    "leak": "Does training see any data that the split hides?",
    "swaps": "Do pose swaps use only poses that training may see?",
    "normalisation": "Is behaviour normalised by samples outside the test?",
    "duplicates": "Are recordings, or parts of them, duplicated?",
    "control": "Do permuted labels score at chance?",
    "synchrony": "Are neural activity and movement aligned in time in every trial?",
    "labels": "Are labels aligned in time with the recordings?",
    "names": "Does each trial resemble the other trials of its animal?",
    "balance": "Do every animal and every split have every action?",
}


@dataclass(frozen=True)
class Finding:
    """One finding of a check.

    Attributes:
        check: a key of ``CHECKS``.
        subject: what the finding is about: a trial (``Fly1/001``), an animal, a split (``fold-0``), a row, or ``all``
            for the dataset.
        severity: one of ``SEVERITIES``.
        message: one line with the values found and, where something is wrong, what was expected.
        values: the numbers behind it, JSON values.
    """

    check: str
    subject: str
    severity: Severity
    message: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def to_dict(self) -> dict:
        """The finding as a dictionary of JSON values."""
        return asdict(self)


def worst(findings: Iterable[Finding]) -> Severity:
    """The worst severity among ``findings``; ``ok`` without findings."""
    return max((finding.severity for finding in findings), key=SEVERITIES.index, default="ok")


def name(animal: str, trial: str) -> str:
    """The subject of a trial, ``<animal>/<trial>``."""
    return f"{animal}/{trial}"


def rounded(number: float) -> float | None:
    """A number with four decimals; None for NaN, which JSON does not have."""
    return round(number, 4) if math.isfinite(number) else None
