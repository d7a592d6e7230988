"""How many steps do rows of spikes need? Accuracy in validation and loss along training, as a picture and a table.

``python benchmarks/learning_curves.py --configfile config/monkey_reach.yaml --raw <folder>`` trains the rows of
``--rows`` on splits of a seed of their own, so that nothing is chosen on the splits that tables are made of, and reads
validation trials along the way by every probe: with all training labels and with one labelled trial of each class. Rows
without training are lines. The learning rate falls to zero at the last step of every run. Writes a picture and a table.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from drawn_by import record
from threadpoolctl import threadpool_limits

from neural_action.config.load import complete, effective, read_yaml, validate
from neural_action.config.settings import MethodSettings, Settings
from neural_action.datasets.dataset import Dataset, dataset_of
from neural_action.datasets.layout import lay_out
from neural_action.datasets.protocols import split_table
from neural_action.datasets.windows import Windows, window_table
from neural_action.encoders.shapes import Shapes
from neural_action.evaluation.budgets import label_budgets
from neural_action.evaluation.features import raw_features
from neural_action.evaluation.metrics import measure
from neural_action.evaluation.reading import Reading
from neural_action.evaluation.representation import raw_windows
from neural_action.evaluation.tasks import problems
from neural_action.recordings.convert import convert_trial
from neural_action.recordings.samples import scan
from neural_action.recordings.store import read_recording
from neural_action.stages.training import with_seen_labels
from neural_action.tables.pictures.style import new_figure, save, styled
from neural_action.training.batches import BatchSampler, augmentation_context
from neural_action.training.loop import pretrain
from neural_action.training.model import create

ROOT = Path(__file__).resolve().parent.parent
AT = (25, 50, 100, 200, 400, 700, 1000, 1500, 2000, 3000, 5000, 10_000)
TASK, LABEL_BUDGETS = "decoding", ("all", "1")


class Split(NamedTuple):
    """A split, of which validation is read and the test trials are not looked at."""

    number: int
    name: str
    dataset: Dataset
    windows: Windows


def main() -> None:
    """Train, read, draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--configfile", type=Path, required=True)
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--rows", nargs="+", default=["byol_centred", "myow"])
    parser.add_argument("--lines", nargs="+", default=["rates_centred", "trial_discriminant"])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--splits", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="of the splits; not the one of the configuration")
    options = parser.parse_args()
    settings = settings_of(options.configfile, options.raw, LABEL_BUDGETS)
    if options.seed == settings.split.seed:
        parser.error(f"--seed {options.seed} is the seed of the reported splits")
    torch.set_num_threads(1)
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        records = []
        for split in splits(settings, options, Path(folder)):
            for name in options.lines:
                read = reads(settings, settings.methods[name], raw_candidates(settings, name, split), split)
                records += [(name, split.number, 0, np.nan, *what) for what in read]
            for name in options.rows:
                began = time.perf_counter()
                records += [
                    (name, split.number, *what) for what in curve(settings, name, split, options.steps)
                ]
                print(f"{name} {split.name}: {time.perf_counter() - began:.0f} s", flush=True)
    columns = ["row", "split", "step", "loss", "probe", "label_budget", "accuracy"]
    table = pd.DataFrame(records, columns=columns)
    keys = ["row", "probe", "label_budget", "step"]
    mean = table.groupby(keys, sort=False)[["accuracy", "loss"]].mean()
    print(f"task {TASK}, validation")
    print(mean.round(3).to_string())
    output = ROOT / f"docs/images/{settings.dataset}_learning_curves.png"
    draw(mean.reset_index(), settings, options, output)
    record(
        {output.name: ["benchmarks/learning_curves.py:draw", "src/neural_action/tables/pictures/style.py"]}
    )
    print(f"wrote {output}")


def settings_of(configfile: Path, raw: Path, label_budgets: tuple[str, ...]) -> Settings:
    """The settings of a dataset, its probes of ``TASK`` with these label budgets."""
    config = complete(read_yaml(configfile), lambda name: ROOT / "config" / name)
    budgets = [int(name) if name.isdecimal() else name for name in label_budgets]
    config["evaluation"] = {**config["evaluation"], "tasks": [TASK], "label_budgets": budgets}
    config["probes"] = {
        name: {**probe, "tasks": [TASK]} for name, probe in config["probes"].items() if TASK in probe["tasks"]
    }
    return validate({**config, "raw": str(raw)})


def splits(settings: Settings, options: argparse.Namespace, folder: Path) -> Iterator[Split]:
    """The first recording's animal, split by split; validation is as unseen by pretraining as the test is."""
    row = scan(settings.convert.reader, options.raw, settings.convert.reader_options)[0]
    manifest = folder / "manifest.json"
    convert_trial(settings.convert, settings.dataset, options.raw, row, folder / "store.zarr", manifest)
    repeated = settings.split.model_copy(
        update={"protocol": "repeated", "repeats": options.splits, "seed": options.seed}
    )
    table, layout = split_table([read_recording(manifest, with_neural=False)], repeated), lay_out([manifest])
    for number, name in enumerate(table.splits):
        dataset = dataset_of(layout, table.pieces(name), settings.windows)
        yield Split(number, name, dataset, window_table(dataset, settings.windows, stride=1))


def raw_candidates(settings: Settings, name: str, split: Split) -> Mapping[str, np.ndarray]:
    """What a row makes of raw windows: themselves, or features that validation chooses among."""
    values = raw_windows(split.dataset.neural, split.windows, settings.evaluation)
    features = settings.methods[name].features
    if features is None:
        return {"raw": values}
    return raw_features(features, values, split.windows.trial, split.windows.sees_input)


def reads(
    settings: Settings, row: MethodSettings, candidates: Mapping[str, np.ndarray], split: Split
) -> Iterator[tuple[str, str, float]]:
    """(probe, label budget, accuracy in validation), with the penalty and candidate that are best there."""
    evaluation, windows, dataset = settings.evaluation, split.windows, split.dataset
    (problem,) = problems(TASK, windows, dataset.animals, evaluation, split.name, 0)
    budgets = list(label_budgets(windows, problem, evaluation, split.name, 0))
    read = Reading(
        candidates,
        windows,
        replace(problem, test=problem.validation),
        windows.label,
        len(dataset.class_names),
        scale=row.scale or ("centred" if row.representation == "raw" else evaluation.scale),
        choose_by=evaluation.choose_by,
        split=split.name,
        seed=0,
    ).read
    for name, probe in settings.probes.items():
        for budget in budgets:
            outcome = read(name, probe, replace(budget, validation=problem.validation))
            yield name, budget.name, measure(outcome)["accuracy"]


def curve(settings: Settings, name: str, split: Split, steps: int) -> list[tuple]:
    """(step, loss, probe, label budget, accuracy) along the training of a row."""
    row, dataset = settings.methods[name], split.dataset
    changed = effective(settings, row, name)
    training = changed.training.model_copy(
        update={"steps": steps, "device": "cpu", "checkpoint_every": steps}
    )
    windows = with_seen_labels(split.windows)
    shapes = Shapes(
        windows.frames,
        dataset.neural.shape[1:],
        windows.pose.shape[1],
        dataset.pose.shape[1],
        0,
        len(dataset.class_names),
    )
    context = augmentation_context(dataset, windows, torch.device("cpu"))
    model = create(row.objective, changed.encoders, shapes, split.number)
    model.fit_scales(context.neural, torch.cat(context.animal_frames))
    sampler = BatchSampler(context, windows, row.augmentations, training.batch, split.number)
    neural = context.neural[torch.as_tensor(windows.start)][:, None]
    read: list[tuple] = []

    def look(step: int) -> None:
        if step in AT or step == steps:
            model.eval()
            with torch.inference_mode():
                encoded = {"encoder": model.embed(neural)["encoder"].numpy()}
            read.extend((step, *what) for what in reads(settings, row, encoded, split))
            model.train()

    with tempfile.TemporaryDirectory() as folder:
        log = pretrain(model, sampler, training, Path(folder) / "checkpoint.pt", interrupt=look)
    losses = {int(entry[0]): entry[1] for entry in log}
    near = {step: losses[nearest(list(losses), step)] for step, *_ in read}
    return [(step, near[step], *what) for step, *what in read]


def nearest(steps: list[int], step: int) -> int:
    """The one of ``steps`` that is nearest to ``step``."""
    return min(steps, key=lambda at: abs(at - step))


def draw(mean: pd.DataFrame, settings: Settings, options: argparse.Namespace, output: Path) -> None:
    """Accuracy by each probe for all labels and for few, and the loss, over steps."""
    probes = list(settings.probes)
    with styled():
        figure = new_figure(7.2, 2.3 * len(probes) + 0.4)
        grid = figure.subplots(len(probes), 3, squeeze=False)
        for axes, probe in zip(grid, probes, strict=True):
            own = mean[mean["probe"] == probe]
            for axis, budget in zip(axes, LABEL_BUDGETS, strict=False):
                for name, dashes in zip(options.lines, ("--", ":", "-."), strict=False):
                    level = own.query("row == @name and label_budget == @budget").accuracy.item()
                    axis.axhline(level, color="0.5", lw=1, ls=dashes, label=settings.methods[name].label)
                axis.set(ylabel="accuracy, validation")
                axis.set_title(f"{probe}\nlabel budget {budget}")
            axes[2].set(ylabel="loss")
            for name in options.rows:
                for axis, budget, what in zip(
                    axes, (*LABEL_BUDGETS, "all"), ("accuracy", "accuracy", "loss"), strict=True
                ):
                    line = own[(own["row"] == name) & (own["label_budget"] == budget)]
                    axis.plot(line.step, line[what], marker=".", label=settings.methods[name].label)
            for axis in axes:
                axis.set(xscale="log", xlabel="step")
                marks = [step for step in AT if step <= options.steps][::2]
                axis.set_xticks(marks, [f"{step}" for step in marks])
                axis.set_xticks([], minor=True)
        figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
        save(figure, output)


if __name__ == "__main__":
    main()
