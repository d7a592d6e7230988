"""Command: read a few trials of each animal of a configuration, and estimate the cost of a run."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from neural_action.config.load import merged, rows_file
from neural_action.config.plan import Plan
from neural_action.errors import InputError
from neural_action.names import shortened
from neural_action.preflight.alike import shown
from neural_action.preflight.costs import Cost, Size, cost
from neural_action.preflight.problems import notes, problems
from neural_action.preflight.sample import LAG, Look, look_at
from neural_action.preflight.streams import clock_doubts, stream_lines
from neural_action.preflight.who import who_lines

#: A correlation peak further from lag 0 than this (s) gets a warning (our choice).
LATE = 1.0
#: Width of the column with the animal's name, in characters.
_WIDTH = 20


def run(config: tuple[Path, ...], methods: Path | None, trials: int, raw: Path | None, cores: int) -> None:
    """Print animals, clocks, classes, synchrony, problems and the expected time, memory and disk; write nothing.

    SystemExit with status 1 if there is a problem. InputError if ``methods`` does not exist or ``raw`` is null.
    """
    own = merged(config)
    methods = methods or Path(rows_file(own))
    if not methods.is_file():
        raise InputError(
            f"{methods}: no such file, expected the rows of the tables; run in a checkout, or add --methods"
        )
    content = merged([methods, *config])
    if raw is not None:
        content["raw"] = str(raw)
    elif content.get("raw") is None:
        raise InputError(
            "configuration raw: null, expected a folder of recordings: add --raw <folder>; simulated recordings need "
            "no check"
        )
    plan = Plan(content)
    settings = plan.settings
    click.echo(
        settings.dataset if settings.title == settings.dataset else f"{settings.dataset}: {settings.title}"
    )
    by_animal = {animal: [row for row in plan.rows if row.animal == animal] for animal in plan.animals}
    chosen = [row for rows in by_animal.values() for row in _spread(rows, trials)]
    animals = f"{len(plan.animals)} animal{'' if len(plan.animals) == 1 else 's'}"
    click.echo(
        f"{len(plan.rows)} {_recordings(plan)} of {animals} below {plan.raw}; {len(chosen)} of them are read"
    )
    looks = list(look_at(Path(plan.raw), chosen, settings.convert, settings.calcium.behavior))
    click.echo("")
    described = _sessions(looks) if plan.apart else _animals(by_animal, looks)
    named_by = f"reader {settings.convert.reader}" if settings.recordings is None else "samples table"
    who, doubts = who_lines(Path(plan.raw), by_animal, named_by)
    for line in (*described, "", *who, *stream_lines(looks), *_classes(looks), *_protocol(plan, looks)):
        click.echo(line)
    found = list(problems(looks, plan))
    for line in (
        *(f"PROBLEM: {text}" for text in found),
        *(f"NOTE: {text}" for text in (*doubts, *clock_doubts(looks), *notes(looks, plan, own))),
    ):
        click.echo(line)
    for line in _costs(cost(plan, _size(plan, looks)), cores):
        click.echo(line)
    if found:
        click.echo("Next: fix each PROBLEM, and check again")
        sys.exit(1)
    given = f" --config raw={shlex.quote(str(raw))}" if raw is not None else ""
    click.echo(f"Next: snakemake --cores {cores} --configfile {shlex.join(map(str, config))}{given}")


def _recordings(plan: Plan) -> str:
    return "recordings" if plan.apart else "trials"


def _spread(rows: list, count: int) -> list:
    """``count`` evenly spaced rows, or all of them if there are fewer."""
    return [
        rows[at] for at in sorted({round(at) for at in np.linspace(0, len(rows) - 1, min(count, len(rows)))})
    ]


def _animals(by_animal: dict[str, list], looks: list[Look]) -> Iterator[str]:
    """A head line, and one line for each animal."""
    head = f"{'neural':<24}{'behaviour':<24}{'gaps':>5}{'covered':>9}"
    yield f"{'animal':<{_WIDTH}}{'trials':>7}{'s each':>8}  {head}"
    for animal, rows in by_animal.items():
        own = [look for look in looks if look.row.animal == animal]
        first = own[0]
        behavior = f"{shown(first.form.behavior)} at {first.behavior_rate:.4g} /s"
        seconds = np.mean([look.seconds for look in own])
        covered = np.mean([look.covered for look in own])
        gaps = sum(look.gaps for look in own)
        counts = f"{len(rows):>7}{seconds:>8.1f}"
        yield f"{_short(animal)}{counts}  {_neural(first):<24}{behavior:<24}{gaps:>5}{covered:>9.0%}"


def _sessions(looks: list[Look]) -> Iterator[str]:
    """A head line, and one line for each recording, of animals that are read apart."""
    yield f"{'animal':<{_WIDTH}}{'trials':>7}{'bins':>8}{'hours':>8}  neural"
    for look in looks:
        counts = f"{look.segments or 'none':>7}{look.frames:>8}{look.seconds / 3600:>8.2f}"
        yield f"{_short(look.row.animal)}{counts}  {_neural(look)}"


def _neural(look: Look) -> str:
    return f"{shown(look.form.neural)} at {look.neural_rate:.4g} /s"


def _short(name: str) -> str:
    """The name padded to its column; the middle of a long name is left out."""
    return f"{shortened([name], _WIDTH - 1)[0]:<{_WIDTH}}"


def _classes(looks: list[Look]) -> Iterator[str]:
    counts = np.sum([look.counts for look in looks], axis=0)
    shares = [
        f"{name} {count / max(1, counts[1:].sum()):.0%}"
        for name, count in zip(looks[0].class_names, counts[1:], strict=True)
    ]
    unlabelled = f"{counts[0] / counts.sum():.0%} of the samples are unlabelled"
    yield f"classes (in what is read): {', '.join(shares)}; {unlabelled}"


def _protocol(plan: Plan, looks: list[Look]) -> Iterator[str]:
    """How trials are split, if animals are read apart; else the synchrony of the two clocks."""
    split = plan.settings.split
    if not plan.apart:
        yield from _synchrony(looks)
        return
    how = f"read animal by animal (split.protocol {split.protocol}): "
    if split.protocol == "published" and any(look.part for look in looks):
        parts = list(dict.fromkeys(look.part for look in looks))
        drawn = (
            "" if "validation" in parts else f", {split.validation:.0%} of the training part for validation"
        )
        yield f"{how}the published parts {', '.join(parts)}{drawn}"
        return
    blocks = "trials" if all(look.segments for look in looks) else f"blocks of {split.block_seconds:g} s"
    how += (
        "1 split in temporal order"
        if split.protocol == "published"
        else f"{split.repeats} random splits of {blocks}"
    )
    test = 1 - split.train - split.validation
    yield f"{how}: {split.train:.0%} training, {split.validation:.0%} validation, {test:.0%} test"


def _synchrony(looks: list[Look]) -> Iterator[str]:
    yield (
        "synchrony (correlation of motion energy with mean neural activity at the clearest lag of up to "
        f"{LAG:g} s; chance: 95 % of shifted clocks):"
    )
    for animal in dict.fromkeys(look.row.animal for look in looks):
        own = [look for look in looks if look.row.animal == animal and len(look.correlation)]
        if not own:
            yield f"  {animal}: too few frames or too little movement to tell"
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
            late = f" (more than {LATE:g} s: check align)" if clear and abs(lag) > LATE else ""
            yield (
                f"  {animal} {look.row.trial}: {value:+.2f} at {lag:+.2f} s, chance {look.chance:.2f}: "
                f"{verdict + late if clear else 'no correlation found; check align if you expect one'}"
            )


def _size(plan: Plan, looks: list[Look]) -> Size:
    """Size of the whole dataset, extrapolated from the mean of the trials that were read."""
    trials, mean = len(plan.rows), lambda values: float(np.mean(list(values)))
    kept = mean(look.samples for look in looks) / plan.settings.windows.behavior_stride
    side, shape = plan.settings.convert.resize, looks[0].form.neural
    if side is not None and len(shape) == 2:
        shape = tuple(round(length * side / max(shape)) for length in shape)
    return Size(
        round(trials * mean(look.frames for look in looks)),
        shape,
        round(trials * kept),
        int(np.prod(looks[0].form.behavior)),
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
        if cost.jobs[stage]:
            yield f"  {stage:<20}{cost.jobs[stage]:>6} jobs {_time(seconds):>9} of CPU"
    yield f"  memory of the largest job {cost.memory / 2**30:.1f} GiB; disk at most {cost.disk / 2**30:.2f} GiB"
    yield "These are estimates; expect them to be off by a factor of two."


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
