"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
OUT = click.Path(path_type=Path)
ANY = click.Path(path_type=Path)

config = click.option(
    "--config",
    required=True,
    help="Configuration: a YAML file, or the sections that the stage uses as inline JSON.",
)
threads = click.option(
    "--threads", type=click.IntRange(1), default=1, show_default=True, help="Processors to use."
)
method = click.option("--method", required=True, help="Row of the tables, a key of methods.")
seed = click.option("--seed", type=click.IntRange(0), required=True, help="Random seed (>= 0).")
manifests = click.argument("manifests", nargs=-1, required=True, type=FILE)
scores = click.option("--scores", type=FILE, required=True, help="All scores (.csv, from collect).")
embeddings = click.option(
    "--embedding",
    "embeddings",
    type=FILE,
    multiple=True,
    help="Embedding of a row (.npz); repeat it for each.",
)

_SOURCE = (
    click.option("--dataset", type=FOLDER, required=True, help="Folder that the command dataset wrote."),
    click.option("--splits", type=FILE, help="The split table (.csv, from splits)."),
    click.option(
        "--split",
        multiple=True,
        help="Name of a split of the run; repeat it for each. Default: no split, all data is visible.",
    ),
    click.option("--animal", help="Read this animal only. Default: all animals."),
    click.option(
        "--joint", is_flag=True, help="For animals with different units: join their units in one array."
    ),
)


def source(command: Callable) -> Callable:
    """Decorator that adds the options of the dataset and splits; a stage gets them as one ``Source``."""
    for option in reversed(_SOURCE):
        command = option(command)
    return command
