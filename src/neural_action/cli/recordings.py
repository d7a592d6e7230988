"""Stages that make the dataset and its splits from raw files."""

from __future__ import annotations

import click

from neural_action.cli.main import stage
from neural_action.cli.options import ANY, OUT, config, manifests, threads


@stage()
@config
@click.option("--output", type=OUT, required=True, help="Complete configuration and versions (.yaml).")
def resolve() -> None:
    """Validate a configuration; write it with all defaults filled in and the versions of the packages.

    Rule resolved_config calls it, so that each result is stored with its configuration. It is also the fastest way to
    check a file.

    \b
    Example:
      neural-action resolve --config config.yaml --output complete.yaml
    """


@stage()
@config
@click.option("--animal", type=click.IntRange(0), required=True, help="Index of the animal (>= 0).")
@click.option("--output", type=OUT, required=True, help="Folder to write; it gets one folder for each trial.")
def simulate() -> None:
    """Simulate the trials of one animal in the layout of the authors' release.

    Rule simulate calls it for simulated datasets; convert reads its output.

    \b
    Example:
      neural-action simulate --config config.yaml --animal 0 --output raw/Fly1
    """


@stage()
@config
@click.option("--raw", type=ANY, required=True, help="Folder of raw recordings.")
@click.option("--output", type=OUT, required=True, help="Samples table to write (.csv): animal, trial, path.")
def samples() -> None:
    """Scan a folder of raw recordings and write the samples table.

    Rule samples calls it if the configuration has no key recordings. To leave out recordings or to rename animals,
    edit the table and give its path as recordings.

    \b
    Example:
      neural-action samples --config config.yaml --raw raw --output recordings.csv
    """


@stage()
@config
@click.option("--raw", type=ANY, required=True, help="Folder of the raw recordings.")
@click.option("--path", required=True, help="File or folder of the recording, relative to --raw.")
@click.option("--animal", required=True, help="Name of the animal, as in the samples table.")
@click.option("--trial", required=True, help="Name of the trial, as in the samples table.")
@click.option(
    "--start", type=float, help="Start of the trial in the recording (s), if it is only a part of it."
)
@click.option("--stop", type=float, help="End of the trial in the recording (s, exclusive).")
@click.option("--store", type=OUT, required=True, help="Zarr store to write.")
@click.option("--manifest", type=OUT, required=True, help="Manifest to write, in the store's folder.")
@threads
def convert() -> None:
    """Convert one raw recording to a Zarr store and a manifest.

    Rule convert calls it for each row of the samples table, which gives path, animal and trial. All later stages read
    the manifests.

    \b
    Example:
      neural-action convert --config config.yaml --raw raw --path Fly1/210301_SS01_Fly1_001 \\
        --animal Fly1 --trial 001 --store 001.zarr --manifest 001.manifest.json
    """


@stage()
@click.option("--output", type=OUT, required=True, help="Folder to write: dataset.json and its arrays.")
@manifests
def dataset() -> None:
    """Verify all recordings and join them in arrays that later stages memory-map.

    Rule dataset calls it after convert. MANIFESTS are the manifests of all recordings.

    \b
    Example:
      neural-action dataset --output dataset recordings/*/*.manifest.json
    """


@stage()
@config
@click.option("--output", type=OUT, required=True, help="Split table to write (.csv).")
@manifests
def splits() -> None:
    """Write the split table: the data of each split for training and testing, and what pretraining may see.

    Rule splits calls it after convert; every later stage reads the table.

    \b
    Example:
      neural-action splits --config config.yaml --output splits.csv recordings/*/*.manifest.json
    """
