"""Stages that turn scores into tables, pictures and pages."""

from __future__ import annotations

import click

from neural_action.cli.main import stage
from neural_action.cli.options import FILE, OUT, config, embeddings, scores, source, threads

_consistency = click.option(
    "--consistency", type=FILE, help="Consistency of embeddings (.csv, from consistency)."
)


@stage()
@config
@scores
@click.option(
    "--unseen",
    type=FILE,
    help="Scores of animals left out of pretraining, before and after adaptation (.csv).",
)
@_consistency
@click.option("--output", type=OUT, required=True, help="Folder to write the tables to.")
def tables() -> None:
    """Render the tables as CSV, Markdown, LaTeX and HTML.

    Rule tables calls it after collect.

    \b
    Example:
      neural-action tables --config config.yaml --scores scores.csv --output tables
    """


@stage()
@config
@source
@scores
@embeddings
@click.option("--log", "logs", type=FILE, multiple=True, help="Training log (.csv); repeat it for each.")
@click.option("--mined", type=FILE, multiple=True, help="Table of mined pairs (.csv); repeat it for each.")
@click.option("--swaps", type=FILE, help="Swap table (.npz), if the recordings have poses.")
@_consistency
@click.option("--output", type=OUT, required=True, help="Folder to write the pictures to.")
def figures() -> None:
    """Draw scores, embeddings, confusion matrices, class statistics, neighbours, mined views and training curves.

    Rule figures calls it after collect; snakemake --report puts tables and pictures into one file.

    \b
    Example:
      neural-action figures --config config.yaml --dataset dataset --scores scores.csv \\
        --embedding models/simclr/fold-0/seed-0/embedding.npz --log models/simclr/fold-0/seed-0/log.csv \\
        --swaps neighbors/default/fold-0.npz --output figures
    """


@stage()
@config
@source
@click.option("--swaps", type=FILE, multiple=True, help="Swap table <run>.npz; repeat it for each.")
@click.option(
    "--scores", type=FILE, help="All scores (.csv, from collect), to check the row with permuted labels."
)
@threads
@click.option(
    "--output", type=OUT, required=True, help="Folder to write: diagnostics.json, diagnostics.html and .png."
)
def diagnose() -> None:
    """Check for silent errors: leaks, shifted clocks and labels, duplicates, imbalance.

    Rule diagnose calls it after collect, with every split of the dataset.

    \b
    Example:
      neural-action diagnose --config config.yaml --dataset dataset --splits splits.csv --split fold-0 \\
        --output diagnostics
    """


@stage()
@config
@source
@embeddings
@threads
@click.option("--output", type=OUT, required=True, help="Page to write (.html).")
def explore() -> None:
    """Write the interactive page: select points of an embedding and see the pose at each of them.

    Rule explore calls it after evaluate. The page opens with the first embedding.

    \b
    Example:
      neural-action explore --config config.yaml --dataset dataset \\
        --embedding models/swap_calcium/fold-0/seed-0/embedding.npz --output explore.html
    """


@stage()
@config
@scores
@embeddings
@click.option("--diagnostics", type=FILE, required=True, help="diagnostics.json, from diagnose.")
@click.option("--output", type=OUT, required=True, help="HTML fragment to write.")
def overview() -> None:
    """Write the first page of the report: scores, embeddings, and the result of every check.

    Rule overview calls it after diagnose.

    \b
    Example:
      neural-action overview --config config.yaml --scores scores.csv --diagnostics diagnostics/diagnostics.json \\
        --output overview.html
    """
