"""Commands that use a trained model."""

from __future__ import annotations

from pathlib import Path

import click

from neural_action.cli.main import stage
from neural_action.cli.options import FILE, OUT, threads

model = click.option(
    "--model",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="Weights (.safetensors), or the folder that holds them.",
)
device = click.option(
    "--device",
    type=click.Choice(["cpu", "cuda", "auto"]),
    default="cpu",
    show_default=True,
    help="Where networks run; auto uses a GPU if there is one.",
)
split = click.option(
    "--split",
    help="Split whose model to use, such as repeat-0, if the file holds a model for each split.",
)
recordings = click.argument(
    "recordings", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)


@stage("use.transform")
@model
@click.option(
    "--output", type=OUT, required=True, help="File of embeddings: .parquet, .nc, .nwb, .npz or .h5."
)
@click.option(
    "--stride", type=click.IntRange(1), default=1, show_default=True, help="Frames between windows."
)
@click.option(
    "--layer", default="encoder", show_default=True, help="Layer to write: encoder, shared or projection."
)
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Frames per second of .npy arrays.")
@click.option(
    "--convert",
    is_flag=True,
    help="Preprocess .npy arrays with the steps that the model's recordings were converted with.",
)
@click.option("--into", "source", type=FILE, help="NWB file to copy; the copy gets the embeddings added.")
@threads
@device
@split
@recordings
def transform() -> None:
    """Embed recordings with a trained model.

    RECORDINGS are manifests or stores that rule convert wrote, folders of these, or .npy arrays (frame, ...), one for
    each trial.
    """


@stage()
@model
@click.option("--output", type=OUT, required=True, help="ONNX file to write (.onnx).")
@click.option(
    "--layer", default="encoder", show_default=True, help="Layer to export: encoder, shared or projection."
)
@split
def export() -> None:
    """Write the encoder of a trained model as ONNX, for other programs and languages."""


@stage("use.score")
@model
@click.option(
    "--train",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Recording, or folder of recordings, to train the probe on. Repeat the option for each one; do not use a "
    "shell's star, because the files after the first would count as RECORDINGS. Default: leave-one-trial-out over "
    "RECORDINGS.",
)
@click.option(
    "--metric",
    default="balanced_accuracy",
    show_default=True,
    help="Metric, such as balanced_accuracy, accuracy or macro_f1.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed (>= 0).")
@threads
@device
@split
@recordings
def score() -> None:
    """Print how well a linear probe decodes actions from a trained model's embeddings (a score from 0 to 1)."""


@stage("use.adapt_animal")
@model
@click.option(
    "--known",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Recording, or folder of recordings, of an animal that the model was trained on; repeat it for each one.",
)
@click.option("--output", type=OUT, required=True, help="Weights of the adapted model (.safetensors).")
@click.option("--steps", type=click.IntRange(1), default=200, show_default=True, help="Training steps.")
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, min_open=True),
    default=1e-3,
    show_default=True,
    help="Peak learning rate of AdamW.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed (>= 0).")
@click.option(
    "--no-training",
    is_flag=True,
    help="Train nothing. A model of animals with their own neurons reads the animal in closed form (which needs "
    "--known), or by attention over neurons.",
)
@threads
@device
@split
@recordings
def adapt_animal() -> None:
    """Adapt a trained model to a new animal with its unlabelled RECORDINGS (manifests or stores)."""
