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
from neural_action.text import has_hidden, printable

#: Rows that one animal can fill: the others compare animals.
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
#: Seconds of a window, between probed windows, and behaviour samples kept a second; pixels of an image, at most.
WINDOW, STRIDE, KEPT, SIDE = 2.0, 0.5, 25.0, 64
#: Options of the reader, and of a file that it reads.
_ORDER = [*paired.Options.model_fields, *paired.SourceOptions.model_fields]


def configuration(proposal: Proposal, *, dataset: str, raw: Path, samples: Path) -> str:
    """The text of the configuration file. What depends on rates and shapes is filled from the sample.

    What was found by name stands in YAML scalars alone, never in a comment: a line end in it would end the comment.
    Raises InputError for such a name with control characters.
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
            raise InputError(f"{raw}: {name!r} has control characters, expected names without; rename it")
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
        _one("dataset", dataset, "its name, and the folder below results/"),
        _one("title", dataset, "what tables and pictures call it"),
        *_notes(proposal.notes),
        _one("real", True),
        _one("raw", str(raw.resolve())),
        _one(
            "recordings", str(samples.resolve()), "the samples table: animal, trial, path; edit names there"
        ),
        _one("seeds", [0], "[ours] three or more for a result"),
    ]
    if animals == 1:
        lines.append(_one("rows", list(ONE_ANIMAL), "one animal: rows that compare animals are left out"))
    lines += [
        "",
        "convert:",
        _one("  reader", "paired"),
        "  reader_options:          # [found], where nothing else is said",
        *_options(proposal.options, proposal.sources),
        _one(
            "  class_names", proposal.class_names, "names of the actions, in this order; null: the reader's"
        ),
        _one(
            "  neural_rate",
            proposal.neural_rate,
            "[ours] frames a second that all animals are brought to; null: as recorded",
        ),
        _one(
            "  dff",
            {"percentile": PERCENTILE} if proposal.dff else None,
            "[ours] dF/F of raw fluorescence; null for dF/F or rates",
        ),
        _one(
            "  scale",
            {"low": 0.5, "high": 99.5},
            f"[code] percentiles of each trial to 0 and 1{'' if images else ', each unit by itself [ours]'}",
        ),
        _one(
            "  resize", _side(sample) if images else None, "[ours] pixels of the longer side, by block means"
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
            f"{'[paper]' if proposal.folds == FOLDS else '[ours]'} over trials: every animal needs as many",
        ),
        _one("  protocol", "new_trials", "[ours] also transductive (the paper's) and new_animal"),
        "",
        "windows:",
        _one("  frames", frames, f"[ours] {frames / neural:.2g} s at {neural:.4g} frames/s"),
        _one("  poses", min(8, frames), "[code]"),
        _one(
            "  behavior_stride",
            max(1, round(behavior / KEPT)),
            f"[ours] {behavior:.4g} /s to about {KEPT:g} /s",
        ),
        _one("  stride", max(1, round(STRIDE * neural)), "[ours] frames between probed windows"),
        _one("  pose_normalisation", "animal_zscore", "[ours]"),
        "",
        _one(
            "neighbors",
            {"neighbors": 128, "draws": 32, "distance_scale": "median"},
            "[paper] 128, rest [ours]",
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
        _one("  tasks", ["within"] if animals == 1 else ["within", "across", "identity"], "[paper]"),
        _one("  raw_pool_time", 4 if images else 1, "[ours] frames averaged in the raw row"),
        _one("  raw_pool_space", 2 if images else 1, "[ours] pixels likewise"),
        "",
        "tables:",
        _one("  metric", "balanced_accuracy", "[ours] scores.csv holds accuracy and macro F1 too"),
        _one("  published", False, "no paper's numbers beside yours"),
    ]
    return "\n".join(lines) + "\n"


def _notes(notes: list[str]) -> list[str]:
    """The notes, quoted: they hold names that were found."""
    if not notes:
        return []
    return [f"{'notes:':<33} # what init decided", *(f"  - {_scalar(note)}" for note in notes)]


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value, at any depth."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)


def _scalar(text: str) -> str:
    """A text as a quoted YAML scalar on a line."""
    return yaml.safe_dump(text, default_style='"', width=math.inf, allow_unicode=True).strip()


def _one(key: str, value: Any, comment: str = "") -> str:
    """``key: value  # comment`` on a line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=math.inf, sort_keys=False).strip()
    line = f"{key}: {text.removesuffix('...').strip()}"
    return f"{line:<33} # {printable(comment)}" if comment else line


def _options(options: dict[str, Any], sources: dict[str, str], by: int = 4, above: str = "") -> list[str]:
    """Lines of the reader's options in the order of its documentation, the innermost mappings on a line each."""
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
    """The largest side of at most ``SIDE`` pixels that whole blocks make; None where the images are that small."""
    y, x = sample.neural.shape[1:]
    longer = max(y, x)
    sides = [longer // n for n in range(1, longer + 1) if y % n == 0 and x % n == 0 and longer // n <= SIDE]
    return None if longer <= SIDE or not sides else sides[0]


def _encoder(images: bool, frames: int) -> dict[str, Any]:
    if images:
        return {"name": "image_cnn", "width": 32, "layers": 3}
    return {"name": "trace_cnn", "width": 64, "layers": 3, "kernel": 5 if frames >= 10 else 3}
