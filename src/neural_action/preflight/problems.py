"""Find problems that stop a run or empty its tables, and notes on results that may surprise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.calcium.fit import LEAST_BOUTS
from neural_action.config.plan import Plan
from neural_action.datasets.dataset import are_own
from neural_action.preflight.alike import listed, unlike
from neural_action.preflight.rests import Motion, count_rests
from neural_action.preflight.sample import Look, read_rows
from neural_action.recordings.steps import resized
from neural_action.recordings.streams import same_rate

#: Representations that are averaged over ``raw_pool_time`` frames.
_POOLED = ("raw", "ridge", "canonical", "external")


def problems(looks: list[Look], plan: Plan) -> Iterator[str]:
    """Problems that would stop the run or empty its tables: what was found, what was expected, and what to do."""
    # Animals that are read apart may have different units.
    groups = [[look for look in looks if look.row.animal == animal] for animal in plan.animals]
    for group in groups if plan.apart else [looks]:
        yield from unlike([look.form for look in group])
        yield from _rates(group)
    if not np.sum([look.counts[1:] for look in looks]):
        yield "no sample is labelled, the action tables would be empty: set labels or thresholds"
    short = min(looks, key=lambda look: look.frames)
    if short.frames < plan.settings.windows.frames:
        yield (
            f"{short.form.where} has {short.frames} frames, expected at least {plan.settings.windows.frames} "
            "(windows.frames): shorten the windows, or leave the trial out"
        )
    yield from _blocks(looks, plan)
    yield from _rests(looks, plan)


def _blocks(looks: list[Look], plan: Plan) -> Iterator[str]:
    """A problem if a raw row cannot average windows over whole blocks: its evaluation would stop."""
    settings = plan.settings
    if not any(row.representation in _POOLED for row in plan.methods.values()):
        return
    frames, time, space = (
        settings.windows.frames,
        settings.evaluation.raw_pool_time,
        settings.evaluation.raw_pool_space,
    )
    if frames % time:
        yield (
            f"evaluation.raw_pool_time {time} does not divide the {frames} frames of a window (windows.frames): raw "
            "rows average over whole blocks; set it to 1 or to a divisor"
        )
    shape = looks[0].form.neural
    sides = resized(shape[-2:], settings.convert.resize) if len(shape) > 1 else ()
    if any(side % space for side in sides):
        yield (
            f"evaluation.raw_pool_space {space} does not divide images of {sides[0]} x {sides[1]} pixels: raw rows "
            "average over whole blocks; set it to 1 or to a divisor"
        )


def _rates(looks: list[Look]) -> Iterator[str]:
    """A problem if rates differ: a window would last longer in one recording than in another, or its poses would."""
    for key, what in (("neural_rate", "neural frame"), ("behavior_rate", "behaviour sample")):
        rates = {look.form.where: getattr(look, key) for look in looks}
        lowest = min(rates.values())
        if not all(same_rate(rate, lowest) for rate in rates.values()):
            by_rate = {f"{rate:.4g}": where for where, rate in rates.items()}
            shown = ", ".join(f"{rate} /s such as {by_rate[rate]}" for rate in sorted(by_rate, key=float))
            yield f"{what} rates differ ({shown}): resample to one rate, convert: {{{key}: {lowest:.4g}}}"


def _rests(looks: list[Look], plan: Plan) -> Iterator[str]:
    """A problem if there are too few rests to fit the kernel: the fit would fail only after conversion."""
    settings, convert = plan.settings.calcium, plan.settings.convert
    if settings.decay is not None or not plan.fits_kernel:
        return
    trials = [(row.animal, row.trial) for row in plan.rows]
    motions = {(look.row.animal, look.row.trial): look.motion for look in looks}
    rests = count_rests(motions, trials, plan.settings.split, settings)
    if not rests.enough:
        # The few trials read so far may have no rest by chance, so read all trials before reporting a problem.
        others = [row for row in plan.rows if (row.animal, row.trial) not in motions]
        for row, recording in read_rows(Path(plan.raw), others, convert):
            motion = Motion.of(recording, convert.root_relative, settings.behavior)
            motions[row.animal, row.trial] = motion
        rests = count_rests(motions, trials, plan.settings.split, settings)
    if not rests.enough:
        yield (
            f"{rests.trials} trials have {rests.found} rests of at least {settings.rest_seconds:g} s after movement "
            f"({rests.fewest:.0f} in the trials that one run sees), expected at least {LEAST_BOUTS} to fit the kernel: "
            "set calcium: {decay: 1.0} to the decay of your indicator (s), or shorten calcium.rest_seconds"
        )


def notes(looks: list[Look], plan: Plan, own: Mapping[str, Any]) -> Iterator[str]:
    """Notes that do not stop the run; ``own`` is the configuration without the file of rows."""
    yield from dict.fromkeys(f"{look.row.animal}: {note}" for look in looks for note in look.notes)
    if plan.settings.split.animal_of_session is not None:
        sessions = ", ".join(f"{session} of {animal}" for session, animal in plan.owners.items())
        alone = "; no animal can be left out" if len(set(plan.owners.values())) == 1 else ""
        yield f"animals are sessions: {sessions}{alone}"
    for look in looks:
        if look.covered < 0.5:
            yield f"{look.form.where}: {look.covered:.0%} of the neural frames have behaviour"
    yield from _signals(looks)
    units = _units(looks)
    if not plan.apart and len(units) > 1:
        counts = ", ".join(f"{animal} {count}" for animal, count in units.items())
        if are_own(units, plan.settings.windows):
            yield (
                f"animals have their own units ({counts}): each gets an input layer of its own, everything after it is "
                "shared; raw rows are read within animals alone"
            )
        elif plan.settings.windows.units is None:
            yield (
                f"all animals have {next(iter(units.values()))} units, which are taken to be the same in all; if unit "
                "k of one animal is not unit k of another, set windows.units: own, otherwise shared"
            )
    if kept := _kept(plan, own):
        said = [
            f"{section}.{key}{_value(own[section][key])} does not apply to {', '.join(rows)}"
            for (section, key), rows in kept.items()
        ]
        yield f"{'; '.join(said)}: these rows set their own values in methods.<row>.settings"


def _units(looks: list[Look]) -> dict[str, int]:
    """Number of units of each animal; none of images."""
    return {look.row.animal: look.form.neural[0] for look in looks if len(look.form.neural) == 1}


def _signals(looks: list[Look]) -> Iterator[str]:
    """What is resampled, and units that cannot be trusted."""
    sources: dict[tuple[str, str], list[str]] = {}
    for look in looks:
        neural, behavior = look.recorded_rates
        for what, phrase in (
            ("neural activity", _moved(neural, look.neural_rate)),
            ("behaviour", _moved(behavior, look.behavior_rate)),
        ):
            sources.setdefault((what, phrase), []).append(look.form.where)
    for (what, said), trials in sources.items():
        if said:
            yield f"{what} of {listed(trials)}: {said}"
    doubtful: dict[str, list[str]] = {}
    for look in looks:
        for reason, units in look.doubtful.items():
            which = f"unit {units[0]}" if len(units) == 1 else f"each of {len(units)} units ({listed(units)})"
            doubtful.setdefault(f"{which} {reason}", []).append(look.form.where)
    for said, trials in doubtful.items():
        yield f"{listed(trials)}: {said}; do not trust its activity"


def _moved(recorded: float, rate: float) -> str:
    """Phrase on a resampling; empty without one."""
    same = not recorded or abs(recorded / rate - 1) < 1e-6
    return "" if same else f"resampled from {recorded:.4g} to {rate:.4g} /s"


def _kept(plan: Plan, own: Mapping[str, Any]) -> dict[tuple[str, str], list[str]]:
    """(section, key) that ``own`` sets -> trained rows that use another value, set in the file of rows."""
    kept: dict[tuple[str, str], list[str]] = {}
    for name in plan.trained:
        said = own.get("methods", {}).get(name, {}).get("settings", {})
        for section, values in plan.methods[name].settings.items():
            for key, value in values.items():
                given = own.get(section, {})
                if key in given and given[key] != value and key not in said.get(section, {}):
                    kept.setdefault((section, key), []).append(f"{name}{_value(value)}")
    return kept


def _value(value: Any) -> str:
    """A number or a word in brackets; empty for lists and mappings."""
    return "" if isinstance(value, dict | list) else f" ({value})"
