"""Complete a proposal from all recordings: clocks, missing values, classes, number of trials, rests."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neural_action.config.settings import CalciumSettings, SplitSettings
from neural_action.errors import InputError
from neural_action.preflight.alike import Form, unlike
from neural_action.preflight.rests import Motion, count_rests
from neural_action.preflight.streams import SHOWN, described
from neural_action.progress import progress
from neural_action.recordings import thresholds
from neural_action.recordings.formats import Behavior, Neural
from neural_action.recordings.plausible import doubtful_units
from neural_action.recordings.readers import paired
from neural_action.recordings.recording import Recording
from neural_action.recordings.resample import resampled
from neural_action.recordings.steps import sampled_frames
from neural_action.recordings.streams import NOT_STATED, same_rate

if TYPE_CHECKING:
    from neural_action.preflight.proposal import Proposal

#: Recordings are cut if an animal has fewer trials than folds: number of pieces, gap between them (s), shortest piece
#: (s) (our choice).
PIECES, GAP, SHORTEST = 8, 2.0, 5.0
#: Seconds over which speed is smoothed before it is cut into classes (our choice).
SMOOTH = 0.5
#: Assumed decay of an unknown indicator, s (our choice).
DECAY = 1.0
#: Section ``calcium`` with its defaults.
CALCIUM = CalciumSettings()
#: Percentile of raw fluorescence that is taken as F0 (our choice).
PERCENTILE = 10.0
#: Units that mean raw fluorescence, and units that exclude it.
_RAW = re.compile(r"raw|fluoresc|lumens|counts|\ba\.?u\b", re.IGNORECASE)
_NOT_RAW = re.compile(r"d_?f|Δf|denoised|background|neuropil|deconvolved|spike", re.IGNORECASE)
#: Units of spikes, which do not decay.
_SPIKES = re.compile("spike|deconvolved", re.IGNORECASE)
_WITH_OPTION = " and run init again, or add --option KEY=VALUE with a key of reader_options, such as "


@dataclass
class _Recordings:
    """Facts about all recordings.

    Attributes:
        forms: shapes and names of each recording.
        speeds: (sample,) speed in each recording, in the unit of its behaviour per second.
        seconds: path -> time that both clocks of the recording cover, s.
        rates: neural and behavior -> path -> frames and samples per second.
        motions: path -> motion.
        classes: names of the classes that occur, in order (keys only).
    """

    forms: list[Form] = field(default_factory=list)
    speeds: list[np.ndarray] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    rates: dict[str, dict[str, float]] = field(default_factory=lambda: {"neural": {}, "behavior": {}})
    motions: dict[str, Motion] = field(default_factory=dict)
    classes: dict[str, None] = field(default_factory=dict)


def complete_proposal(folder: Path, proposal: Proposal) -> None:
    """Read every recording and set what depends on their content. InputError as ``propose``."""
    _clocks(folder, proposal)
    recordings = _read(folder, proposal)
    first = proposal.sample
    proposal.notes += [
        f"{first.animal} {first.trial}, {SHOWN[stream.name]}: {described(stream)}."
        for stream in first.streams
    ]
    if difference := next(unlike(recordings.forms), None):
        raise InputError(
            f"{folder}: {difference}; nothing was written: run init again with --option, such as "
            "'behavior.options.exclude=[NAME]', or on a folder of recordings that agree"
        )
    _one_rate(recordings.rates, proposal)
    proposal.dff = _is_raw(proposal)
    if proposal.options.get("labels") or "thresholds" in proposal.options:
        # The configuration requires at least two classes.
        proposal.class_names = list(recordings.classes) if len(recordings.classes) > 1 else None
    else:
        _speed_classes(np.concatenate(recordings.speeds), proposal)
    _cut(folder, recordings.seconds, proposal)
    _calcium(recordings.motions, proposal)


def _clocks(folder: Path, proposal: Proposal) -> None:
    """InputError, with the options to add, if neither the files nor the given options have a clock."""
    lacking, options = {}, paired.Options.parse(proposal.options)
    for role, name in (("neural", "neural activity"), ("behavior", "behaviour")):
        source: paired.SourceOptions = getattr(options, role)
        found: Neural | Behavior
        try:
            _, found = paired.read_source(folder, proposal.rows[0], options, role)
        except InputError as error:
            raise _again(error, proposal) from None
        own, clock = found.time is not None or found.rate is not None, source.clock
        if not own and clock.rate is None and clock.times is None and clock.sync is None:
            lacking[f"--{role}-rate"] = f"{name} ({source.format})"
        elif own and clock.rate is not None:
            start, rate = clock.start, found.rate
            if found.time is not None:
                start, rate = float(found.time[0]), rate or 1 / float(np.median(np.diff(found.time)))
            proposal.notes.append(
                f"The files of {name} have their own clock (from {start:g} s, {rate:.4g} /s), but the given one "
                f"({clock.rate:g} /s from {clock.start:g} s) is used. To use their clock, leave out --{role}-rate."
            )
    if lacking:
        raise InputError(
            f"{folder}: the files of {' and of '.join(lacking.values())} have no clock; nothing was written: run init "
            f"again with {' and '.join(lacking)} (per second)"
        )


def _read(folder: Path, proposal: Proposal) -> _Recordings:
    """Facts about every recording; the first one becomes the sample. InputError from the reader.

    If values are missing and no policy was given, sets the policy ``drop`` and reads again.
    """
    options, recordings = paired.Options.parse(proposal.options), _Recordings()
    try:
        for row in progress(proposal.rows, "reading recordings", "recording"):
            recording = paired.read(folder, row, options, None).check(str(folder / row.path))
            if not recordings.forms:
                proposal.sample = recording
            if recording.neural.ndim == 2:
                recording.neural.sum().compute()  # Reads all of it: the reader raises on values that are not finite.
            recordings.forms.append(Form.of(recording))
            recordings.rates["neural"][row.path] = recording.neural_rate
            recordings.rates["behavior"][row.path] = recording.behavior_rate
            recordings.classes.update(dict.fromkeys(recording.class_names))
            behavior, time = np.asarray(recording.behavior), recording.behavior_time
            speed = thresholds.measured("speed", behavior, recording.behavior_names, time, SMOOTH)
            recordings.speeds.append(speed)
            recordings.motions[row.path] = Motion.of(recording, proposal.body, CALCIUM.behavior)
            start, stop = _covered(recording)
            recordings.seconds[row.path] = stop - start
    except InputError as error:
        role = "neural" if "neural.missing.policy" in str(error) else "behavior"
        drop = {"policy": "drop", "longest_gap": 0.1}
        if "missing.policy" not in str(error) or not proposal.option(f"{role}.missing", drop, "[ours]"):
            raise _again(error, proposal) from None
        missing, lost = str(error).split(";")[0], "frames" if role == "neural" else "samples"
        proposal.notes.append(
            f"{missing}: gaps of up to 0.1 s are filled, and {lost} in longer gaps are left out ({role}.missing)."
        )
        if role == "neural":
            proposal.notes.append("A unit without any value becomes constant; neural-action check lists it.")
        return _read(folder, proposal)
    return recordings


def _again(error: InputError, proposal: Proposal) -> InputError:
    """The error with what to do, and which series were chosen; messages that name their own option keep it."""
    chosen = "".join(f". {note.rstrip('.')}" for note in proposal.notes if "read from the series" in note)
    such_as = "'behavior.options.series=[NAME]'" if "Other series" in chosen else "align.offset=2.5"
    return InputError(
        f"{error}; nothing was written: "
        + ("run init again with it" if "--option" in str(error) else f"fix this{_WITH_OPTION}{such_as}")
        + chosen
    )


def _one_rate(by_role: dict[str, dict[str, float]], proposal: Proposal) -> None:
    """If rates differ, set the lowest one for all recordings, so that no recording is upsampled."""
    for role, rates in by_role.items():
        lowest = min(rates.values())
        if all(same_rate(rate, lowest) for rate in rates.values()):
            continue
        proposal.rates[role] = round(lowest, 6)
        what = "Neural frames" if role == "neural" else "Behaviour samples"
        by_rate = {f"{rate:.4g}": path for path, rate in reversed(rates.items())}
        listed = ", ".join(f"{rate} ({by_rate[rate]})" for rate in sorted(by_rate, key=float)[:4])
        proposal.notes.append(
            f"{what} per second differ: {listed}{', ...' if len(by_rate) > 4 else ''}; all are resampled to "
            f"{lowest:.4g}, the lowest (convert.{role}_rate)."
        )
    wanted = proposal.rates.get("neural"), proposal.rates.get("behavior")
    proposal.sample = resampled(proposal.sample, *wanted, proposal.rows[0].path)


def _is_raw(proposal: Proposal) -> bool:
    """Whether neural activity is raw fluorescence, by its unit; F0 must be above 0 in at least half of the units."""
    sample, unit = proposal.sample, proposal.sample.units["neural"]
    if unit == NOT_STATED:
        proposal.notes.append(
            "The unit of the neural activity is unknown. If it is raw fluorescence, compute dF/F "
            "(convert.dff: {percentile: 10.0})."
        )
    if not _RAW.search(unit) or _NOT_RAW.search(unit):
        return False
    if sample.neural.ndim != 2:
        return True
    frames = np.asarray(sampled_frames(sample.neural), np.float32)
    low = sum(len(units) for why, units in doubtful_units(frames, PERCENTILE).items() if "baseline" in why)
    if 2 * low <= frames.shape[1]:
        return True
    proposal.notes.append(
        f"The unit is {unit}, but the baseline of {low} of {frames.shape[1]} units is not above 0, so dF/F is not "
        "computed (convert.dff)."
    )
    return False


def _covered(recording: Recording) -> tuple[float, float]:
    """Start and end (s) of the time that has both neural frames and behaviour."""
    neural, behavior = recording.neural_time, recording.behavior_time
    return float(max(neural[0], behavior[0])), float(min(neural[-1], behavior[-1]))


def _speed_classes(speeds: np.ndarray, proposal: Proposal) -> None:
    """Use terciles of speed as placeholder classes."""
    low, high = (float(f"{value:.3g}") for value in np.nanquantile(speeds, (1 / 3, 2 / 3)))
    if not low < high:
        proposal.notes.append(
            "No labels were found, and the speed of the behaviour does not vary, so nothing is labelled."
        )
        return
    cuts = {"of": "speed", "cuts": [low, high], "smooth_seconds": SMOOTH}
    proposal.option("thresholds", cuts, "[ours] terciles, a placeholder")
    proposal.class_names = ["slow", "medium", "fast"]
    proposal.notes.append(
        "No labels were found. Terciles of the speed over all recordings stand in for actions, so that the tables can "
        "be filled; replace them by your own labels."
    )


def _cut(folder: Path, covered: dict[str, float], proposal: Proposal) -> None:
    """If an animal has fewer trials than folds, cut every recording into pieces, or reduce the folds.

    Args:
        folder: the raw folder.
        covered: path -> time that both clocks of the recording cover, s.
        proposal: its option ``cut`` and rows are set, or its folds.
    """
    folds, least = proposal.folds, _fewest(proposal)
    path, shortest = min(covered.items(), key=lambda item: item[1])
    seconds = float(np.floor((shortest + GAP) / PIECES - GAP))
    options = paired.Options.parse(proposal.options)
    cut = options.cut
    if cut is None:
        if least >= folds:
            return
        if "cut" in proposal.options:
            _fewer_folds(folder, "cut: null, as given", proposal)
            return
        if seconds < SHORTEST:
            enough = PIECES * (SHORTEST + GAP) - GAP
            why = f"both clocks of {path} cover {shortest:.0f} s, too little to cut, expected {enough:g} s"
            _fewer_folds(folder, why, proposal)
            return
        cut = paired.CutOptions(seconds=seconds, gap=GAP)
        options = options.model_copy(update={"cut": cut})
        proposal.option("cut", cut.model_dump(), "[ours]")
    proposal.rows = [piece for row in proposal.rows for piece in paired.pieces(folder, row, options)]
    proposal.notes.append(
        f"Every recording is cut into pieces of {cut.seconds:g} s, {cut.gap:g} s apart, because every animal needs "
        f"{folds} trials, one for each fold."
    )
    if _fewest(proposal) < folds:
        _fewer_folds(folder, "after cutting", proposal)


def _fewest(proposal: Proposal) -> int:
    return min(Counter(row.animal for row in proposal.rows).values())


def _fewer_folds(folder: Path, why: str, proposal: Proposal) -> None:
    """Set the folds to the number of trials of the animal with fewest. InputError if that is 1."""
    least, wanted = _fewest(proposal), proposal.folds
    if least < 2:
        raise InputError(
            f"{folder}: an animal has 1 trial, expected {wanted}, one for each fold; {why}; nothing was written: run "
            "init again with more or longer trials"
        )
    proposal.folds = least
    proposal.notes.append(
        f"An animal has only {least} trials ({why}), so there are {least} folds, not {wanted}."
    )


def _calcium(motions: dict[str, Motion], proposal: Proposal) -> None:
    """Set section ``calcium``: fit the kernel if there are enough rests, otherwise assume a decay."""
    unit = proposal.sample.units["neural"]
    if _SPIKES.search(unit):
        proposal.calcium = {"decay": DECAY}
        proposal.calcium_source = (
            "[ours] s; spikes do not decay, so the calcium augmentation has no meaning for them"
        )
        proposal.notes.append(
            f"The unit is {unit}. Spikes do not decay, so the calcium augmentation of row swap_calcium has no meaning."
        )
        return
    looked_at = {
        (row.animal, row.trial): motions[row.path]
        if row.part is None
        else motions[row.path].between(*row.part)
        for row in proposal.rows
    }
    rests = count_rests(looked_at, list(looked_at), SplitSettings(folds=proposal.folds), CALCIUM)
    if rests.enough:
        proposal.calcium_source = (
            f"the decay is fitted to {rests.found} rests after movement; {{decay: 1.0}} (s) replaces the fit"
        )
        return
    proposal.calcium = {"decay": DECAY}
    proposal.calcium_source = (
        "[ours] s, assumed: too few rests after movement for a fit; set the decay of your indicator"
    )
    proposal.notes.append(
        f"The decay of the indicator is assumed to be {DECAY:g} s; set calcium.decay to that of your indicator. There "
        f"are too few rests of {CALCIUM.rest_seconds:g} s after movement to fit it ({rests.found}; "
        f"{rests.fewest:.0f} in the trials that one run sees)."
    )
