"""Commands before a run: what is in a folder, and what a run would take."""

from __future__ import annotations

from typing import Any

import click

from neural_action.cli.main import stage
from neural_action.cli.options import ANY, FILE, FOLDER, OUT


@stage()
@click.argument("folder", type=FOLDER)
@click.option("--output", type=OUT, help="Configuration to write; default <name>.yaml here.")
@click.option("--name", help="Name of the dataset; default the folder's.")
@click.option(
    "--neural-rate", type=click.FloatRange(0, min_open=True), help="Frames/s, for files without a clock."
)
@click.option(
    "--behavior-rate", type=click.FloatRange(0, min_open=True), help="Samples/s, for files without a clock."
)
@click.option(
    "--option",
    multiple=True,
    metavar="KEY=VALUE",
    help="What is known of how to read: a key of convert.reader_options, such as align.offset=2.5; several times.",
)
@click.option("--force", is_flag=True, help="Write over files that are there.")
def init(**options: Any) -> None:
    """Look at a FOLDER of recordings, say what it holds, and write a configuration and a samples table for it.

    Recognised are NWB, suite2p, CaImAn, TIFF, ThorImage and ThorSync; DeepFly3D, DeepLabCut, SLEAP and Anipose poses;
    tables of labels; and arrays that a short .yaml describes. What cannot be known, such as the rate of a camera, is
    asked for: then nothing is written, and init is to be run again with --neural-rate, --behavior-rate or --option. For
    the layouts of the readers a configuration is there already, which is named. Nothing in FOLDER is changed. Next:
    neural-action check. docs/tutorials/own_recordings.md goes through it with files of each kind.
    """
    from neural_action.stages.init import run

    run(**options)


@stage()
@click.argument("config", nargs=-1, required=True, type=FILE)
@click.option(
    "--methods",
    type=ANY,
    help="Rows of the tables; default config/methods.yaml, or what methods_file of CONFIG names.",
)
@click.option(
    "--trials", type=click.IntRange(1), default=2, show_default=True, help="Trials of each animal to read."
)
@click.option("--raw", type=FOLDER, help="Folder of raw recordings, if not the one in CONFIG.")
@click.option(
    "--cores", type=click.IntRange(1), default=2, show_default=True, help="Cores of the run, for its time."
)
def check(**options: Any) -> None:
    """Read a little of everything that CONFIG names; print what was found and what the run would take.

    Animals, trials, durations, rates, gaps, classes and unlabelled samples, whether neural activity goes with movement
    and at which lag, problems, and the expected time, memory and disk. Several files are merged as by snakemake
    --configfile. Nothing is written. Next: snakemake --cores 2 --configfile CONFIG.

    A line PROBLEM is of what would stop the run or empty its tables; the exit status is then 1. NOTE stops nothing.
    """
    from neural_action.stages.check import run

    run(**options)


@stage()
@click.option("--output", type=OUT, required=True, help="JSON schema (.json).")
def schema(**options: Any) -> None:
    """Write the JSON schema of a dataset's configuration file: keys, types, bounds and defaults.

    An editor completes and checks a file that begins with: # yaml-language-server: $schema=schema.json

    \b
    Example:
      neural-action schema --output schema.json
    """
    from neural_action.stages.schema import run

    run(**options)
