"""The commented configuration that ``neural-action init`` writes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from neural_action.errors import InputError
from neural_action.preflight.proposal import FOLDS, Proposal
from neural_action.preflight.trials import PERCENTILE
from neural_action.recordings.readers import paired
from neural_action.recordings.steps import resized
from neural_action.text import has_hidden, printable

#: Rows that work with one animal; the others compare animals.
ONE_ANIMAL = (
    "random_guess",
    "raw",
    "simclr",
    "simclr_neural",
    "regression_conv",
    "swap_calcium",
    "behavior",
    "permuted_labels",
)
#: Our choice: window (s), time between probed windows (s), behaviour samples kept per second, longest side of an image
#: (pixels).
WINDOW, STRIDE, KEPT, SIDE = 2.0, 0.5, 25.0, 64
#: Order of the keys of the reader's options.
_ORDER = [*paired.Options.model_fields, *paired.SourceOptions.model_fields]


def configuration(proposal: Proposal, *, dataset: str, raw: Path, samples: Path) -> str:
    """The text of the configuration file. Values that depend on rates and shapes come from the sample.

    Names from files appear only in YAML scalars, never in comments, where a line end would end the comment. InputError
    if a name has control characters.
    """
    names = (
        *_texts(proposal.options),
        *_texts(proposal.class_names),
        *proposal.notes,
        str(raw),
        str(samples),
    )
    for name in names:
        if has_hidden(name):
            raise InputError(f"{raw}: the name {name!r} has control characters, expected none; rename it")
    sample = proposal.sample
    neural, behavior = sample.neural_rate, sample.behavior_rate
    images = sample.neural.ndim == 3
    frames = min(32, max(8, round(WINDOW * neural)))
    animals = len({row.animal for row in proposal.rows})
    lines = [
        "# Written by neural-action init. Read it, edit it, then",
        "#   neural-action check <this file>",
        "#   snakemake --cores 2 --configfile <this file>",
        "# in a checkout of neural-action: its config/methods.yaml holds the rows of the tables and is read with every",
        "# dataset; its config/README.md explains every key. Sources: [found] in the files; [given] to init; [paper]",
        "# Guenel et al.; [code] the authors' code; [ours] our choice.",
        "",
        _one("dataset", dataset, "name of the dataset and of its folder in results/"),
        _one("title", dataset, "name in tables and pictures"),
        *_notes(proposal.notes),
        _one("real", True),
        _one("raw", str(raw.resolve())),
        _one("recordings", str(samples.resolve()), "samples table: animal, trial, path; edit names there"),
        _one("seeds", [0], "[ours] use three or more for results that you report"),
    ]
    if animals == 1:
        lines.append(_one("rows", list(ONE_ANIMAL), "one animal: rows that compare animals are left out"))
    lines += [
        "",
        "convert:",
        _one("  reader", "paired"),
        "  reader_options:          # [found] unless a comment says otherwise",
        *_options(proposal.options, proposal.sources),
        _one(
            "  class_names", proposal.class_names, "names and order of the actions; null: those of the reader"
        ),
        *(
            _one(
                f"  {role}_rate",
                proposal.rates.get(role),
                f"[ours] {what} per second after resampling; null: as recorded",
            )
            for role, what in (("neural", "frames"), ("behavior", "samples"))
        ),
        _one(
            "  dff",
            {"percentile": PERCENTILE} if proposal.dff else None,
            "[ours] compute dF/F of raw fluorescence; null: data are dF/F or rates already",
        ),
        _one(
            "  scale",
            {"low": 0.5, "high": 99.5},
            f"[code] percentiles of each trial that become 0 and 1{'' if images else ', for each unit [ours]'}",
        ),
        _one(
            "  resize", _side(sample) if images else None, "[ours] pixels of the longer side, as block means"
        ),
        _one(
            "  root_relative",
            proposal.body,
            "[ours] keypoints relative to their centre (flies: to the thorax)",
        ),
        _one("  dtype", "float32"),
        "",
        "split:",
        _one(
            "  folds",
            proposal.folds,
            f"{'[paper]' if proposal.folds == FOLDS else '[ours]'} over trials; every animal needs at least as many",
        ),
        _one("  protocol", "new_trials", "[ours] others: transductive (the paper's), new_animal"),
        "",
        "windows:",
        _one("  frames", frames, f"[ours] {frames / neural:.2g} s at {neural:.4g} frames/s"),
        _one("  poses", min(8, frames), "[code]"),
        _one(
            "  behavior_stride",
            max(1, round(behavior / KEPT)),
            f"[ours] keep every n-th sample, about {KEPT:g} /s of {behavior:.4g} /s"
            if behavior >= 1.5 * KEPT
            else f"[ours] keep every sample, {behavior:.4g} /s",
        ),
        _one("  stride", max(1, round(STRIDE * neural)), "[ours] frames between probed windows"),
        _one("  pose_normalisation", "animal_zscore", "[ours]"),
        *(
            [
                _one(
                    "  units",
                    "own",
                    "each animal has its own neurons; shared if unit k is the same in all animals",
                )
            ]
            if not images and animals > 1
            else []
        ),
        "",
        _one(
            "neighbors",
            {"neighbors": 128, "draws": 32, "distance_scale": "median"},
            "[paper] neighbors, the others [ours]",
        ),
        "",
        _one("calcium", proposal.calcium, proposal.calcium_source),
        "",
        "training:",
        _one("  steps", 300, "[ours]"),
        _one("  batch", 128, "[ours]"),
        "",
        "encoders:",
        _one("  neural", _encoder(images, frames), "[ours]"),
        _one("  behavior", {"name": "pose_cnn", "width": 128, "layers": 2, "kernel": 3}, "[ours]"),
        "",
        "evaluation:",
        _one(
            "  tasks",
            ["within"] if animals == 1 else ["within", "across", "identity", "clusters"],
            "[paper]; clusters [ours]",
        ),
        _one(
            "  raw_pool_time", _divisor(4, frames) if images else 1, "[ours] frames averaged in the raw row"
        ),
        _one(
            "  raw_pool_space",
            _divisor(2, *resized(sample.neural.shape[1:], _side(sample))) if images else 1,
            "[ours] pixels averaged in the raw row, along each axis",
        ),
        "",
        "tables:",
        _one("  metric", "balanced_accuracy", "[ours] scores.csv also holds accuracy and macro F1"),
        _one("  published", False, "do not show the paper's numbers beside yours"),
    ]
    return "\n".join(lines) + "\n"


def _notes(notes: list[str]) -> list[str]:
    """Lines of the key ``notes``; each note is quoted, because it can hold names from files."""
    if not notes:
        return []
    return [f"{'notes:':<33} # what init decided", *(f"  - {_scalar(note)}" for note in notes)]


def _texts(value: Any) -> Iterator[str]:
    """Every string in a value, at any depth, keys included."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)


def _scalar(text: str) -> str:
    """A string as a quoted YAML scalar on one line."""
    return yaml.safe_dump(text, default_style='"', width=math.inf, allow_unicode=True).strip()


def _one(key: str, value: Any, comment: str = "") -> str:
    """``key: value  # comment`` on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=math.inf, sort_keys=False).strip()
    line = f"{key}: {text.removesuffix('...').strip()}"
    return f"{line:<33} # {printable(comment)}" if comment else line


def _options(options: dict[str, Any], sources: dict[str, str], by: int = 4, above: str = "") -> list[str]:
    """Lines of the reader's options in the order of its fields; each innermost mapping is on one line."""
    lines = []
    for key in sorted(options, key=lambda key: _ORDER.index(key) if key in _ORDER else len(_ORDER)):
        value, name = options[key], f"{above}{key}"
        if isinstance(value, dict) and any(isinstance(part, dict) for part in value.values()):
            lines += [f"{' ' * by}{key}:", *_options(value, sources, by + 2, f"{name}.")]
        else:
            own = [said for at, said in sources.items() if at == name or at.startswith(f"{name}.")]
            lines.append(_one(f"{' ' * by}{key}", value, "; ".join(dict.fromkeys(own))))
    return lines


def _side(sample: Any) -> int | None:
    """The largest longer side of at most ``SIDE`` pixels that whole blocks give.

    None if the images are that small already, or if no block size divides both sides.
    """
    y, x = sample.neural.shape[1:]
    longer = max(y, x)
    sides = [longer // n for n in range(1, longer + 1) if y % n == 0 and x % n == 0 and longer // n <= SIDE]
    return None if longer <= SIDE or not sides else sides[0]


def _divisor(most: int, *lengths: int) -> int:
    """The largest number up to ``most`` that divides all lengths."""
    return max(part for part in range(1, most + 1) if not any(length % part for length in lengths))


def _encoder(images: bool, frames: int) -> dict[str, Any]:
    if images:
        return {"name": "image_cnn", "width": 32, "layers": 3}
    return {"name": "trace_cnn", "width": 64, "layers": 3, "kernel": 5 if frames >= 10 else 3}
