"""Stages that train, and those that prepare what training reads."""

from __future__ import annotations

from typing import Any

import click

from neural_action.cli.main import stage
from neural_action.cli.options import FILE, OUT, config, method, seed, source, threads

_kernel = click.option("--kernel", type=FILE, help="The calcium kernel (.json), if a view needs it.")
_swaps = click.option("--swaps", type=FILE, help="The swap table (.npz), if a view or the batches need it.")
_syllables = click.option(
    "--syllables", type=FILE, help="Syllables of the poses (.npz), if the objective needs them."
)
_log = click.option("--log", type=OUT, required=True, help="Loss and throughput (.csv).")


@stage()
@config
@source
@threads
@click.option("--output", type=OUT, required=True, help="Swap table (.npz).")
@click.option("--report", type=OUT, required=True, help="Recall and times (.json).")
def neighbors(**options: Any) -> None:
    """Index each animal's poses and draw the swap table.

    Rule neighbors calls it after dataset and splits, once a run; next is pretrain --swaps.

    \b
    Example:
      neural-action neighbors --config config.yaml --dataset dataset --splits splits.csv --split fold-0 \\
        --output swaps.npz --report swaps.json
    """
    from neural_action.stages.neighbors import run

    run(**options)


@stage()
@config
@source
@threads
@click.option("--output", type=OUT, required=True, help="The kernel (.json).")
@click.option("--picture", type=OUT, required=True, help="Fit over data (.png).")
def calcium(**options: Any) -> None:
    """Fit the calcium kernel to how fluorescence falls after movement stops.

    Rule calcium calls it after dataset and splits, once a run; next is pretrain --kernel.

    \b
    Example:
      neural-action calcium --config config.yaml --dataset dataset --splits splits.csv --split fold-0 \\
        --output kernel.json --picture kernel.png
    """
    from neural_action.stages.calcium import run

    run(**options)


@stage()
@config
@source
@threads
@click.option(
    "--output", type=OUT, required=True, help="Posterior of every visible pose, and the model (.npz)."
)
@click.option("--report", type=OUT, required=True, help="Likelihood, states used, durations (.json).")
def syllables(**options: Any) -> None:
    """Fit the autoregressive hidden Markov model of the poses.

    Rule syllables calls it where a row predicts syllables (behavenet); next is pretrain --syllables.

    \b
    Example:
      neural-action syllables --config config.yaml --dataset dataset --splits splits.csv --split fold-0 \\
        --output syllables.npz --report syllables.json
    """
    from neural_action.stages.syllables import run

    run(**options)


@stage()
@config
@method
@source
@seed
@_kernel
@_swaps
@_syllables
@threads
@click.option("--output", type=OUT, required=True, help="Weights (.safetensors).")
@_log
def pretrain(**options: Any) -> None:
    """Pretrain one row for one run and seed; an interrupted run resumes from its checkpoint.

    Rule pretrain calls it after neighbors, calcium and syllables, as far as the row needs them; next are evaluate
    --weights, and adapt for an animal that was not seen.

    \b
    Example:
      neural-action pretrain --config config.yaml --method simclr --seed 0 \\
        --dataset dataset --splits splits.csv --split fold-0 \\
        --output model.safetensors --log log.csv
    """
    from neural_action.stages.pretrain import run

    run(**options)


@stage()
@config
@method
@source
@seed
@click.option("--weights", type=FILE, required=True, help="Weights to start from, without the animal.")
@_kernel
@_swaps
@_syllables
@threads
@click.option("--output", type=OUT, required=True, help="Adapted weights (.safetensors).")
@_log
def adapt(**options: Any) -> None:
    """Adapt a trained row to the animal that the split tests, from its unlabelled pairs.

    Rule adapt calls it for the rows of adapt.rows, on a model that was pretrained without the animal; next is
    evaluate with the same split.

    \b
    Example:
      neural-action adapt --config config.yaml --method simclr --seed 0 --dataset dataset --splits splits.csv \\
        --split adapted-Fly1-fold-0 --weights models/simclr/without-Fly1/seed-0/model.safetensors \\
        --output adapted.safetensors --log log.csv
    """
    from neural_action.stages.adapt import run

    run(**options)


@stage()
@config
@source
@click.option("--output", type=OUT, required=True, help="Arrays of every frame (.npz).")
def arrays(**options: Any) -> None:
    """Write the recordings as plain arrays, for rows that another package makes.

    Rule arrays calls it for rows with a key external, whose package runs in its own environment; next is evaluate
    --external.

    \b
    Example:
      neural-action arrays --config config.yaml --dataset dataset --splits splits.csv --split fold-0 --output arrays.npz
    """
    from neural_action.stages.arrays import run

    run(**options)
