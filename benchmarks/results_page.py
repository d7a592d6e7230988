"""The figures of the documentation, from finished runs: nothing in it is typed by hand.

``python benchmarks/results_page.py --dataset simulated --tables ablation`` replaces, in docs/results.md, what stands
between the marks of each table that is named, by that table of ``results/simulated``; ``costs`` is what each row cost,
``mined_views`` the short table of a run with config/mined_views.yaml.
Tables of decoding stand in docs/spikes.md, with the picture of label efficiency.
With the papers' two tables the short one in README.md is written too.
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path

import pandas as pd

from neural_action.config.load import read_yaml
from neural_action.tables.document import EMPTY, interval

ROOT = Path(__file__).resolve().parent.parent
PAPERS = ("action_recognition", "identity_recognition")
SPIKES = ("decoding", "label_efficiency")
TABLES = (*PAPERS, "continuous", "consistency", "ablation", "unseen_animal", "costs", "mined_views", *SPIKES)
#: Table, task, probe and heading of the columns of the short table.
LABEL_BUDGET = "all"
SHORT = (
    ("action_recognition", "within", "softmax", "Within animals"),
    ("action_recognition", "across", "softmax", "Across animals"),
    ("identity_recognition", "identity", "softmax", "Identity, linear"),
    ("identity_recognition", "identity", "knn", "Identity, 10-NN"),
    ("identity_recognition", "identity", "mlp_identity", "Identity, MLP"),
)


def main() -> None:
    """Write the tables that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--tables", nargs="+", choices=TABLES, required=True)
    options = parser.parse_args()
    folder = options.results / options.dataset
    for name in options.tables:
        page = ROOT / ("docs/spikes.md" if name in SPIKES else "docs/results.md")
        made = {"costs": costs, "mined_views": short}.get(name)
        text = rendered(folder / "tables" / f"{name}.md") if made is None else made(folder)
        if name == "label_efficiency":
            picture = f"images/{folder.name}_{name}.png"
            shutil.copy(folder / f"figures/{name}.png", ROOT / "docs" / picture)
            text = f"![Accuracy by the number of labelled trials of each class]({picture})\n\n{text}"
        page.write_text(between(page.read_text(), f"{folder.name}:{name}", text))
    if set(PAPERS) <= set(options.tables):
        readme = ROOT / "README.md"
        readme.write_text(between(readme.read_text(), f"results:{folder.name}", short(folder)))


def rendered(path: Path) -> str:
    """A table as the workflow wrote it, its headings two levels down."""
    return re.sub(r"^#", "###", path.read_text().strip(), flags=re.MULTILINE)


def costs(folder: Path) -> str:
    """Time and memory of the jobs of every row of methods.yaml, from the files that Snakemake's ``benchmark`` wrote.

    Not their processor time: Snakemake looks at a job every half minute, and misses what comes after its last look.
    """
    lines = ["| Row | pretraining: jobs | s | MB | evaluation: jobs | s | MB |", "| --- |" + " ---: |" * 6]
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
    return (
        "### What a row costs\n\nMedian seconds of a job of one thread, starting Python included, where two run at a "
        "time, and the most memory of one; from the benchmark files of the run. Evaluation is of every task, probe and "
        "label budget of the configuration.\n\n" + "\n".join(lines)
    )


def short(folder: Path) -> str:
    """The papers' rows at all labels: mean and interval of what matters most."""
    tables = {name: pd.read_csv(folder / "tables" / f"{name}.csv") for name in PAPERS}
    every = pd.concat(tables.values())
    lines = ["| Method | " + " | ".join(heading for *_, heading in SHORT) + " |"]
    lines.append("| --- |" + " ---: |" * len(SHORT))
    for method, rows in every.groupby("method", sort=False):
        cells = [_cell(tables[name], method, task, probe) for name, task, probe, _ in SHORT]
        lines.append(f"| {rows['label'].iloc[0]} | " + " | ".join(cells) + " |")
    read = "; ".join(f"{heading}: task {task}, probe {probe}" for _, task, probe, heading in SHORT)
    return "\n".join(lines) + f"\n\n{read}. Label budget {LABEL_BUDGET}."


def _cell(table: pd.DataFrame, method: str, task: str, probe: str) -> str:
    own = table[(table["method"] == method) & (table["task"] == task)]
    own = own[
        (own["layer"] != "projection") & (own["label_budget"] == LABEL_BUDGET) & own["reference"].isna()
    ]
    own = own[own["probe"] == probe]
    if own.empty:
        return EMPTY
    row = own.iloc[0]
    return interval(row["mean"], row["low"], row["high"])


def between(text: str, mark: str, inside: str) -> str:
    """``text`` with what stands between the two marks replaced. ValueError if they are not there."""
    start, end = f"<!-- {mark} -->\n", f"\n<!-- /{mark} -->"
    before, rest = text.split(start)
    _, after = rest.split(end)
    return f"{before}{start}{inside}{end}{after}"


if __name__ == "__main__":
    main()
