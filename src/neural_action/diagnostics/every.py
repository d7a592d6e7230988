"""All checks of a dataset in their order; what a dataset does not have is left out, and said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from neural_action.config.settings import ClipSettings, DiagnosticsSettings, MethodSettings, TableSettings
from neural_action.diagnostics.balance import check_balance
from neural_action.diagnostics.control import check_control
from neural_action.diagnostics.duplicates import check_digests, check_overlap
from neural_action.diagnostics.finding import CHECKS, Finding, Severity, worst
from neural_action.diagnostics.labels import check_labels
from neural_action.diagnostics.lags import LagCurve
from neural_action.diagnostics.leaks import check_leak, check_normalisation, check_swaps
from neural_action.diagnostics.names import check_names
from neural_action.diagnostics.synchrony import Curves, check_synchrony
from neural_action.neighbors.table import SwapTable
from neural_action.recordings.clips import clip_table
from neural_action.recordings.cohort import Cohort, load_cohort
from neural_action.recordings.splits import Holdout, Trial
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
    cohort: Cohort, settings: DiagnosticsSettings, behavior: str
) -> tuple[list[Finding], Curves, dict[str, LagCurve]]:
    """The checks of the recordings alone: overlap, synchrony, labels, names."""
    synchrony, curves = check_synchrony(cohort, settings, behavior)
    labels, label_curves = check_labels(cohort, settings)
    found = [*check_overlap(cohort), *synchrony, *labels, *check_names(cohort, settings)]
    return found, curves, label_curves


def diagnose(
    manifests: Sequence[Path],
    folds: dict[Trial, int],
    holdouts: Sequence[str],
    swaps: Mapping[str, Path],
    scores: pd.DataFrame | None,
    methods: Mapping[str, MethodSettings],
    clips: ClipSettings,
    tables: TableSettings,
    settings: DiagnosticsSettings,
    behavior: str = "positions",
) -> Diagnosis:
    """Make every check that the inputs allow.

    Args:
        manifests: of every recording.
        folds: the fold of each trial.
        holdouts: names of the runs whose training is looked at.
        swaps: the swap table of each holdout, for those that have one.
        scores: every score, or None before there are any.
        methods: the rows.
        clips: how they are cut.
        tables: draws of intervals.
        settings: tolerances.
        behavior: whether behaviour holds ``positions`` or ``velocities``.

    Raises:
        InputError: a recording or table that cannot be read.
    """
    findings: list[Finding] = []
    for holdout in holdouts:
        seen = load_cohort(manifests, folds, Holdout.parse(holdout), clips, neural=False)
        every = clip_table(seen, clips, stride=clips.stride)
        findings += check_leak(seen, every, folds, holdout)
        findings += check_normalisation(seen, folds, holdout)
        if holdout in swaps:
            findings += check_swaps(seen, SwapTable.load(swaps[holdout]), folds, holdout)
    if not swaps:
        findings.append(Finding("swaps", "all", "note", "not checked: no swap table was given"))
    findings += check_digests([read_manifest(path) for path in manifests])

    cohort = load_cohort(manifests, folds, Holdout("none"), clips)
    found, curves, label_curves = diagnose_recordings(cohort, settings, behavior)
    balance, counts = check_balance(cohort, clip_table(cohort, clips, stride=clips.stride))
    findings += [*found, *balance]
    if scores is None:
        findings.append(Finding("control", "all", "note", "not run: nothing is scored yet"))
    else:
        sizes = len(cohort.class_names), len(cohort.animals)
        findings += check_control(scores, methods, *sizes, tables, settings)
    return Diagnosis(ordered(findings), counts, curves, label_curves, cohort.class_names, cohort.animals)


def ordered(findings: Sequence[Finding]) -> list[Finding]:
    """By check, the worst first within each, otherwise as found."""
    severities = ("error", "warning", "note", "ok")
    return sorted(
        findings, key=lambda finding: (list(CHECKS).index(finding.check), severities.index(finding.severity))
    )
