"""Duplicates: recordings, or parts of recordings, that occur under two names."""

from __future__ import annotations

import hashlib
from collections import defaultdict

import numpy as np

from neural_action.datasets.dataset import Dataset
from neural_action.datasets.layout import Layout
from neural_action.diagnostics.finding import Finding, Value, name

#: Consecutive frames or samples that two trials may share by chance (our choice).
_ACCIDENTS = 10


def check_digests(layout: Layout) -> list[Finding]:
    """Findings on recordings with equal digests of their neural data, or with equal behaviour."""
    findings = []
    behavior = layout.arrays["behavior"]
    for what, digest in (
        ("neural data", lambda entry: (entry.frame_shape, entry.sha256)),
        ("behaviour", lambda entry: hashlib.sha256(behavior[entry.samples].tobytes()).hexdigest()),
    ):
        if what == "behaviour" and 0 in behavior.shape:
            continue
        same = defaultdict(list)
        for entry in layout.entries:
            same[digest(entry)].append(name(entry.animal, entry.trial))
        for trials in same.values():
            if len(trials) > 1:
                message = f"{' and '.join(sorted(trials))} hold the same {what}"
                findings.append(Finding("duplicates", sorted(trials)[1], "error", message, {"what": what}))
    if not findings:
        count = len(layout.entries)
        message = f"no two of {count} recordings have equal neural data or equal behaviour"
        findings.append(Finding("duplicates", "all", "ok", message, {"recordings": count}))
    return findings


def check_overlap(dataset: Dataset) -> list[Finding]:
    """Findings on trials that share neural frames or behaviour samples, as overlapping cuts of one recording do.

    Frames are equal if all their values are (compared by digest). Frames with one value for all features, and frames
    that recur within a trial, are ignored. Up to 10 shared frames in a row are ignored as well, because coarse values
    of a few features agree by chance. Behaviour is compared too, because scaling each trial separately changes neural
    values but not behaviour.
    """
    findings = []
    for what, values, rows_of in (
        ("neural frames", dataset.neural, [trial.frames for trial in dataset.trials]),
        ("behaviour samples", dataset.pose_raw, [trial.samples for trial in dataset.trials]),
    ):
        parts = [values[rows] for rows in rows_of]
        if any(0 in part.shape or part[0].size < 2 for part in parts):
            continue
        digests = [_digests(part) for part in parts]
        owners = defaultdict(list)
        for at, own in enumerate(digests):
            for digest in own:
                owners[digest].append(at)
        shared: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for digest, trials in owners.items():
            if len(trials) > 1:
                first, second = trials[:2]
                shared[first, second].append((digests[first][digest], digests[second][digest]))
        for (first, second), places in sorted(shared.items()):
            count = _in_a_row(places)
            if count <= _ACCIDENTS:
                continue
            one, two = dataset.trials[first], dataset.trials[second]
            both = f"{name(one.animal, one.name)} and {name(two.animal, two.name)}"
            message = f"{both} share {count} consecutive {what}: one may be in training and the other in test"
            values_of: dict[str, Value] = {"what": what, "count": count}
            findings.append(Finding("duplicates", name(two.animal, two.name), "error", message, values_of))
    if not findings:
        message = f"no two of {len(dataset.trials)} trials share neural frames or behaviour samples"
        findings.append(Finding("duplicates", "all", "ok", message, {"trials": len(dataset.trials)}))
    return findings


def _digests(values: np.ndarray) -> dict[bytes, int]:
    """Digests of the rows that occur once and are not constant, with their row numbers."""
    flat = np.ascontiguousarray(values.reshape(len(values), -1))
    seen: dict[bytes, list[int]] = defaultdict(list)
    for at in np.flatnonzero(np.ptp(flat, axis=1) > 0):
        seen[hashlib.blake2b(flat[at], digest_size=12).digest()].append(int(at))
    return {digest: places[0] for digest, places in seen.items() if len(places) == 1}


def _in_a_row(places: list[tuple[int, int]]) -> int:
    """Length of the longest run of pairs that are consecutive in both trials."""
    longest = length = 0
    before = (-2, -2)
    for one, other in sorted(places):
        length = length + 1 if (one, other) == (before[0] + 1, before[1] + 1) else 1
        longest, before = max(longest, length), (one, other)
    return longest
