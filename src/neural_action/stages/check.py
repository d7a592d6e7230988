"""Command: read a little of everything that a configuration names, and say what a run would take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from neural_action.config.load import merged
from neural_action.config.plan import Plan
from neural_action.errors import InputError
from neural_action.inspection.costs import Cost, Size, cost
from neural_action.inspection.sample import Look, look_at

#: A peak this far from lag 0 (s) is worth a warning.
LATE = 1.0


def run(config: tuple[Path, ...], methods: Path, trials: int, raw: Path | None, cores: int) -> None:
    """Print animals, clocks, classes, synchrony and the expected time, memory and disk. Nothing is written."""
    if not methods.is_file():
        raise InputError(
            f"{methods}: no such file, expected the rows of the tables; run in a checkout, or give --methods"
        )
    content = merged([methods, *config])
    if raw is not None:
        content["raw"] = str(raw)
    plan = Plan(content)
    settings = plan.settings
    click.echo(f"{settings.dataset}: {settings.title}")
    if plan.simulated:
        raise InputError(
            "configuration raw: null; simulated recordings need no check, expected a folder of recordings"
        )
    by_animal = {animal: [row for row in plan.rows if row.animal == animal] for animal in plan.animals}
    chosen = [row for rows in by_animal.values() for row in _spread(rows, trials)]
    click.echo(
        f"{len(plan.rows)} trials of {len(plan.animals)} animals below {plan.raw}; {len(chosen)} of them are read"
    )
    looks = list(look_at(Path(plan.raw), chosen, settings.convert, settings.calcium.behavior))
    for line in (*_animals(by_animal, looks), *_classes(looks), *_synchrony(looks), *_problems(looks, plan)):
        click.echo(line)
    for line in _costs(cost(plan, _size(plan, looks)), cores):
        click.echo(line)


def _spread(rows: list, count: int) -> list:
    """``count`` of the rows, evenly."""
    return [
        rows[at] for at in sorted({round(at) for at in np.linspace(0, len(rows) - 1, min(count, len(rows)))})
    ]


def _animals(by_animal: dict[str, list], looks: list[Look]) -> Iterator[str]:
    yield ""
    yield f"{'animal':<20}{'trials':>7}{'s each':>8}  {'neural':<24}{'behaviour':<24}{'gaps':>5}{'covered':>9}"
    for animal, rows in by_animal.items():
        own = [look for look in looks if look.row.animal == animal]
        first = own[0]
        neural = f"{_shape(first.neural_shape)} at {first.neural_rate:.4g} /s"
        behavior = f"{_shape(first.behavior_shape)} at {first.behavior_rate:.4g} /s"
        seconds = np.mean([look.seconds for look in own])
        covered = np.mean([look.covered for look in own])
        gaps = sum(look.gaps for look in own)
        yield f"{animal:<20}{len(rows):>7}{seconds:>8.1f}  {neural:<24}{behavior:<24}{gaps:>5}{covered:>9.0%}"


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _classes(looks: list[Look]) -> Iterator[str]:
    counts = np.sum([look.counts for look in looks], axis=0)
    yield ""
    shares = [
        f"{name} {count / max(1, counts[1:].sum()):.0%}"
        for name, count in zip(looks[0].class_names, counts[1:], strict=True)
    ]
    yield f"classes: {', '.join(shares)}; {counts[0] / counts.sum():.0%} of the samples are unlabelled"


def _synchrony(looks: list[Look]) -> Iterator[str]:
    yield "synchrony (correlation of motion energy with mean neural activity; chance: 95 % of shifted clocks):"
    for animal in dict.fromkeys(look.row.animal for look in looks):
        own = [look for look in looks if look.row.animal == animal and len(look.correlation)]
        if not own:
            yield f"  {animal}: too little to say"
            continue
        peaks = [int(np.argmax(np.abs(look.correlation))) for look in own]
        for look, peak in zip(own, peaks, strict=True):
            lag, value = look.lags[peak], look.correlation[peak]
            clear = abs(value) > look.chance
            verdict = (
                "neural follows behaviour"
                if lag > 0
                else "neural precedes behaviour"
                if lag < 0
                else "in step"
            )
            late = f" (further than {LATE:g} s: check align)" if clear and abs(lag) > LATE else ""
            yield (
                f"  {animal} {look.row.trial}: {value:+.2f} at {lag:+.2f} s, chance {look.chance:.2f}: "
                f"{verdict + late if clear else 'none seen: if there should be, check align'}"
            )


def _problems(looks: list[Look], plan: Plan) -> Iterator[str]:
    """What would stop the run, or empty its tables."""
    shapes = {look.neural_shape for look in looks}
    if len(shapes) > 1:
        yield (
            f"PROBLEM: neural frames differ between trials ({', '.join(_shape(shape) for shape in sorted(shapes))}); "
            "one dataset needs the same units in every trial: run one animal a dataset, or use movies"
        )
    if len({look.behavior_shape for look in looks}) > 1:
        yield "PROBLEM: behaviour differs in keypoints or features between trials"
    if not np.sum([look.counts[1:] for look in looks]):
        yield "PROBLEM: nothing is labelled; the action tables would be empty: give labels or thresholds"
    short = min(look.frames for look in looks)
    if short < plan.settings.clips.frames:
        yield f"PROBLEM: a trial has {short} frames, a clip needs clips.frames = {plan.settings.clips.frames}"
    for look in looks:
        if look.covered < 0.5:
            yield f"NOTE: {look.row.animal} {look.row.trial}: {look.covered:.0%} of the neural frames have behaviour"


def _size(plan: Plan, looks: list[Look]) -> Size:
    """Of the whole dataset: the trials that were not read are taken to be as the mean of those that were."""
    trials, mean = len(plan.rows), lambda values: float(np.mean(list(values)))
    kept = mean(look.samples for look in looks) / plan.settings.clips.behavior_stride
    side, shape = plan.settings.convert.resize, looks[0].neural_shape
    if side is not None and len(shape) == 2:
        shape = tuple(round(length * side / max(shape)) for length in shape)
    return Size(
        round(trials * mean(look.frames for look in looks)),
        shape,
        round(trials * kept),
        int(np.prod(looks[0].behavior_shape)),
        trials,
        len(plan.animals),
        looks[0].neural_rate,
    )


def _costs(cost: Cost, cores: int) -> Iterator[str]:
    yield ""
    total = sum(cost.seconds.values())
    step = 1000 * cost.step
    yield f"expected on {cores} cores like this one: {_time(total / cores)} (a training step takes {step:.0f} ms here)"
    for stage, seconds in cost.seconds.items():
        yield f"  {stage:<20}{cost.jobs[stage]:>6} jobs {_time(seconds):>9} of CPU"
    yield f"  memory of the largest job {cost.memory / 2**30:.1f} GiB; disk at most {cost.disk / 2**30:.2f} GiB"
    yield "An estimate: half or twice as much is no surprise. Next: snakemake --cores 2 --configfile <this file>"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
