"""The commands. Each imports its stage when it runs, so that ``--help`` and short stages start at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from neural_action import __version__

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
OUT = click.Path(path_type=Path)

config = click.option(
    "--config",
    required=True,
    help="Configuration: a YAML file, or the sections that the stage uses as inline JSON.",
)
folds = click.option(
    "--folds", type=FILE, required=True, help="CSV of animal, trial and fold, from the command folds."
)
holdout = click.option(
    "--holdout", required=True, help="What pretraining does not see: none, fold-<number> or animal-<name>."
)
threads = click.option(
    "--threads", type=click.IntRange(1), default=1, show_default=True, help="Processors to use."
)
method = click.option("--method", required=True, help="Row of the tables, a key of methods.")
seed = click.option(
    "--seed", type=click.IntRange(0), required=True, help="Of all random numbers of the run, from 0."
)
manifests = click.argument("manifests", nargs=-1, required=True, type=FILE)


class InOrder(click.Group):
    """Lists its commands in the order in which the workflow calls them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of this file."""
        return list(self.commands)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def commands() -> None:
    """From raw recordings to neural action representations and the tables that say what they are worth.

    Every command is one stage of the workflow; snakemake calls them all in their order. By hand they are for a look at
    one step; their examples are for the folder of a finished run, such as results/simulated. MANIFESTS are the
    manifests of all recordings.

    Bad input ends with exit status 2 and one line; --debug, anywhere, shows the traceback instead.
    """


@commands.command()
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


@commands.command()
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


@commands.command()
@config
@click.option("--raw", type=FOLDER, required=True, help="Folder of raw recordings.")
@click.option("--output", type=OUT, required=True, help="CSV of animal, trial and path.")
def sheet(**options: Any) -> None:
    """Scan a folder of raw recordings and write the recording sheet.

    Rule sheet calls it where the configuration has no list of its own (recordings). Edit the sheet to leave recordings
    out or to rename animals, and name it there; folds and convert read it.

    \b
    Example:
      neural-action sheet --config config.yaml --raw raw --output recordings.csv
    """
    from neural_action.stages.sheet import run

    run(**options)


@commands.command()
@config
@click.option("--raw", type=FOLDER, required=True, help="Folder of the raw recordings.")
@click.option("--path", required=True, help="The recording, a file or folder below that folder.")
@click.option("--animal", required=True, help="Name of its animal, as in the sheet.")
@click.option("--trial", required=True, help="Name of its trial, as in the sheet.")
@click.option("--store", type=OUT, required=True, help="Zarr store to write.")
@click.option("--manifest", type=OUT, required=True, help="Manifest to write beside it.")
@threads
def convert(**options: Any) -> None:
    """Convert one raw recording to its Zarr store and manifest.

    Rule convert calls it once a recording; all later stages read the manifests. A row of the sheet says path, animal
    and trial.

    \b
    Example:
      neural-action convert --config config.yaml --raw raw --path Fly1/210301_SS01_Fly1_001 \\
        --animal Fly1 --trial 001 --store 001.zarr --manifest 001.manifest.json
    """
    from neural_action.stages.convert import run

    run(**options)


@commands.command("folds")
@config
@click.option("--sheet", type=FILE, required=True, help="The recording sheet.")
@click.option("--output", type=OUT, required=True, help="CSV of animal, trial and fold.")
def assign_folds(**options: Any) -> None:
    """Assign trials to folds.

    Rule folds calls it after sheet; neighbors, calcium, syllables, pretrain and evaluate read its table.

    \b
    Example:
      neural-action folds --config config.yaml --sheet recordings.csv --output folds.csv
    """
    from neural_action.stages.folds import run

    run(**options)


@commands.command()
@config
@folds
@holdout
@threads
@click.option("--output", type=OUT, required=True, help="Swap table (.npz).")
@click.option("--report", type=OUT, required=True, help="Recall and times (.json).")
@manifests
def neighbors(**options: Any) -> None:
    """Index each animal's poses and draw the swap table.

    Rule neighbors calls it after convert and folds, once a holdout; next is pretrain --swaps.

    \b
    Example:
      neural-action neighbors --config config.yaml --folds folds.csv --holdout fold-0 \\
        --output swaps.npz --report swaps.json recordings/*/*.manifest.json
    """
    from neural_action.stages.neighbors import run

    run(**options)


@commands.command()
@config
@folds
@holdout
@threads
@click.option("--output", type=OUT, required=True, help="The kernel (.json).")
@click.option("--picture", type=OUT, required=True, help="Fit over data (.png).")
@manifests
def calcium(**options: Any) -> None:
    """Fit the calcium kernel to how fluorescence falls after movement stops.

    Rule calcium calls it after convert and folds, once a holdout; next is pretrain --kernel.

    \b
    Example:
      neural-action calcium --config config.yaml --folds folds.csv --holdout fold-0 \\
        --output kernel.json --picture kernel.png recordings/*/*.manifest.json
    """
    from neural_action.stages.calcium import run

    run(**options)


@commands.command()
@config
@folds
@holdout
@threads
@click.option(
    "--output", type=OUT, required=True, help="Posterior of every visible pose, and the model (.npz)."
)
@click.option("--report", type=OUT, required=True, help="Likelihood, states used, durations (.json).")
@manifests
def syllables(**options: Any) -> None:
    """Fit the autoregressive hidden Markov model of the poses.

    Rule syllables calls it where a row predicts syllables (behavenet); next is pretrain --syllables.

    \b
    Example:
      neural-action syllables --config config.yaml --folds folds.csv --holdout fold-0 \\
        --output syllables.npz --report syllables.json recordings/*/*.manifest.json
    """
    from neural_action.stages.syllables import run

    run(**options)


@commands.command()
@config
@method
@folds
@holdout
@seed
@click.option("--kernel", type=FILE, help="The calcium kernel (.json), if a view needs it.")
@click.option("--swaps", type=FILE, help="The swap table (.npz), if a view or the batches need it.")
@click.option("--syllables", type=FILE, help="Syllables of the poses (.npz), if the objective needs them.")
@threads
@click.option("--output", type=OUT, required=True, help="Weights (.safetensors).")
@click.option("--log", type=OUT, required=True, help="Loss and throughput (.csv).")
@manifests
def pretrain(**options: Any) -> None:
    """Pretrain one row for one holdout and seed; an interrupted run resumes from its checkpoint.

    Rule pretrain calls it after neighbors, calcium and syllables, as far as the row needs them; next are evaluate
    --weights, and adapt for an animal that was not seen (holdout animal-<name>).

    \b
    Example:
      neural-action pretrain --config config.yaml --method simclr --folds folds.csv --holdout fold-0 --seed 0 \\
        --output model.safetensors --log log.csv recordings/*/*.manifest.json
    """
    from neural_action.stages.pretrain import run

    run(**options)


@commands.command()
@config
@method
@folds
@holdout
@seed
@click.option("--weights", type=FILE, required=True, help="Weights to start from, without the animal.")
@click.option("--kernel", type=FILE, help="The calcium kernel (.json), if a view needs it.")
@click.option("--swaps", type=FILE, help="The swap table (.npz), if a view or the batches need it.")
@click.option("--syllables", type=FILE, help="Syllables of the poses (.npz), if the objective needs them.")
@threads
@click.option("--output", type=OUT, required=True, help="Adapted weights (.safetensors).")
@click.option("--log", type=OUT, required=True, help="Loss and throughput (.csv).")
@manifests
def adapt(**options: Any) -> None:
    """Adapt a trained row to an animal it has not seen, from unlabelled pairs (holdout adapted-<animal>-fold-<k>).

    Rule adapt calls it for the rows of adapt.rows, on a model that was pretrained with holdout animal-<animal>; next is
    evaluate with the same holdout.

    \b
    Example:
      neural-action adapt --config config.yaml --method simclr --folds folds.csv --seed 0 \\
        --holdout adapted-Fly1-fold-0 --weights models/simclr/animal-Fly1/seed-0/model.safetensors \\
        --output adapted.safetensors --log log.csv recordings/*/*.manifest.json
    """
    from neural_action.stages.adapt import run

    run(**options)


@commands.command()
@config
@folds
@holdout
@click.option("--output", type=OUT, required=True, help="Arrays of every frame (.npz).")
@manifests
def arrays(**options: Any) -> None:
    """Write the recordings as plain arrays, for rows that another package makes.

    Rule arrays calls it for rows with a key external, whose package runs in its own environment; next is evaluate
    --external.

    \b
    Example:
      neural-action arrays --config config.yaml --folds folds.csv --holdout fold-0 \\
        --output arrays.npz recordings/*/*.manifest.json
    """
    from neural_action.stages.arrays import run

    run(**options)


@commands.command()
@config
@method
@folds
@holdout
@seed
@threads
@click.option("--weights", type=FILE, help="Weights of a trained method (.safetensors).")
@click.option("--swaps", type=FILE, help="Swaps among all poses (.npz), for an encoder of swapped behaviour.")
@click.option("--external", type=FILE, help="What another package made of every frame (.npz).")
@click.option("--scores", type=OUT, required=True, help="Scores (.csv).")
@click.option(
    "--embedding", type=OUT, required=True, help="Representations and predictions of every clip (.npz)."
)
@manifests
def evaluate(**options: Any) -> None:
    """Probe the frozen representation of one row: single-animal, multi-animal and identity.

    Rule evaluate calls it after pretrain; next is collect. The embedding file holds the representation of every clip
    with its animal, trial, time and label.

    \b
    Example:
      neural-action evaluate --config config.yaml --method simclr --folds folds.csv --holdout fold-0 --seed 0 \\
        --weights models/simclr/fold-0/seed-0/model.safetensors \\
        --scores scores.csv --embedding embedding.npz recordings/*/*.manifest.json
    """
    from neural_action.stages.evaluate import run

    run(**options)


@commands.command()
@click.option("--output", type=OUT, help="The scores table (.csv); without it, only the whole one.")
@click.option(
    "--all", "everything", type=OUT, required=True, help="The same with every representation and probe."
)
@click.argument("scores", nargs=-1, required=True, type=FILE)
def collect(**options: Any) -> None:
    """Collect the scores of all runs into the one tidy table.

    Rule collect calls it after every evaluate; next are tables and figures.

    \b
    Example:
      neural-action collect --output scores.csv --all scores_all.csv models/*/fold-*/seed-*/scores.csv
    """
    from neural_action.stages.collect import run

    run(**options)


@commands.command()
@config
@click.option("--scores", type=FILE, required=True, help="Every score (.csv, from collect --all).")
@click.option("--unseen", type=FILE, help="Scores of unseen animals, as they are and adapted to (.csv).")
@click.option("--output", type=OUT, required=True, help="Folder of tables.")
def tables(**options: Any) -> None:
    """Render the tables as CSV, Markdown, LaTeX and HTML.

    Rule tables calls it after collect.

    \b
    Example:
      neural-action tables --config config.yaml --scores scores_all.csv --output tables
    """
    from neural_action.stages.tables import run

    run(**options)


@commands.command()
@config
@folds
@click.option("--scores", type=FILE, required=True, help="Every score (.csv, from collect --all).")
@click.option(
    "--embedding", "embeddings", type=FILE, multiple=True, help="Representations of the row to draw (.npz)."
)
@click.option("--log", "logs", type=FILE, multiple=True, help="Training logs (.csv).")
@click.option("--swaps", type=FILE, required=True, help="A swap table (.npz).")
@click.option("--output", type=OUT, required=True, help="Folder of pictures.")
@manifests
def figures(**options: Any) -> None:
    """Draw embeddings, confusion matrices, class and bout statistics, pose neighbours and training curves.

    Rule figures calls it after collect; snakemake --report binds tables and pictures into one file.

    \b
    Example:
      neural-action figures --config config.yaml --folds folds.csv --scores scores_all.csv \\
        --embedding models/simclr/fold-0/seed-0/embedding.npz --log models/simclr/fold-0/seed-0/log.csv \\
        --swaps neighbors/default/fold-0.npz --output figures recordings/*/*.manifest.json
    """
    from neural_action.stages.figures import run

    run(**options)
