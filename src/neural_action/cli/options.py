"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

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
    "--embedding", "embeddings", type=FILE, multiple=True, help="Representations of a row (.npz); repeat it."
)

_SOURCE = (
    click.option("--dataset", type=FOLDER, required=True, help="Folder that the command dataset wrote."),
    click.option("--splits", type=FILE, help="The split table (.csv, from splits)."),
    click.option(
        "--split", multiple=True, help="Name of a split of the run; repeat it. Without: all is seen."
    ),
    click.option("--animal", help="The only animal that is read; default all."),
    click.option("--joint", is_flag=True, help="Lay animals with units of their own side by side."),
)


def source(command: Callable) -> Callable:
    """Options of the dataset and the splits of a run, given to the command as one ``Source``."""

    @wraps(command)
    def wrapped(**options: Any) -> None:
        from neural_action.datasets.dataset import Source

        given = (options.pop(name) for name in ("dataset", "splits", "split", "animal", "joint"))
        command(source=Source(*given), **options)

    for option in reversed(_SOURCE):
        wrapped = option(wrapped)
    return wrapped
