"""All checks of a dataset in their order; what a dataset does not have is left out, and said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from neural_action.config.settings import (
    ClipSettings,
    DiagnosticsSettings,
    MethodSettings,
    SplitSettings,
    TableSettings,
)
from neural_action.diagnostics.balance import check_balance
from neural_action.diagnostics.control import check_control
from neural_action.diagnostics.duplicates import check_digests, check_overlap
from neural_action.diagnostics.finding import CHECKS, Finding, Severity, worst
from neural_action.diagnostics.labels import check_labels
from neural_action.diagnostics.lags import LagCurve
from neural_action.diagnostics.leaks import called, check_gaps, check_leak, check_normalisation, check_swaps
from neural_action.diagnostics.names import check_names
from neural_action.diagnostics.synchrony import Curves, check_synchrony
from neural_action.neighbors.table import SwapTable
from neural_action.datasets.windows import window_table
from neural_action.datasets.dataset import Dataset, load_cohort, read_assignment
from neural_action.datasets.partitions import cut_by_time
from neural_action.recordings.splits import Holdout
from neural_action.recordings.store import read_manifest


@dataclass
class Diagnosis:
    """What all checks found.

    Attributes:
        findings: in the order of ``CHECKS``, the worst first within a check.
        counts: clips of each animal, fold and class.
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


def diagnose_recordings(
    dataset: Dataset, settings: DiagnosticsSettings, behavior: str
) -> tuple[list[Finding], Curves, dict[str, LagCurve]]:
    """The checks of the recordings alone: overlap, synchrony, labels, names."""
    synchrony, curves = check_synchrony(dataset, settings, behavior)
    labels, label_curves = check_labels(dataset, settings)
    found = [*check_overlap(dataset), *synchrony, *labels, *check_names(dataset, settings)]
    return found, curves, label_curves


def diagnose(
    manifests: Sequence[Path],
    folds: Path,
    holdouts: Sequence[str],
    swaps: Mapping[str, Path],
    scores: pd.DataFrame | None,
    methods: Mapping[str, MethodSettings],
    clips: ClipSettings,
    split: SplitSettings,
    tables: TableSettings,
    settings: DiagnosticsSettings,
    behavior: str = "positions",
) -> Diagnosis:
    """Make every check that the inputs allow.

    Args:
        manifests: of every recording.
        folds: the folds of the trials, or the splits of what is decoded.
        holdouts: names of the runs whose training is looked at.
        swaps: the swap table of each holdout, for those that have one.
        scores: every score, or None before there are any.
        methods: the rows.
        clips: how they are cut.
        split: the protocol of splits, and their gaps.
        tables: draws of intervals.
        settings: tolerances.
        behavior: whether behaviour holds ``positions`` or ``velocities``.

    Raises:
        InputError: a recording or table that cannot be read.
    """
    findings = check_digests([read_manifest(path) for path in manifests])
    for holdout in holdouts:
        for run in Holdout.parse(holdout).parts:
            findings += _of_run(manifests, folds, run, swaps.get(run.name), clips, split)
    if not swaps:
        findings.append(Finding("swaps", "all", "note", "not checked: no swap table was given"))

    found = [
        _of_recordings(
            load_cohort(manifests, read_assignment(folds, run), run, clips), clips, settings, behavior
        )
        for run in _reading_all(holdouts)
    ]
    findings += [finding for one in found for finding in one.findings]
    class_names, animals = found[0].class_names, tuple(name for one in found for name in one.animals)
    if scores is None:
        findings.append(Finding("control", "all", "note", "not run: nothing is scored yet"))
    else:
        findings += check_control(scores, methods, len(class_names), len(animals), tables, settings)
    return Diagnosis(
        ordered(findings),
        pd.concat([one.counts for one in found], ignore_index=True),
        {trial: curves for one in found for trial, curves in one.synchrony.items()},
        {trial: curve for one in found for trial, curve in one.labels.items()},
        class_names,
        animals,
    )


def _of_run(
    manifests: Sequence[Path],
    folds: Path,
    run: Holdout,
    swaps: Path | None,
    clips: ClipSettings,
    split: SplitSettings,
) -> list[Finding]:
    """What the training of one run is looked at for."""
    assigned = read_assignment(folds, run)
    seen = load_cohort(manifests, assigned, run, clips, neural=False)
    every = window_table(seen, clips, stride=clips.stride)
    findings = check_leak(seen, every, assigned, run.name, split.protocol)
    findings += check_normalisation(seen, assigned, run.name, split.protocol)
    if swaps is not None:
        findings += check_swaps(seen, SwapTable.load(swaps), assigned, run.name)
    if run.kind == "split":
        if split.protocol == "repeated" and cut_by_time(assigned, run.value):
            findings += check_gaps(seen, run.name, split.gap_seconds)
        lacking = [one for one in check_balance(seen, every)[0] if one.severity == "warning"]
        findings += [replace(one, subject=f"{called(run.name)}, {one.subject}") for one in lacking]
    return findings


def _reading_all(holdouts: Sequence[str]) -> list[Holdout]:
    """Runs that read every recording once: of what is decoded, a split of each animal, as each has its own neurons."""
    first: dict[str, Holdout] = {}
    for hidden in map(Holdout.parse, holdouts):
        run = hidden.parts[0] if hidden.kind == "split" else Holdout("none")
        first.setdefault(run.value, run)
    return list(first.values())


def _of_recordings(
    dataset: Dataset, clips: ClipSettings, settings: DiagnosticsSettings, behavior: str
) -> Diagnosis:
    """What recordings are looked at for, whatever is trained on them."""
    found, curves, label_curves = diagnose_recordings(dataset, settings, behavior)
    balance, counts = check_balance(dataset, window_table(dataset, clips, stride=clips.stride))
    findings = [*found, *balance]
    if len(dataset.animals) == 1:
        (animal,) = dataset.animals
        findings = [replace(one, subject=animal) if one.subject == "all" else one for one in findings]
    return Diagnosis(findings, counts, curves, label_curves, dataset.class_names, dataset.animals)


def ordered(findings: Sequence[Finding]) -> list[Finding]:
    """By check, the worst first within each, otherwise as found."""
    severities = ("error", "warning", "note", "ok")
    return sorted(
        findings, key=lambda finding: (list(CHECKS).index(finding.check), severities.index(finding.severity))
    )
