"""Stages from raw files to the dataset and its splits."""

from __future__ import annotations

from typing import Any

import click

from neural_action.cli.main import stage
from neural_action.cli.options import ANY, OUT, config, manifests, threads


@stage()
@config
@click.option("--output", type=OUT, required=True, help="Complete configuration and versions (.yaml).")
def resolve(**options: Any) -> None:
    """Validate a configuration and write it complete, with the versions.

    Rule resolved_config calls it: a result has its configuration beside it. It is also the quickest check of a file.

    \b
    Example:
      neural-action resolve --config config.yaml --output complete.yaml
    """
    from neural_action.stages.resolve import run

    run(**options)


@stage()
@config
@click.option("--animal", type=click.IntRange(0), required=True, help="Number of the animal, from 0.")
@click.option("--output", type=OUT, required=True, help="Folder that receives one folder a trial.")
def simulate(**options: Any) -> None:
    """Simulate the trials of one animal in the layout of the authors' release (stage: simulate).

    Rule simulate calls it for data sets without raw recordings; convert reads what it writes.

    \b
    Example:
      neural-action simulate --config config.yaml --animal 0 --output raw/Fly1
    """
    from neural_action.stages.simulate import run

    run(**options)


@stage()
@config
@click.option("--raw", type=ANY, required=True, help="Folder of raw recordings.")
@click.option("--output", type=OUT, required=True, help="CSV of animal, trial and path.")
def samples(**options: Any) -> None:
    """Scan a folder of raw recordings and write the samples table.

    Rule samples calls it where the configuration has no list of its own (recordings). Edit the table to leave
    recordings out or to rename animals, and name it there; convert and dataset read it.

    \b
    Example:
      neural-action samples --config config.yaml --raw raw --output recordings.csv
    """
    from neural_action.stages.samples import run

    run(**options)


@stage()
@config
@click.option("--raw", type=ANY, required=True, help="Folder of the raw recordings.")
@click.option("--path", required=True, help="The recording, a file or folder below that folder.")
@click.option("--animal", required=True, help="Name of its animal, as in the samples table.")
@click.option("--trial", required=True, help="Name of its trial, as in the samples table.")
@click.option("--start", type=float, help="The trial is only a part of the recording, from this time, s ...")
@click.option("--stop", type=float, help="... to before this one.")
@click.option("--store", type=OUT, required=True, help="Zarr store to write.")
@click.option("--manifest", type=OUT, required=True, help="Manifest to write beside it.")
@threads
def convert(**options: Any) -> None:
    """Convert one raw recording to its Zarr store and manifest.

    Rule convert calls it once a recording; all later stages read the manifests. A row of the samples table gives
    path, animal and trial.

    \b
    Example:
      neural-action convert --config config.yaml --raw raw --path Fly1/210301_SS01_Fly1_001 \\
        --animal Fly1 --trial 001 --store 001.zarr --manifest 001.manifest.json
    """
    from neural_action.stages.convert import run

    run(**options)


@stage()
@click.option("--output", type=OUT, required=True, help="Folder that receives dataset.json and its arrays.")
@manifests
def dataset(**options: Any) -> None:
    """Verify all recordings and lay them out once, as arrays that later stages map.

    Rule dataset calls it after convert. MANIFESTS are the manifests of all recordings.

    \b
    Example:
      neural-action dataset --output dataset recordings/*/*.manifest.json
    """
    from neural_action.stages.dataset import run

    run(**options)


@stage()
@config
@click.option("--output", type=OUT, required=True, help="The split table (.csv).")
@manifests
def splits(**options: Any) -> None:
    """Write the split table: what is trained on, what is tested, and what may be seen.

    Rule splits calls it after convert; every later stage reads its table.

    \b
    Example:
      neural-action splits --config config.yaml --output splits.csv recordings/*/*.manifest.json
    """
    from neural_action.stages.splits import run

    run(**options)
