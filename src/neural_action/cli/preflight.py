"""Commands to call before a run: write a configuration for a folder, and check a configuration."""

from __future__ import annotations

import click

from neural_action.cli.main import stage
from neural_action.cli.options import ANY, FILE, FOLDER, OUT


@stage()
@click.argument("folder", type=FOLDER)
@click.option(
    "--output", type=OUT, help="Configuration to write. Default: <name>.yaml in the current folder."
)
@click.option("--name", help="Name of the dataset. Default: the folder's name.")
@click.option(
    "--neural-rate",
    type=click.FloatRange(0, min_open=True),
    help="Neural frames per second, for files without a clock.",
)
@click.option(
    "--behavior-rate",
    type=click.FloatRange(0, min_open=True),
    help="Behaviour samples per second, for files without a clock.",
)
@click.option(
    "--option",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a key of convert.reader_options, such as align.offset=2.5; repeat it for each key.",
)
@click.option("--force", is_flag=True, help="Overwrite existing files.")
def init() -> None:
    """List what a FOLDER of recordings holds, and write a configuration and a samples table for it.

    Recognises NWB, suite2p, CaImAn, TIFF, ThorImage and ThorSync; DeepFly3D, DeepLabCut, SLEAP and Anipose poses;
    tables of labels; and arrays that a short .yaml describes. If the files lack something, such as the rate of a
    camera, init writes nothing and says which option to add: --neural-rate, --behavior-rate or --option. Some layouts
    have their own reader and a configuration that comes with the package; init then names that configuration. Nothing
    in FOLDER is changed. Next: neural-action check. Examples for each kind of file: docs/tutorials/own_recordings.md.
    """


@stage()
@click.argument("config", nargs=-1, required=True, type=FILE)
@click.option(
    "--methods",
    type=ANY,
    help="File with the rows of the tables. Default: methods_file of CONFIG, else config/methods.yaml.",
)
@click.option(
    "--trials", type=click.IntRange(1), default=2, show_default=True, help="Trials of each animal to read."
)
@click.option("--raw", type=FOLDER, help="Folder of raw recordings. Default: raw of CONFIG.")
@click.option(
    "--cores",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Cores of the planned run; the time is estimated for them.",
)
def check() -> None:
    """Read a few trials of each animal in CONFIG; print what they hold and what a run would cost.

    Prints animals, trials, durations, rates, gaps, classes and unlabelled samples; the lag at which neural activity
    correlates with movement; problems; and the expected time, memory and disk. Several files are merged as by
    snakemake --configfile. Nothing is written. Next: snakemake --cores 2 --configfile CONFIG.

    A line PROBLEM names something that would stop the run or empty its tables; the exit status is then 1. A line NOTE
    does not stop the run.
    """


@stage()
@click.option("--output", type=OUT, required=True, help="JSON schema (.json).")
def schema() -> None:
    """Write the JSON schema of a dataset's configuration file: keys, types, bounds and defaults.

    With it, an editor completes and checks a file whose first line is: # yaml-language-server: $schema=schema.json

    \b
    Example:
      neural-action schema --output schema.json
    """
