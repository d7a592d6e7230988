"""Stages that turn scores into tables, pictures and pages."""

from __future__ import annotations

from typing import Any

import click

from neural_action.cli.main import stage
from neural_action.cli.options import FILE, OUT, config, embeddings, scores, source, threads

_consistency = click.option("--consistency", type=FILE, help="Consistency of embeddings (.csv).")


@stage()
@config
@scores
@click.option("--unseen", type=FILE, help="Scores of unseen animals, as they are and adapted to (.csv).")
@_consistency
@click.option("--output", type=OUT, required=True, help="Folder of tables.")
def tables(**options: Any) -> None:
    """Render the tables as CSV, Markdown, LaTeX and HTML.

    Rule tables calls it after collect.

    \b
    Example:
      neural-action tables --config config.yaml --scores scores.csv --output tables
    """
    from neural_action.stages.tables import run

    run(**options)


@stage()
@config
@source
@scores
@embeddings
@click.option("--log", "logs", type=FILE, multiple=True, help="Training logs (.csv).")
@click.option("--swaps", type=FILE, help="A swap table (.npz), of recordings with poses.")
@_consistency
@click.option("--output", type=OUT, required=True, help="Folder of pictures.")
def figures(**options: Any) -> None:
    """Draw scores, embeddings, confusion matrices, class statistics, pose neighbours and training curves.

    Rule figures calls it after collect; snakemake --report binds tables and pictures into one file.

    \b
    Example:
      neural-action figures --config config.yaml --dataset dataset --scores scores.csv \\
        --embedding models/simclr/fold-0/seed-0/embedding.npz --log models/simclr/fold-0/seed-0/log.csv \\
        --swaps neighbors/default/fold-0.npz --output figures
    """
    from neural_action.stages.figures import run

    run(**options)


@stage()
@config
@source
@click.option("--swaps", type=FILE, multiple=True, help="Swap table <run>.npz; repeat it.")
@click.option("--scores", type=FILE, help="All scores (.csv, from collect), for the permuted labels.")
@threads
@click.option(
    "--output", type=OUT, required=True, help="Folder that receives diagnostics.json, .html and .png."
)
def diagnose(**options: Any) -> None:
    """Check for silent errors: leaks, shifted clocks and labels, duplicates, imbalance.

    Rule diagnose calls it after collect, with every split of the dataset.

    \b
    Example:
      neural-action diagnose --config config.yaml --dataset dataset --splits splits.csv --split fold-0 \\
        --output diagnostics
    """
    from neural_action.stages.diagnose import run

    run(**options)


@stage()
@config
@source
@embeddings
@threads
@click.option("--output", type=OUT, required=True, help="The page (.html).")
def explore(**options: Any) -> None:
    """Write the interactive page: embeddings to select in, with the pose of each moment.

    Rule explore calls it after evaluate; the first embedding is shown first.

    \b
    Example:
      neural-action explore --config config.yaml --dataset dataset \\
        --embedding models/swap_calcium/fold-0/seed-0/embedding.npz --output explore.html
    """
    from neural_action.stages.explore import run

    run(**options)


@stage()
@config
@scores
@embeddings
@click.option("--diagnostics", type=FILE, required=True, help="diagnostics.json of diagnose.")
@click.option("--output", type=OUT, required=True, help="Fragment of HTML.")
def overview(**options: Any) -> None:
    """Write what the report opens with: scores, embeddings, and the result of every check.

    Rule overview calls it after diagnose.

    \b
    Example:
      neural-action overview --config config.yaml --scores scores.csv --diagnostics diagnostics/diagnostics.json \\
        --output overview.html
    """
    from neural_action.stages.overview import run

    run(**options)
