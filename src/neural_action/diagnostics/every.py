"""All checks of a dataset in their order; what a dataset does not have is left out, and said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from neural_action.recordings.clips import clip_table
from neural_action.recordings.cohort import Cohort, load_cohort
from neural_action.recordings.partitions import read_partition
from neural_action.recordings.splits import Holdout, read_folds
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
        hidden = Holdout.parse(holdout)
        findings += _splits(manifests, folds, hidden, clips, split) if hidden.kind == "split" else []
        if hidden.kind != "split":
            assigned = read_folds(folds)
            seen = load_cohort(manifests, assigned, hidden, clips, neural=False)
            findings += check_leak(seen, clip_table(seen, clips, stride=clips.stride), assigned, holdout)
            findings += check_normalisation(seen, assigned, holdout)
            if holdout in swaps:
                findings += check_swaps(seen, SwapTable.load(swaps[holdout]), assigned, holdout)
    if not swaps:
        findings.append(Finding("swaps", "all", "note", "not checked: no swap table was given"))

    found = _Recordings()
    for cohort in _cohorts(manifests, folds, holdouts, clips):
        found.add(cohort, clips, settings, behavior)
    findings += found.findings
    if scores is None:
        findings.append(Finding("control", "all", "note", "not run: nothing is scored yet"))
    else:
        sizes = len(found.class_names), len(found.animals)
        findings += check_control(scores, methods, *sizes, tables, settings)
    counts = pd.concat(found.counts, ignore_index=True)
    return Diagnosis(
        ordered(findings), counts, found.synchrony, found.labels, found.class_names, tuple(found.animals)
    )


def _splits(
    manifests: Sequence[Path], folds: Path, hidden: Holdout, clips: ClipSettings, split: SplitSettings
) -> list[Finding]:
    """What is looked at in each split of an animal."""
    findings = []
    for part in hidden.parts:
        name, pieces = f"split-{part.fold}-{part.last}-{part.value}", read_partition(folds, part.fold)
        seen = load_cohort(manifests, pieces, part, clips, neural=False)
        every = clip_table(seen, clips, stride=clips.stride)
        findings += check_leak(seen, every, pieces, name, split.protocol)
        findings += check_normalisation(seen, pieces, name, split.protocol)
        # Trials are apart in themselves; blocks of time, which are named by their first frame, are not.
        own = [piece for (animal, _), found in pieces.items() if animal == part.value for piece in found]
        if split.protocol == "repeated" and all(piece.segment == str(piece.start) for piece in own):
            findings += check_gaps(seen, name, split.gap_seconds)
        lacking = [one for one in check_balance(seen, every)[0] if one.severity == "warning"]
        findings += [replace(one, subject=f"{called(name)}, {one.subject}") for one in lacking]
    return findings


def _cohorts(
    manifests: Sequence[Path], folds: Path, holdouts: Sequence[str], clips: ClipSettings
) -> Iterator[Cohort]:
    """All recordings; of what is decoded, those of one animal after the other: each has neurons of its own."""
    first = {hidden.value: hidden.parts[0] for hidden in map(Holdout.parse, reversed(holdouts))}
    if Holdout.parse(holdouts[0]).kind != "split":
        yield load_cohort(manifests, read_folds(folds), Holdout("none"), clips)
        return
    for part in reversed(first.values()):
        yield load_cohort(manifests, read_partition(folds, part.fold), part, clips)


@dataclass
class _Recordings:
    """What the checks of recordings found, cohort by cohort."""

    findings: list[Finding] = field(default_factory=list)
    counts: list[pd.DataFrame] = field(default_factory=list)
    synchrony: Curves = field(default_factory=dict)
    labels: dict[str, LagCurve] = field(default_factory=dict)
    animals: list[str] = field(default_factory=list)
    class_names: tuple[str, ...] = ()

    def add(self, cohort: Cohort, clips: ClipSettings, settings: DiagnosticsSettings, behavior: str) -> None:
        found, curves, label_curves = diagnose_recordings(cohort, settings, behavior)
        balance, counts = check_balance(cohort, clip_table(cohort, clips, stride=clips.stride))
        one = len(cohort.animals) == 1
        self.findings += [
            replace(finding, subject=cohort.animals[0]) if one and finding.subject == "all" else finding
            for finding in [*found, *balance]
        ]
        self.counts.append(counts)
        self.synchrony |= curves
        self.labels |= label_curves
        self.animals += cohort.animals
        self.class_names = cohort.class_names


def ordered(findings: Sequence[Finding]) -> list[Finding]:
    """By check, the worst first within each, otherwise as found."""
    severities = ("error", "warning", "note", "ok")
    return sorted(
        findings, key=lambda finding: (list(CHECKS).index(finding.check), severities.index(finding.severity))
    )
