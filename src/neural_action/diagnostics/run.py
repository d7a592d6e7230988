"""All checks of a dataset in their order; what a dataset does not have is left out, and said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from neural_action.config.sections import Sections
from neural_action.config.settings import DiagnosticsSettings, WindowSettings
from neural_action.datasets.dataset import Dataset, Source, dataset_of
from neural_action.datasets.layout import Layout
from neural_action.datasets.split_table import SplitTable
from neural_action.datasets.windows import window_table
from neural_action.diagnostics.balance import check_balance, class_counts
from neural_action.diagnostics.control import check_control
from neural_action.diagnostics.duplicates import check_digests, check_overlap
from neural_action.diagnostics.finding import CHECKS, Finding, Severity, worst
from neural_action.diagnostics.labels import check_labels
from neural_action.diagnostics.lags import LagCurve
from neural_action.diagnostics.leaks import (
    check_gaps,
    check_normalisation,
    check_swaps,
    check_table,
    check_windows,
)
from neural_action.diagnostics.names import check_names
from neural_action.diagnostics.synchrony import Curves, check_synchrony
from neural_action.errors import InputError
from neural_action.neighbors.table import SwapTable


@dataclass
class Diagnosis:
    """What all checks found.

    Attributes:
        findings: in the order of ``CHECKS``, the worst first within a check.
        counts: windows of each animal, split, role and class.
        synchrony, labels: the lag curves behind two of the checks, by trial.
        class_names, animals: names, for pictures.
    """

    findings: list[Finding]
    counts: pd.DataFrame
    synchrony: Curves
    labels: dict[str, LagCurve]
    class_names: tuple[str, ...] = ()
    animals: tuple[str, ...] = ()

    def of(self, check: str) -> list[Finding]:
        """The findings of one check."""
        return [finding for finding in self.findings if finding.check == check]

    @property
    def severities(self) -> dict[str, Severity]:
        """The worst severity of each check that was made."""
        return {check: worst(found) for check in CHECKS if (found := self.of(check))}


def diagnose(
    sections: Sections, source: Source, swaps: Mapping[str, Path], scores: pd.DataFrame | None
) -> Diagnosis:
    """Make every check that the inputs allow.

    Args:
        sections: of the configuration: windows, split, methods, evaluation, tables, diagnostics, calcium.
        source: the dataset, and the splits whose training is looked at.
        swaps: swap tables by the name of their run, for runs that have one.
        scores: all scores, or None before there are any.

    Raises:
        InputError: a dataset or table that cannot be read, or a swap table of no split that was given.
    """
    layout, table = source.layout(), source.table()
    findings = check_digests(layout)
    behavior = layout.without_neural()
    used: set[str] = set()
    counts = []
    for split in source.names:
        run = next((name for name in swaps if split == name or split.startswith(f"{name}-")), None)
        used |= {run} if run else set()
        found, counted = _of_split(behavior, table, split, swaps.get(run or ""), sections)
        findings += found
        counts.append(counted)
    if unknown := sorted(set(swaps) - used):
        raise InputError(f"{swaps[unknown[0]]}: {unknown[0]!r} is a run of none of {', '.join(source.names)}")
    if not swaps:
        findings.append(Finding("swaps", "all", "note", "not checked: no swap table was given"))
    every = pd.concat(counts, ignore_index=True)
    findings += check_balance(every)

    settings = sections.diagnostics
    curves: Curves = {}
    label_curves: dict[str, LagCurve] = {}
    parts = _together(layout, sections.windows)
    for dataset in parts:
        found, own, labels = diagnose_recordings(dataset, settings, sections.calcium.behavior)
        findings += _named(found, dataset, alone=len(parts) > 1)
        curves, label_curves = {**curves, **own}, {**label_curves, **labels}
    animals = tuple(name for dataset in parts for name in dataset.animals)
    if scores is None:
        findings.append(Finding("control", "all", "note", "not run: nothing is scored yet"))
    else:
        findings += check_control(scores, sections.methods, len(parts[0].class_names), len(animals), sections)
    return Diagnosis(ordered(findings), every, curves, label_curves, parts[0].class_names, animals)


def diagnose_recordings(
    dataset: Dataset, settings: DiagnosticsSettings, behavior: str
) -> tuple[list[Finding], Curves, dict[str, LagCurve]]:
    """The checks of the recordings alone: overlap, synchrony, labels, names."""
    synchrony, curves = check_synchrony(dataset, settings, behavior)
    labels, label_curves = check_labels(dataset, settings)
    found = [*check_overlap(dataset), *synchrony, *labels, *check_names(dataset, settings)]
    return found, curves, label_curves


def _of_split(
    layout: Layout, table: SplitTable, split: str, swaps: Path | None, sections: Sections
) -> tuple[list[Finding], pd.DataFrame]:
    """What the training of one split is looked at for, and its windows counted. No neural data are read."""
    pieces = table.pieces(split)
    dataset = dataset_of(layout, pieces, sections.windows)
    windows = window_table(dataset, sections.windows, stride=sections.windows.stride)
    stride = sections.windows.behavior_stride
    findings = check_table(table, split)
    findings += check_windows(layout, pieces, dataset, windows, stride, split)
    findings += check_normalisation(dataset, split)
    if swaps is not None:
        findings += check_swaps(dataset, SwapTable.load(swaps), split)
    by_time = not any(entry.segments for entry in layout.entries)
    if sections.split.protocol == "repeated" and by_time:
        findings += check_gaps(dataset, split, sections.split.gap_seconds)
    return findings, class_counts(dataset, windows, split)


def _together(layout: Layout, windows: WindowSettings) -> list[Dataset]:
    """Everything at once; animal by animal where each has neurons of its own."""
    if len(set(layout.units.values())) == 1:
        return [dataset_of(layout, None, windows)]
    return [dataset_of(layout, None, windows, animal=animal) for animal in layout.animals]


def _named(found: Sequence[Finding], dataset: Dataset, *, alone: bool) -> list[Finding]:
    """Findings on a whole dataset are on its animal, where it has one alone."""
    if not alone and len(dataset.animals) > 1:
        return list(found)
    (animal,) = dataset.animals
    return [replace(one, subject=animal) if one.subject == "all" else one for one in found]


def ordered(findings: Sequence[Finding]) -> list[Finding]:
    """By check, the worst first within each, otherwise as found."""
    severities = ("error", "warning", "note", "ok")
    return sorted(
        findings, key=lambda finding: (list(CHECKS).index(finding.check), severities.index(finding.severity))
    )
