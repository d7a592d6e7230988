"""The figures of the documentation, from finished runs: nothing in it is typed by hand.

``python benchmarks/results_page.py`` writes docs/results.md (every table of results/simulated and results/fly_walking)
and the short tables between the ``results:<dataset>`` marks of README.md.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pandas as pd

from neural_action.tables.document import EMPTY, interval

ROOT = Path(__file__).resolve().parent.parent
DATASETS = ("simulated", "fly_walking")
TABLES = ("action_recognition", "identity_recognition", "ablation", "unseen_animal")
OPENING = """# Results

Every table of two runs, as the workflow wrote them; [README](../README.md#what-comes-out) says what they mean, and
[fresh_seeds.md](fresh_seeds.md) holds the simulated flies that nothing was chosen on. Made by

```sh
snakemake --cores 2 --configfile config/config.yaml config/ablation.yaml
snakemake --cores 2 --configfile config/config.yaml config/unseen_animal.yaml
snakemake --cores 2 --configfile config/fly_walking.yaml --config raw=<folder that holds PEN1-EB>
make paper
python benchmarks/results_page.py
```
"""
SHORT = (
    ("action_recognition", "single_animal", "linear", "Within an animal"),
    ("action_recognition", "multi_animal", "linear", "Animal left out"),
    ("identity_recognition", "identity", "linear", "Identity, linear"),
    ("identity_recognition", "identity", "knn", "Identity, 10-NN"),
    ("identity_recognition", "identity", "mlp", "Identity, MLP"),
)


def main() -> None:
    """Write both pages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    options = parser.parse_args()
    folders = [options.results / name for name in DATASETS if (options.results / name / "tables").is_dir()]
    (ROOT / "docs/results.md").write_text(OPENING + "".join(chapter(folder) for folder in folders))
    readme = ROOT / "README.md"
    text = readme.read_text()
    for folder in folders:
        text = between(text, f"results:{folder.name}", short(folder))
    readme.write_text(text)


def chapter(folder: Path) -> str:
    """All tables of a run, their headings two levels down."""
    texts = [(folder / "tables" / f"{name}.md") for name in TABLES]
    joined = "\n".join(path.read_text() for path in texts if path.is_file())
    return f"\n## results/{folder.name}\n\n" + re.sub(r"^#", "###", joined, flags=re.MULTILINE)


def short(folder: Path) -> str:
    """The papers' rows at all labels: mean and interval of what matters most."""
    tables = {name: pd.read_csv(folder / "tables" / f"{name}.csv") for name in TABLES[:2]}
    every = pd.concat(tables.values())
    lines = ["| Method | " + " | ".join(heading for *_, heading in SHORT) + " |"]
    lines.append("| --- |" + " ---: |" * len(SHORT))
    for method, rows in every.groupby("method", sort=False):
        cells = [_cell(tables[name], method, task, probe) for name, task, probe, _ in SHORT]
        lines.append(f"| {rows['label'].iloc[0]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(table: pd.DataFrame, method: str, task: str, probe: str) -> str:
    own = table[(table["method"] == method) & (table["task"] == task)]
    own = own[(own["representation"] != "projection") & (own["fraction"] == own["fraction"].max())]
    own = own[~own["metric"].str.contains("_minus_")]
    # The supervised row has one probe, an MLP: it stands where the others have the linear one.
    own = own[(own["probe"] == probe) | ((own["probe"] == "mlp") & (task != "identity"))]
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
