"""The tables of the documentation, from finished runs: nothing in them is typed by hand.

``python benchmarks/results_page.py --dataset simulated`` takes the tables of ``results/simulated`` and replaces what
stands between the marks of that dataset in ``PAGES``. A mark names the dataset and what is shown:
``<!-- simulated:actions -->``. Tables in ``WHOLE`` are taken as the workflow wrote them; of the others
the columns in ``SHOWN``, one a task, probe and label budget. ValueError where a column has several values of a row.
"""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from drawn_by import IMAGES, record

from neural_action.config.load import read_yaml
from neural_action.tables.document import EMPTY, interval

ROOT = Path(__file__).resolve().parent.parent
PICTURES = "src/neural_action/tables/pictures"
PAGES = (
    "README.md",
    "docs/tutorials/first_run.md",
    "docs/tutorials/own_recordings.md",
    "docs/results/flies.md",
    "docs/results/walking_flies.md",
    "docs/results/worms.md",
    "docs/results/spikes.md",
    "docs/results/pictures.md",
    "docs/results/different_neurons.md",
)
#: The score that each task is read by, where its table has several.
METRICS = {
    "within": "balanced_accuracy",
    "across_sessions": "balanced_accuracy",
    "across": "balanced_accuracy",
    "identity": "accuracy",
    "decoding": "accuracy",
    "continuous_within": "r2",
    "continuous_across_sessions": "r2",
    "continuous_across": "r2",
}


@dataclass(frozen=True)
class Column:
    """One column: where its cells are from."""

    table: str
    task: str
    probe: str
    heading: str
    label_budget: str = "all"
    of: str = ""  # what pretraining saw of the animal, in the table of unseen animals

    @property
    def metric(self) -> str:
        """The score that is shown. For identity by neighbours, their share in the animal, not what most of them say."""
        if (self.task, self.probe) == ("identity", "knn"):
            return "true_class_score"
        return METRICS[self.task] + self.of


@dataclass(frozen=True)
class Shown:
    """One table of the documentation: scores, or differences to so many references of the workflow's table.

    Without ``rows``, all of them are shown.
    """

    columns: tuple[Column, ...]
    differences: int = 0
    rows: tuple[str, ...] = ()


ACTIONS, IDENTITY = "action_recognition", "identity_recognition"
PROBES = {
    "softmax": "softmax",
    "softmax_neighbors": "softmax, vote of neighbours",
    "softmax_trial": "softmax, vote of the trial",
    "angle": "(cos, sin)",
}
DECODING = tuple(Column("decoding", "decoding", probe, heading) for probe, heading in PROBES.items())
FEW = tuple(
    Column("label_efficiency", "decoding", probe, f"{heading}, {budget}", budget)
    for probe, heading in PROBES.items()
    if probe in ("softmax", "angle")
    for budget in ("1", "4")
)
PICTURES_READ = (
    Column("image_recognition", "decoding", "linear", "Linear"),
    Column("image_recognition", "decoding", "knn", "10-NN"),
)
IDENTITIES = (
    Column(IDENTITY, "identity", "softmax", "Identity, linear"),
    Column(IDENTITY, "identity", "knn", "Identity, 10-NN"),
    Column(IDENTITY, "identity", "mlp_identity", "Identity, MLP"),
)
BRIEF = (
    "random_guess",
    "raw",
    "simclr",
    "behavenet",
    "simclr_mmd",
    "swap_calcium",
    "matched_alignment",
    "behavior",
)
WITHIN_AND_ACROSS = (
    Column(ACTIONS, "within", "softmax", "Within an animal"),
    Column(ACTIONS, "across", "softmax", "Animal left out"),
)


def actions(probe: str) -> tuple[Column, ...]:
    """Actions within and across animals, with half and all labels."""
    return tuple(
        Column(ACTIONS, task, probe, f"{where}, {budget}", budget)
        for task, where in (("within", "Within"), ("across", "Left out"))
        for budget in ("half", "all")
    )


def unseen(probe: str) -> tuple[Column, ...]:
    """An animal whose labels no probe used: seen in pretraining, not seen, and adapted to."""
    ways = {
        "_new_trials": "Seen",
        "_new_animal": "Not seen",
        "_adapted": "Adapted",
        "_new_animal_minus_new_trials": "Not seen minus seen",
        "_adapted_minus_new_trials": "Adapted minus seen",
    }
    return tuple(Column("unseen_animal", "across", probe, heading, of=of) for of, heading in ways.items())


SHOWN = {
    "unseen": Shown(unseen("softmax")),
    "unseen_mlp": Shown(unseen("mlp")),
    "brief": Shown((*WITHIN_AND_ACROSS, Column(IDENTITY, "identity", "softmax", "Identity")), rows=BRIEF),
    "first_run": Shown(WITHIN_AND_ACROSS, rows=("random_guess", "raw", "swap_calcium")),
    "short": Shown((*WITHIN_AND_ACROSS, *IDENTITIES)),
    "actions": Shown(actions("softmax")),
    "actions_mlp": Shown(actions("mlp")),
    "differences": Shown(
        (Column(ACTIONS, "across", "softmax", "Linear"), Column(ACTIONS, "across", "mlp", "MLP")),
        differences=3,
    ),
    "identity": Shown(IDENTITIES),
    "control": Shown(
        (
            Column(ACTIONS, "within", "softmax", "Linear probe"),
            Column(ACTIONS, "within", "mlp", "MLP probe"),
        )
    ),
    "pictures": Shown(PICTURES_READ),
    "pictures_differences": Shown(PICTURES_READ, differences=3),
    "continuous": Shown(
        (
            Column("continuous", "continuous_within", "ridge", "R2, within"),
            Column("continuous", "continuous_across", "ridge", "R2, left out"),
        )
    ),
    "sessions": Shown(
        (
            Column(ACTIONS, "within", "softmax", "Within a session, linear"),
            Column(ACTIONS, "across_sessions", "softmax", "Session left out, linear"),
            Column(ACTIONS, "across_sessions", "mlp", "Session left out, MLP"),
            Column(IDENTITY, "identity", "softmax", "Session named, linear"),
        )
    ),
    "cells": Shown(
        (
            *WITHIN_AND_ACROSS,
            Column(ACTIONS, "across", "mlp", "Animal left out, MLP"),
            Column(IDENTITY, "identity", "softmax", "Identity"),
        )
    ),
    "velocity": Shown(
        (
            Column("continuous", "continuous_within", "ridge", "R2, within a session"),
            Column("continuous", "continuous_across_sessions", "ridge", "R2, session left out"),
        )
    ),
    "ablation": Shown(
        tuple(
            Column("ablation", task, "softmax", heading)
            for task, heading in (("within", "Within"), ("across", "Left out"), ("identity", "Identity"))
        )
    ),
    "ablation_differences": Shown((Column("ablation", "across", "softmax", "Left out"),), differences=1),
    "decoding": Shown(DECODING),
    "decoding_differences": Shown(DECODING, differences=1),
    "few_labels": Shown(FEW),
    "few_labels_differences": Shown(FEW, differences=1),
}


def main() -> None:
    """Write the tables of a dataset wherever the pages have a mark for them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--tables", nargs="+", help="these marks alone", default=())
    options = parser.parse_args()
    folder = options.results / options.dataset
    for name in PAGES:
        page = ROOT / name
        text = page.read_text()
        for mark in re.findall(rf"<!-- {options.dataset}:(\w+) -->", text):
            if not options.tables or mark in options.tables:
                text = between(text, f"{options.dataset}:{mark}", made(folder, mark))
                print(f"{name}: {mark}")
        page.write_text(text)
    picture = folder / "figures/label_efficiency.png"
    if picture.exists() and not options.tables:
        name = f"{folder.name}_label_efficiency.png"
        shutil.copy(picture, IMAGES / name)
        record({name: [f"{PICTURES}/efficiency.py", f"{PICTURES}/style.py"]})


def made(folder: Path, mark: str) -> str:
    """The Markdown of a mark."""
    if mark == "costs":
        return costs(folder)
    return table(folder, SHOWN[mark])


def table(folder: Path, shown: Shown) -> str:
    """Rows by columns: mean and interval; of differences a star where the corrected p is below 0.05."""
    names = dict.fromkeys(column.table for column in shown.columns)
    existing = [name for name in names if (folder / "tables" / f"{name}.csv").exists()]
    scores = pd.concat(
        [pd.read_csv(folder / "tables" / f"{name}.csv").assign(table=name) for name in existing]
    )
    scores = scores[(scores["layer"] != "projection") & scores["unit"].isna()]
    picked: list[tuple[str, pd.DataFrame]] = []
    for column in shown.columns:
        own = scores[
            (scores["table"] == column.table)
            & (scores["task"] == column.task)
            & (scores["probe"] == column.probe)
            & (scores["label_budget"] == column.label_budget)
            & (scores["metric"] == column.metric)
            & ((scores["animal"] == "all") | (not column.of))
        ]
        references = own["reference"].dropna().unique()[: shown.differences] if shown.differences else [None]
        for reference in references:
            rows = own[own["reference"] == reference] if reference else own[own["reference"].isna()]
            labels = scores[scores["method"] == reference]["label"]
            minus = f" minus {labels.iloc[0]}" if reference else ""
            rows = rows.set_index("method")
            if not rows.index.is_unique:
                raise ValueError(
                    f"{folder.name}, {column}: several values of a row, such as of several animals"
                )
            if not rows.empty:
                picked.append((column.heading + minus, rows))
    labels = scores.drop_duplicates("method").set_index("method")["label"]
    lines = head(["Method"], [heading for heading, _ in picked])
    for method, label in labels.items():
        if shown.rows and method not in shown.rows:
            continue
        cells = [
            _cell(rows.loc[method], sign=shown.differences > 0) if method in rows.index else EMPTY
            for _, rows in picked
        ]
        if set(cells) != {EMPTY}:
            lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(row: pd.Series, *, sign: bool) -> str:
    star = r" \*" if sign and row["p"] < 0.05 else ""
    sign = sign or "_minus_" in row["metric"]
    return interval(row["mean"], row["low"], row["high"], sign=sign, metric=row["metric"]) + star


def costs(folder: Path) -> str:
    """Time and memory of the jobs of every row of methods.yaml, from the files that Snakemake's ``benchmark`` wrote.

    Not their processor time: Snakemake looks at a job every half minute, and misses what comes after its last look.
    """
    lines = head(["Row"], ["pretraining: jobs", "s", "MB", "evaluation: jobs", "s", "MB"])
    for method in read_yaml(ROOT / "config/methods.yaml")["methods"]:
        cells = []
        for stage in ("pretrain", "evaluate"):
            files = sorted(folder.glob(f"benchmarks/{stage}/{method}/*/*.tsv"))
            if not files:
                cells += [EMPTY] * 3
                continue
            jobs = pd.concat([pd.read_csv(path, sep="\t") for path in files])
            cells += [str(len(jobs)), f"{jobs['s'].median():.0f}", f"{jobs['max_rss'].max():.0f}"]
        if set(cells) != {EMPTY}:
            lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def head(texts: Sequence[str], numbers: Sequence[str]) -> list[str]:
    """The first two lines of a Markdown table: headings of columns of text, then of numbers."""
    return [
        "| " + " | ".join([*texts, *numbers]) + " |",
        "|" + " --- |" * len(texts) + " ---: |" * len(numbers),
    ]


def between(text: str, mark: str, inside: str) -> str:
    """``text`` with what stands between the two marks replaced. ValueError if they are not there."""
    start, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->"
    before, rest = text.split(start)
    _, after = rest.split(end)
    return f"{before}{start}{inside.strip()}\n{end}{after}"


if __name__ == "__main__":
    main()
