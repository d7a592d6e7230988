"""Stages that train, and stages that prepare the inputs of training."""

from __future__ import annotations

import click

from neural_action.cli.main import stage
from neural_action.cli.options import FILE, OUT, config, method, seed, source, threads

_kernel = click.option("--kernel", type=FILE, help="Calcium kernel (.json), if an augmentation needs it.")
_swaps = click.option(
    "--swaps", type=FILE, help="Swap table (.npz), if an augmentation or the batches need it."
)
_syllables = click.option(
    "--syllables", type=FILE, help="Syllables of the poses (.npz), if the objective needs them."
)
_log = click.option(
    "--log", type=OUT, required=True, help="Training log to write: loss and throughput (.csv)."
)

_representation = click.option(
    "--representation", type=OUT, help="Representation of windows to write, for evaluate (.npz)."
)


@stage()
@config
@source
@threads
@click.option("--output", type=OUT, required=True, help="Swap table to write (.npz).")
@click.option("--report", type=OUT, required=True, help="Report to write: recall and times (.json).")
def neighbors() -> None:
    """Index each animal's poses and draw the swap table.

    Rule neighbors calls it once for each run, after dataset and splits; next is pretrain --swaps.

    \b
    Example:
      neural-action neighbors --config config.yaml --dataset dataset --splits splits.csv --split fold-0 \\
        --output swaps.npz --report swaps.json
    """


@stage()
@config
@source
@threads
@click.option("--output", type=OUT, required=True, help="Kernel to write (.json).")
@click.option("--picture", type=OUT, required=True, help="Picture to write: the fit over the data (.png).")
def calcium() -> None:
    """Fit the calcium kernel to the decay of fluorescence after movement stops.

    Rule calcium calls it once for each run, after dataset and splits; next is pretrain --kernel.

    \b
    Example:
      neural-action calcium --config config.yaml --dataset dataset --splits splits.csv --split fold-0 \\
        --output kernel.json --picture kernel.png
    """


@stage()
@config
@source
@threads
@click.option(
    "--output",
    type=OUT,
    required=True,
    help="File to write: state posterior of every visible pose, and the model (.npz).",
)
@click.option(
    "--report", type=OUT, required=True, help="Report to write: likelihood, states used, durations (.json)."
)
def syllables() -> None:
    """Fit the autoregressive hidden Markov model of the poses.

    Rule syllables calls it if a row predicts syllables (behavenet); next is pretrain --syllables.

    \b
    Example:
      neural-action syllables --config config.yaml --dataset dataset --splits splits.csv --split fold-0 \\
        --output syllables.npz --report syllables.json
    """


@stage()
@config
@method
@source
@seed
@_kernel
@_swaps
@_syllables
@threads
@click.option("--output", type=OUT, required=True, help="Weights to write (.safetensors).")
@_log
@click.option("--mined", type=OUT, help="Table to write: the classes of mined views during training (.csv).")
@_representation
def pretrain() -> None:
    """Pretrain one row for one run and seed; an interrupted job resumes from its checkpoint.

    Rule pretrain calls it after those of neighbors, calcium and syllables that the row needs; next is evaluate
    --weights, or adapt for an animal left out of pretraining.

    \b
    Example:
      neural-action pretrain --config config.yaml --method simclr --seed 0 \\
        --dataset dataset --splits splits.csv --split fold-0 \\
        --output model.safetensors --log log.csv
    """


@stage()
@config
@method
@source
@seed
@click.option(
    "--weights", type=FILE, required=True, help="Weights to start from, pretrained without the animal."
)
@_kernel
@_swaps
@_syllables
@threads
@click.option("--output", type=OUT, required=True, help="Adapted weights to write (.safetensors).")
@_log
@_representation
def adapt() -> None:
    """Adapt a trained row to the test animal of the split, with that animal's unlabelled data.

    Rule adapt calls it for the rows of adapt.rows, with a model that was pretrained without the animal; next is
    evaluate with the same split.

    \b
    Example:
      neural-action adapt --config config.yaml --method simclr --seed 0 --dataset dataset --splits splits.csv \\
        --split adapted-Fly1-fold-0 --weights models/simclr/without-Fly1/seed-0/model.safetensors \\
        --output adapted.safetensors --log log.csv
    """


@stage()
@config
@source
@click.option("--output", type=OUT, required=True, help="Arrays of every frame to write (.npz).")
def arrays() -> None:
    """Write the recordings as plain arrays, for rows whose representation comes from another package.

    Rule arrays calls it for rows with a key external. That package runs in its own environment; next is evaluate
    --external.

    \b
    Example:
      neural-action arrays --config config.yaml --dataset dataset --splits splits.csv --split fold-0 --output arrays.npz
    """
