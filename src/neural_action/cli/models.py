"""Commands that use a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from neural_action.cli.main import stage
from neural_action.cli.options import FILE, OUT, threads

model = click.option(
    "--model", type=click.Path(exists=True, path_type=Path), required=True, help="Weights, or their folder."
)
device = click.option(
    "--device",
    type=click.Choice(["cpu", "cuda", "auto"]),
    default="cpu",
    show_default=True,
    help="Where networks run; auto takes a GPU where there is one.",
)
split = click.option(
    "--split", help="Which model, of a file that holds one for each split, such as repeat-0."
)
recordings = click.argument(
    "recordings", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)


@stage()
@model
@click.option(
    "--output", type=OUT, required=True, help="File of embeddings: .parquet, .nc, .nwb, .npz or .h5."
)
@click.option(
    "--stride", type=click.IntRange(1), default=1, show_default=True, help="Frames between windows."
)
@click.option("--layer", default="encoder", show_default=True, help="encoder, or projection.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Frames per second of .npy arrays.")
@click.option(
    "--convert", is_flag=True, help="Apply to .npy arrays the steps that the model's recordings went through."
)
@click.option("--into", "source", type=FILE, help="NWB file: write a copy of it with the embeddings added.")
@threads
@device
@split
@recordings
def transform(**options: Any) -> None:
    """Embed recordings with a trained model.

    RECORDINGS are manifests or stores that rule convert wrote, folders of these, or .npy arrays (frame, ...): a trial
    each.
    """
    from neural_action.stages.use import transform as run

    run(**options)


@stage()
@model
@click.option("--output", type=OUT, required=True, help="File of the encoder (.onnx).")
@click.option("--layer", default="encoder", show_default=True, help="encoder, or projection.")
@split
def export(**options: Any) -> None:
    """Write the encoder of a trained model as ONNX, for other programs and languages."""
    from neural_action.stages.export import run

    run(**options)


@stage()
@model
@click.option(
    "--train",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Recording, or folder of them, to train the probe on; repeat the option for each (what a shell's * adds after "
    "the first would be tested). Without: the other trials of RECORDINGS, each in turn.",
)
@click.option("--metric", default="balanced_accuracy", show_default=True, help="Or accuracy, or macro_f1.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of all random numbers.")
@threads
@device
@split
@recordings
def score(**options: Any) -> None:
    """Print how well a linear probe reads actions from a trained model's embeddings (a fraction of 1)."""
    from neural_action.stages.use import score as run

    run(**options)


@stage("adapt-animal")
@model
@click.option(
    "--known",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Recording, or folder of them, of an animal that the model was trained on; repeat the option for each.",
)
@click.option("--output", type=OUT, required=True, help="Weights of the adapted model (.safetensors).")
@click.option("--steps", type=click.IntRange(1), default=200, show_default=True, help="Training steps.")
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, min_open=True),
    default=1e-3,
    show_default=True,
    help="Of AdamW, at its highest.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of all random numbers.")
@threads
@device
@split
@recordings
def adapt_animal(**options: Any) -> None:
    """Adapt a trained model to a new animal, from its unlabelled RECORDINGS (manifests or stores)."""
    from neural_action.stages.use import adapt_animal as run

    run(**options)
