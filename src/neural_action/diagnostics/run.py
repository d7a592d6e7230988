"""All checks of a dataset. A check that the data do not allow gives a note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from neural_action.config.output_settings import DiagnosticsSettings
from neural_action.config.sections import Sections
from neural_action.config.settings import WindowSettings
from neural_action.datasets.dataset import Dataset, Source, dataset_of, own_units
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
    """The findings of all checks, and data for the picture.

    Attributes:
        findings: in the order of ``CHECKS``, the worst first within a check.
        counts: windows of each animal, split, role and class, see ``class_counts``.
        synchrony, labels: lag curves of these two checks, by trial name.
        class_names, animals: names.
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
        """The worst severity of each check that has findings."""
        return {check: worst(found) for check in CHECKS if (found := self.of(check))}


def diagnose(
    sections: Sections, source: Source, swaps: Mapping[str, Path], scores: pd.DataFrame | None
) -> Diagnosis:
    """Run all checks that the inputs allow.

    Args:
        sections: the sections windows, split, methods, evaluation, probes, diagnostics and calcium of the
            configuration.
        source: the dataset, and the splits that are checked.
        swaps: paths of swap tables by the name of their run.
        scores: all scores; None if nothing is scored yet.

    Raises:
        InputError: a dataset or table cannot be read, or a swap table belongs to none of the splits.
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
        raise InputError(
            f"{swaps[unknown[0]]}: run {unknown[0]!r}, expected a run of one of the splits {', '.join(source.names)}"
        )
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
        findings.append(Finding("control", "all", "note", "not checked: nothing is scored yet"))
    else:
        findings += check_control(scores, sections.methods, len(parts[0].class_names), len(animals), sections)
    return Diagnosis(ordered(findings), every, curves, label_curves, parts[0].class_names, animals)


def diagnose_recordings(
    dataset: Dataset, settings: DiagnosticsSettings, behavior: str
) -> tuple[list[Finding], Curves, dict[str, LagCurve]]:
    """The checks that need only recordings (overlap, synchrony, labels, names): findings and lag curves."""
    synchrony, curves = check_synchrony(dataset, settings, behavior)
    labels, label_curves = check_labels(dataset, settings)
    found = [*check_overlap(dataset), *synchrony, *labels, *check_names(dataset, settings)]
    return found, curves, label_curves


def _of_split(
    layout: Layout, table: SplitTable, split: str, swaps: Path | None, sections: Sections
) -> tuple[list[Finding], pd.DataFrame]:
    """The checks of one split, and the number of its windows. No neural data are read."""
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
    """All recordings as one dataset, or one dataset for each animal if animals have different units."""
    if len(set(layout.units.values())) == 1 and not own_units(layout.entries, windows):
        return [dataset_of(layout, None, windows)]
    return [dataset_of(layout, None, windows, animal=animal) for animal in layout.animals]


def _named(found: Sequence[Finding], dataset: Dataset, *, alone: bool) -> list[Finding]:
    """Findings with the animal as subject instead of ``all``, if the dataset has a single animal."""
    if not alone and len(dataset.animals) > 1:
        return list(found)
    (animal,) = dataset.animals
    return [replace(one, subject=animal) if one.subject == "all" else one for one in found]


def ordered(findings: Sequence[Finding]) -> list[Finding]:
    """Findings sorted by check, the worst first within a check, otherwise in the given order."""
    severities = ("error", "warning", "note", "ok")
    return sorted(
        findings, key=lambda finding: (list(CHECKS).index(finding.check), severities.index(finding.severity))
    )
