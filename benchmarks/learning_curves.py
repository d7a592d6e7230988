"""How many steps do rows of spikes need? Accuracy in validation and loss along training, as a picture and a table.

``python benchmarks/learning_curves.py --configfile config/monkey_reach.yaml --raw <folder>`` trains the rows of
``--rows`` on splits of a seed of their own, so that nothing is chosen on the splits that tables are made of, and reads
validation trials along the way: with all training labels and with one labelled trial of each class. Rows without
training are lines. The learning rate falls to zero at the last step of every run. Writes a picture and a table.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from neural_action.evaluation.decoding import Bins, decode, label_sets
from neural_action.recordings.splits import Holdout
from snakemake.utils import update_config
from threadpoolctl import threadpool_limits

from neural_action.config.load import effective, read_yaml, validate
from neural_action.config.settings import MethodSettings, Settings
from neural_action.datasets.dataset import Dataset, load_cohort
from neural_action.datasets.partitions import partition, read_partition, write_partition
from neural_action.datasets.windows import Windows, window_table
from neural_action.encoders.shapes import Shapes
from neural_action.evaluation.features import raw_features
from neural_action.recordings.convert import convert_trial
from neural_action.recordings.sheet import scan
from neural_action.recordings.store import read_recording
from neural_action.tables.pictures.style import save, sheet, styled
from neural_action.training.batches import BatchSampler, view_context
from neural_action.training.loop import pretrain
from neural_action.training.model import create

ROOT = Path(__file__).resolve().parent.parent
AT = (25, 50, 100, 200, 400, 700, 1000, 1500, 2000, 3000, 5000, 10_000)
LABELS = ("all", "1")


def main() -> None:
    """Train, read, draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--configfile", type=Path, required=True)
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--rows", nargs="+", default=["byol_centred", "myow"])
    parser.add_argument("--lines", nargs="+", default=["raw_logistic", "trial_discriminant"])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--splits", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="of the splits; not the one of the configuration")
    options = parser.parse_args()
    config = read_yaml(ROOT / "config/methods_spikes.yaml")
    update_config(config, read_yaml(options.configfile))
    settings = validate({**config, "raw": str(options.raw)})
    if options.seed == settings.split.seed:
        parser.error(f"--seed {options.seed} is the seed of the reported splits")
    torch.set_num_threads(1)
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        records = []
        for split, dataset, clips in splits(settings, options, Path(folder)):
            bins = bins_of(dataset, clips)
            for name in options.lines:
                values = dataset.neural[clips.start]
                features = settings.methods[name].features
                candidates = (
                    {"bins": values}
                    if features is None
                    else raw_features(features, values, bins.span, clips.sees_input)
                )
                read = reads(settings, settings.methods[name], candidates, bins, split)
                records += [(name, split, 0, np.nan, labels, value) for labels, value in read]
            for name in options.rows:
                began = time.perf_counter()
                records += [
                    (name, split, *record)
                    for record in curve(settings, name, dataset, clips, bins, split, options)
                ]
                print(f"{name} split {split}: {time.perf_counter() - began:.0f} s", flush=True)
    table = pd.DataFrame(records, columns=["row", "split", "step", "loss", "labels", "accuracy"])
    mean = table.groupby(["row", "labels", "step"], sort=False)[["accuracy", "loss"]].mean()
    print(mean.round(3).to_string())
    output = ROOT / f"docs/images/{settings.dataset}_learning_curves.png"
    draw(mean.reset_index(), settings, options, output)
    print(f"wrote {output}")


def splits(settings: Settings, options, folder: Path) -> Iterator[tuple[int, Dataset, Windows]]:
    """The first recording's animal, split by split; validation is as unseen by pretraining as the test is."""
    row = scan(settings.convert.reader, options.raw, settings.convert.reader_options)[0]
    manifest = folder / "manifest.json"
    convert_trial(settings.convert, settings.dataset, options.raw, row, folder / "store.zarr", manifest)
    repeated = settings.split.model_copy(
        update={"protocol": "repeated", "splits": options.splits, "seed": options.seed}
    )
    path = folder / "splits.csv"
    write_partition(partition([read_recording(manifest, with_neural=False)], repeated), path)
    for split in range(options.splits):
        holdout = Holdout("split", row.animal, split, split)
        dataset = load_cohort([manifest], read_partition(path, split), holdout, settings.clips)
        yield split, dataset, window_table(dataset, settings.clips, stride=1)


def bins_of(dataset: Dataset, clips: Windows) -> Bins:
    """The bins with validation in the place of the test, which is not looked at."""
    part = np.array([span.part for span in dataset.trials])[clips.trial]
    label = np.where(part == "test", -1, clips.label)
    return Bins(label, part, clips.trial, clips.time, len(dataset.class_names))


def reads(
    settings: Settings,
    row: MethodSettings,
    candidates: dict[str, np.ndarray],
    bins: Bins,
    split: int,
    labelled: Sequence[int] = (1,),
) -> Iterator[tuple[str, float]]:
    """Accuracy in validation, all labels and ``labelled`` trials a class; with the weight decay that is best there."""
    decoding = settings.decoding.model_copy(update={"labelled_trials": list(labelled)})
    every = np.where(bins.part == "validation", "test", bins.part)
    seen = Bins(bins.label, every, bins.span, bins.time, bins.classes)
    validation = np.flatnonzero(bins.part == "validation")
    for labels in label_sets(bins, decoding, split, 0):
        chosen = type(labels)(
            labels.name, labels.fraction, labels.train, validation[bins.label[validation] >= 0]
        )
        weighting = settings.probe.class_weight
        yield (
            labels.name,
            decode(candidates, seen, chosen, row.readout, decoding, weighting).scores["accuracy"],
        )


def curve(
    settings: Settings, name: str, dataset: Dataset, clips: Windows, bins: Bins, split: int, options
) -> list[tuple]:
    """(step, loss, labels, accuracy) along the training of a row."""
    row = settings.methods[name]
    changed = effective(settings, row, name)
    training = changed.training.model_copy(
        update={"steps": options.steps, "device": "cpu", "checkpoint_every": options.steps}
    )
    shapes = Shapes(
        clips.frames, dataset.neural.shape[1:], clips.pose.shape[1], dataset.pose.shape[1], 0, bins.classes
    )
    context = view_context(dataset, clips, torch.device("cpu"))
    model = create(row.objective, changed.encoders, shapes, split)
    model.fit_scales(context.neural, torch.cat(context.animal_frames))
    sampler = BatchSampler(context, clips, row.views, training.batch, split)
    neural = context.neural[torch.as_tensor(clips.start)][:, None]
    read = []

    def look(step: int) -> None:
        if step in AT or step == options.steps:
            model.eval()
            with torch.inference_mode():
                encoded = {"encoder": model.embed(neural)["encoder"].numpy()}
            read.extend((step, *pair) for pair in reads(settings, row, encoded, bins, split))
            model.train()

    with tempfile.TemporaryDirectory() as folder:
        log = pretrain(model, sampler, training, Path(folder) / "checkpoint.pt", interrupt=look)
    losses = {int(entry[0]): entry[1] for entry in log}
    near = {step: losses[min(losses, key=lambda at, step=step: abs(at - step))] for step, *_ in read}
    return [(step, near[step], labels, value) for step, labels, value in read]


def draw(mean: pd.DataFrame, settings: Settings, options, output: Path) -> None:
    """Accuracy for all labels and for few, and the loss, over steps."""
    with styled():
        figure = sheet(7.2, 2.5)
        axes = figure.subplots(1, 3)
        for axis, labels in zip(axes, LABELS, strict=False):
            for name, dashes in zip(options.lines, ("--", ":", "-."), strict=False):
                level = mean.query("row == @name and labels == @labels").accuracy.item()
                axis.axhline(level, color="0.5", lw=1, ls=dashes, label=settings.methods[name].label)
            axis.set(ylabel="accuracy, validation")
            axis.set_title("all labels" if labels == "all" else f"{labels} labelled trial a class")
        axes[2].set(ylabel="loss")
        for name in options.rows:
            for axis, labels, what in zip(
                axes, (*LABELS, "all"), ("accuracy", "accuracy", "loss"), strict=True
            ):
                own = mean[(mean["row"] == name) & (mean["labels"] == labels)]
                axis.plot(own.step, own[what], marker=".", label=settings.methods[name].label)
        for axis in axes:
            axis.set(xscale="log", xlabel="step")
            marks = [step for step in AT if step <= options.steps][::2]
            axis.set_xticks(marks, [f"{step}" for step in marks])
            axis.set_xticks([], minor=True)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
        save(figure, output)


if __name__ == "__main__":
    main()
