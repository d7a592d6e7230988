"""Stages that score representations."""

from __future__ import annotations

from pathlib import Path

import click

from neural_action.cli.main import stage
from neural_action.cli.options import FILE, OUT, config, embeddings, method, seed, source, threads


@stage()
@config
@method
@source
@seed
@threads
@click.option("--weights", type=FILE, help="Weights of a trained method (.safetensors).")
@click.option(
    "--representation",
    type=FILE,
    help="Representation of windows (.npz, from pretrain). Without it, or for other windows, the model embeds.",
)
@click.option(
    "--swaps", type=FILE, help="Swap table of all poses (.npz), for a row that encodes swapped behaviour."
)
@click.option("--external", type=FILE, help="Representation of every frame by another package (.npz).")
@click.option("--scores", type=OUT, required=True, help="Scores to write (.csv).")
@click.option(
    "--embedding",
    type=OUT,
    required=True,
    help="Embedding file to write: representation and prediction of every window (.npz).",
)
def evaluate() -> None:
    """Evaluate the frozen representation of one row on every task, probe and label budget of the dataset.

    Rule evaluate calls it after pretrain; next is collect. The embedding file also holds the animal, trial, time and
    label of every window.

    \b
    Example:
      neural-action evaluate --config config.yaml --method simclr --seed 0 \\
        --dataset dataset --splits splits.csv --split fold-0 \\
        --weights models/simclr/fold-0/seed-0/model.safetensors --scores scores.csv --embedding embedding.npz
    """


@stage()
@click.option("--output", type=OUT, required=True, help="Table of all scores to write (.csv).")
@click.argument("scores", nargs=-1, required=True, type=FILE)
def collect() -> None:
    """Collect the scores of all runs in one long table.

    Rule collect calls it after every evaluate; next are tables and figures.

    \b
    Example:
      neural-action collect --output scores.csv models/*/fold-*/seed-*/scores.csv
    """


@stage()
@config
@embeddings
@click.option(
    "--dataset", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of the dataset."
)
@click.option("--output", type=OUT, required=True, help="Table to write: consistency of every pair (.csv).")
def consistency() -> None:
    """Measure how well the embeddings of each row map linearly onto each other, between animals, runs and seeds.

    Rule consistency calls it after evaluate; next are tables and figures.

    \b
    Example:
      neural-action consistency --config config.yaml --dataset dataset --output consistency.csv \\
        --embedding models/simclr/fold-0/seed-0/embedding.npz --embedding models/simclr/fold-1/seed-0/embedding.npz
    """
