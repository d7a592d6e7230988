"""What would stop a run, empty its tables, or come out other than its configuration seems to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.calcium.fit import LEAST_BOUTS
from neural_action.config.plan import Plan
from neural_action.preflight.alike import listed, unlike
from neural_action.preflight.rests import Motion, count_rests
from neural_action.preflight.sample import Look, read_rows
from neural_action.recordings.resample import same_rate


def problems(looks: list[Look], plan: Plan) -> Iterator[str]:
    """What would stop the run, or empty its tables: found, expected, and what to do."""
    # Animals that are read apart may have units of their own.
    groups = [[look for look in looks if look.row.animal == animal] for animal in plan.animals]
    for group in groups if plan.apart else [looks]:
        yield from unlike([look.form for look in group])
        yield from _rates(group)
    if not np.sum([look.counts[1:] for look in looks]):
        yield "nothing is labelled; the action tables would be empty: give labels or thresholds"
    short = min(looks, key=lambda look: look.frames)
    if short.frames < plan.settings.windows.frames:
        yield (
            f"{short.form.where} has {short.frames} frames, windows.frames is {plan.settings.windows.frames}: "
            "make windows shorter, or leave it out"
        )
    if plan.settings.split.protocol == "new_animal" and _units(looks):
        yield (
            "animals differ in their units, so that one of which nothing is seen cannot be encoded: set split.protocol "
            "new_trials, and adapt.rows for what adapting to a new animal reaches"
        )
    yield from _rests(looks, plan)


def _rates(looks: list[Look]) -> Iterator[str]:
    """Neural frames at several rates: a window of so many frames would be another stretch of time in every animal."""
    usual = min(look.neural_rate for look in looks)
    if not all(same_rate(look.neural_rate, usual) for look in looks):
        by_rate = {f"{look.neural_rate:.4g}": look.form.where for look in looks}
        shown = ", ".join(f"{rate} a second such as {where}" for rate, where in sorted(by_rate.items()))
        yield (
            f"neural frames come at several rates ({shown}): bring them to one, convert: {{neural_rate: {usual:.4g}}}"
        )


def _rests(looks: list[Look], plan: Plan) -> Iterator[str]:
    """Too few rests for the fit of the kernel, which fails after everything was converted."""
    settings, convert = plan.settings.calcium, plan.settings.convert
    if settings.decay is not None or not plan.fits_kernel:
        return
    trials = [(row.animal, row.trial) for row in plan.rows]
    motions = {(look.row.animal, look.row.trial): look.motion for look in looks}
    rests = count_rests(motions, trials, plan.settings.split, settings)
    if not rests.enough:
        # A few trials can have none by accident: before that is a problem, all are read.
        others = [row for row in plan.rows if (row.animal, row.trial) not in motions]
        for row, recording in read_rows(Path(plan.raw), others, convert):
            motion = Motion.of(recording, convert.root_relative, settings.behavior)
            motions[row.animal, row.trial] = motion
        rests = count_rests(motions, trials, plan.settings.split, settings)
    if not rests.enough:
        yield (
            f"{rests.found} rests of at least {settings.rest_seconds:g} s after movement in {rests.trials} trials, "
            f"{rests.fewest:.0f} in those that some run sees, and the kernel is fitted to {LEAST_BOUTS} or more: set "
            "calcium: {decay: 1.0} to the decay of your indicator, s, or make calcium.rest_seconds shorter"
        )


def notes(looks: list[Look], plan: Plan, own: Mapping[str, Any]) -> Iterator[str]:
    """What is worth knowing and stops nothing; ``own`` is the configuration without the file of rows."""
    yield from dict.fromkeys(f"{look.row.animal}: {note}" for look in looks for note in look.notes)
    for look in looks:
        if look.covered < 0.5:
            yield f"{look.form.where}: {look.covered:.0%} of the neural frames have behaviour"
    yield from _signals(looks)
    units = _units(looks)
    if units and not plan.apart:
        counts = ", ".join(f"{animal} {count}" for animal, count in units.items())
        yield (
            f"animals differ in their units ({counts}): each gets an input layer of its own, everything after it is "
            "shared; raw rows are read within animals alone"
        )
    if kept := _kept(plan, own):
        said = [
            f"{section}.{key}{_value(own[section][key])} is not for {', '.join(rows)}"
            for (section, key), rows in kept.items()
        ]
        yield f"{'; '.join(said)}: a row's own values stand in methods.<row>.settings"


def _units(looks: list[Look]) -> dict[str, int]:
    """Units of each animal where these differ."""
    units = {look.row.animal: look.form.neural[0] for look in looks if len(look.form.neural) == 1}
    return units if len(set(units.values())) > 1 else {}


def _signals(looks: list[Look]) -> Iterator[str]:
    """Which signal the numbers come from, how it is resampled, and units of it that cannot be trusted."""
    sources: dict[str, list[str]] = {}
    for look in looks:
        said = look.source
        if look.recorded_rate and abs(look.recorded_rate / look.neural_rate - 1) > 1e-6:
            said += f", resampled from {look.recorded_rate:.4g} to {look.neural_rate:.4g} a second"
        sources.setdefault(said, []).append(look.form.where)
    for said, trials in sources.items():
        if said:
            yield f"neural activity of {listed(trials)}: {said}"
    doubtful: dict[str, list[str]] = {}
    for look in looks:
        for reason, units in look.doubtful.items():
            doubtful.setdefault(f"unit {listed(units)} {reason}", []).append(look.form.where)
    for said, trials in doubtful.items():
        yield f"{listed(trials)}: {said}; its activity is not to be trusted"


def _kept(plan: Plan, own: Mapping[str, Any]) -> dict[tuple[str, str], list[str]]:
    """Keys that ``own`` sets and some shown rows do not take, having values of their own from elsewhere."""
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
    """A number or a word in brackets; nothing for what is longer than that."""
    return "" if isinstance(value, dict | list) else f" ({value})"
