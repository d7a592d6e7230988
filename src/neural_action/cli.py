"""The commands. Each imports its stage when it runs, so that ``--help`` and short stages start at once."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from neural_action import __version__
from neural_action.processes import alone

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
OUT = click.Path(path_type=Path)
ANY = click.Path(path_type=Path)

config = click.option(
    "--config",
    required=True,
    help="Configuration: a YAML file, or the sections that the stage uses as inline JSON.",
)
folds = click.option(
    "--folds",
    type=FILE,
    required=True,
    help="CSV of animal, trial and fold, from the command folds; or of splits, from splits.",
)
holdout = click.option(
    "--holdout",
    required=True,
    help="What pretraining does not see: none, fold-<number>, animal-<name> or split-<first>-<last>-<animal>.",
)
threads = click.option(
    "--threads", type=click.IntRange(1), default=1, show_default=True, help="Processors to use."
)
method = click.option("--method", required=True, help="Row of the tables, a key of methods.")
seed = click.option(
    "--seed", type=click.IntRange(0), required=True, help="Of all random numbers of the run, from 0."
)
manifests = click.argument("manifests", nargs=-1, required=True, type=FILE)


class Stage(click.Command):
    """A command that is alone in writing its output, whatever else a killed workflow left running."""

    def invoke(self, context: click.Context) -> None:
        """Run once no other process writes the first output."""
        outputs = [context.params[option.name] for option in self.params if option.type is OUT]
        first = next((path for path in outputs if path is not None), None)
        with nullcontext() if first is None else alone(first):
            super().invoke(context)


class InOrder(click.Group):
    """Lists its commands in the order in which the workflow calls them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of this file."""
        return list(self.commands)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def commands() -> None:
    """From raw recordings to neural action representations and the tables that say what they are worth.

    Most commands are a stage of the workflow; snakemake calls them all in their order. By hand they are for a look at
    one step; transform, score and adapt-animal use a trained model. Examples are for the folder of a finished run, such
    as results/simulated. MANIFESTS are the manifests of all recordings.

    Bad input ends with exit status 2 and one line; --debug, anywhere, shows the traceback instead.
    """


commands.command_class = Stage


@commands.command()
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
    """Look at a FOLDER of recordings, say what it holds, and write a configuration and a recording sheet for it.

    Recognised are NWB, suite2p, CaImAn, TIFF, ThorImage and ThorSync; DeepFly3D, DeepLabCut, SLEAP and Anipose poses;
    tables of labels; and arrays that a short .yaml describes. What cannot be known, such as the rate of a camera, is
    asked for: then nothing is written, and init is to be run again with --neural-rate, --behavior-rate or --option. For
    the layouts of the readers a configuration is there already, which is named. Nothing in FOLDER is changed. Next:
    neural-action check. docs/your_recordings.md goes through it with files of each kind.
    """
    from neural_action.stages.init import run

    run(**options)


@commands.command()
@click.argument("config", nargs=-1, required=True, type=FILE)
@click.option(
    "--methods",
    type=ANY,
    help="Rows of the tables; default config/methods.yaml, of a dataset that is decoded config/methods_spikes.yaml.",
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
@click.option("--start", type=float, help="The trial is only a part of the recording, from this time, s ...")
@click.option("--stop", type=float, help="... to before this one.")
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
@click.option("--output", type=OUT, required=True, help="CSV of the trials in each part of each split.")
@manifests
def splits(**options: Any) -> None:
    """Split each animal's trials into train, validation and test."""
    from neural_action.stages.splits import run

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
    """Probe the frozen representation of one row: single-animal, multi-animal and identity; or decode its bins.

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
@click.option("--swaps", type=FILE, help="A swap table (.npz), of recordings with poses.")
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


@commands.command()
@config
@folds
@click.option(
    "--holdout",
    "holdouts",
    multiple=True,
    required=True,
    help="A run whose training is looked at; repeat it.",
)
@click.option("--swaps", type=FILE, multiple=True, help="Swap table <holdout>.npz; repeat it.")
@click.option("--scores", type=FILE, help="Every score (.csv, from collect --all), for the permuted labels.")
@threads
@click.option(
    "--output", type=OUT, required=True, help="Folder that receives diagnostics.json, .html and .png."
)
@manifests
def diagnose(**options: Any) -> None:
    """Look for what would make the numbers wrong: leaks, shifted clocks and labels, duplicates, imbalance."""
    from neural_action.stages.diagnose import run

    run(**options)


@commands.command()
@config
@folds
@click.option(
    "--embedding",
    "embeddings",
    type=FILE,
    multiple=True,
    required=True,
    help="Representations of a row (.npz); repeat it, the first is shown first.",
)
@threads
@click.option("--output", type=OUT, required=True, help="The page (.html).")
@manifests
def explore(**options: Any) -> None:
    """Write the interactive page: embeddings to select in, with the pose of each moment."""
    from neural_action.stages.explore import run

    run(**options)


@commands.command()
@config
@click.option("--scores", type=FILE, required=True, help="Every score (.csv, from collect --all).")
@click.option(
    "--embedding", "embeddings", type=FILE, multiple=True, help="Representations of a row to draw (.npz)."
)
@click.option("--diagnostics", type=FILE, required=True, help="diagnostics.json of diagnose.")
@click.option("--output", type=OUT, required=True, help="Fragment of HTML.")
def overview(**options: Any) -> None:
    """Write what the report opens with: scores, embeddings, and the verdict of every check."""
    from neural_action.stages.overview import run

    run(**options)


model = click.option(
    "--model", type=click.Path(exists=True, path_type=Path), required=True, help="Weights, or their folder."
)
device = click.option(
    "--device",
    type=click.Choice(["cpu", "cuda", "auto"]),
    default="cpu",
    show_default=True,
    help="Where networks run; auto takes a GPU where there is one.",
)
split = click.option(
    "--split", type=click.IntRange(0), help="Which model, of a file that holds one for each split (spikes)."
)
recordings = click.argument(
    "recordings", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)


@commands.command()
@model
@click.option(
    "--output", type=OUT, required=True, help="File of embeddings: .parquet, .nc, .nwb, .npz or .h5."
)
@click.option("--stride", type=click.IntRange(1), default=1, show_default=True, help="Frames between clips.")
@click.option("--layer", default="encoder", show_default=True, help="encoder, or projection.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Frames per second of .npy arrays.")
@click.option(
    "--convert", is_flag=True, help="Apply to .npy arrays the steps that the model's recordings went through."
)
@click.option("--into", "source", type=FILE, help="NWB file: write a copy of it with the embeddings added.")
@threads
@device
@split
@recordings
def transform(**options: Any) -> None:
    """Embed recordings with a trained model.

    RECORDINGS are manifests or stores that rule convert wrote, folders of these, or .npy arrays (frame, ...): a trial
    each.
    """
    from neural_action.stages.use import transform as run

    run(**options)


@commands.command()
@model
@click.option("--output", type=OUT, required=True, help="File of the encoder (.onnx).")
@click.option("--layer", default="encoder", show_default=True, help="encoder, or projection.")
@split
def export(**options: Any) -> None:
    """Write the encoder of a trained model as ONNX, for other programs and languages."""
    from neural_action.stages.export import run

    run(**options)


@commands.command()
@model
@click.option(
    "--train",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Recording, or folder of them, to train the probe on; repeat the option for each (what a shell's * adds after "
    "the first would be tested). Without: the other trials of RECORDINGS, each in turn.",
)
@click.option("--metric", default="balanced_accuracy", show_default=True, help="Or accuracy, or macro_f1.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of all random numbers.")
@threads
@device
@split
@recordings
def score(**options: Any) -> None:
    """Print how well a linear probe reads actions from a trained model's embeddings (a fraction of 1)."""
    from neural_action.stages.use import score as run

    run(**options)


@commands.command("adapt-animal")
@model
@click.option(
    "--known",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Recording, or folder of them, of an animal that the model was trained on; repeat the option for each.",
)
@click.option("--output", type=OUT, required=True, help="Weights of the adapted model (.safetensors).")
@click.option("--steps", type=click.IntRange(1), default=200, show_default=True, help="Training steps.")
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, min_open=True),
    default=1e-3,
    show_default=True,
    help="Of AdamW, at its highest.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of all random numbers.")
@threads
@device
@split
@recordings
def adapt_animal(**options: Any) -> None:
    """Adapt a trained model to a new animal, from its unlabelled RECORDINGS (manifests or stores)."""
    from neural_action.stages.use import adapt_animal as run

    run(**options)
