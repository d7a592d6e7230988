"""Commands that use a trained model: embeddings, scores, and a model adapted to a new animal."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import numpy as np
from threadpoolctl import threadpool_limits

from neural_action.errors import reading
from neural_action.inference.given import manifests_below
from neural_action.inference.model import TrainedModel, load_model
from neural_action.inference.sequences import manifest_path
from neural_action.recordings.manifest import read_manifest


def transform(
    model: Path,
    output: Path,
    stride: int,
    layer: str,
    rate: float | None,
    convert: bool,
    source: Path | None,
    threads: int,
    device: str,
    split: str | None,
    recordings: tuple[Path, ...],
) -> None:
    """Embed ``recordings`` and write the embedding; the suffix of ``output`` sets the format."""
    opened = _opened(model, threads, device, split)
    with threadpool_limits(threads):
        data = [_given(path) for path in _recordings(recordings)]
        found = opened.transform(data, rate=rate, convert=convert, stride=stride, layer=layer)
    found.save(output, source)
    shape = " x ".join(map(str, found.values.shape))
    print(f"Wrote {output}: {shape} of {len(found.trials)} trials", file=sys.stderr)


def score(
    model: Path,
    train: tuple[Path, ...],
    metric: str,
    seed: int,
    threads: int,
    device: str,
    split: str | None,
    recordings: tuple[Path, ...],
) -> None:
    """Print how well a linear probe decodes actions, from 0 to 1; standard error says what it was tested on."""
    opened = _opened(model, threads, device, split)
    tested, known = _recordings(recordings), _recordings(train)
    with threadpool_limits(threads):
        value = opened.score(tested, known or None, metric=metric, seed=seed)
    probe = (
        f"trained on {_counted(known)}" if known else "trained on the other trials, leaving one out in turn"
    )
    click.echo(f"{metric} on {_counted(tested)}, linear probe {probe}:", err=True)
    click.echo(f"{value:.4f}")


def adapt_animal(
    model: Path,
    known: tuple[Path, ...],
    output: Path,
    steps: int,
    learning_rate: float,
    seed: int,
    no_training: bool,
    threads: int,
    device: str,
    split: str | None,
    recordings: tuple[Path, ...],
) -> None:
    """Adapt the model to the animal of ``recordings`` and write it to ``output``."""
    opened = _opened(model, threads, device, split)
    new = _recordings(recordings)
    with threadpool_limits(threads):
        adapted = opened.adapt(
            new,
            _recordings(known),
            steps=steps,
            learning_rate=learning_rate,
            seed=seed,
            train=not no_training,
        )
        adapted.save(output)
    print(f"Wrote {output}: adapted to {_counted(new)}", file=sys.stderr)


def _opened(model: Path, threads: int, device: str, split: str | None) -> TrainedModel:
    import torch

    torch.set_num_threads(threads)
    return load_model(model, device, split)


def _recordings(paths: tuple[Path, ...]) -> list[Path]:
    """The paths, with each folder replaced by its manifests. InputError for a folder without manifests."""
    return [found for path in paths for found in manifests_below(path)]


def _counted(paths: list[Path]) -> str:
    """Number of recordings, and the names of their animals."""
    animals = sorted({read_manifest(manifest_path(path)).animal for path in paths})
    return f"{len(paths)} recording{'' if len(paths) == 1 else 's'} of {', '.join(animals)}"


def _given(path: Path) -> Path | np.ndarray:
    """The path of a manifest or store unchanged; for a .npy file its array, read without pickle."""
    if path.suffix != ".npy":
        return path
    with reading(path, "an array", OSError, ValueError, EOFError):
        return np.load(path, allow_pickle=False)
