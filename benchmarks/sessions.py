"""Is one network of two sessions better than one of each? A session cut in two, whose halves share nothing.

``python benchmarks/sessions.py --raw <folder of monkey_reach>`` makes two sessions of one: the first has the even units
in the first half of the trials, the second the odd units in the other half. So what they have in common is the animal
and its task, as two days have. BYOL and MYOW are trained on each alone and on both together, with the same number of
steps. Writes the table between its marks in docs/results/spikes.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from results_page import ROOT, between, head

from neural_action.files import load_npz
from neural_action.tables.document import interval

SESSION = "chewie-10032013"
ARRAYS = ("x", "vel", "y", "timestep", "trial_id")
ROWS = ["chance", "rates_centred", "byol", "byol_together", "myow", "myow_together"]
DATASET = "two_halves"
#: Directions are read by (cos, sin), as in the paper.
TASK, PROBE, LABEL_BUDGET = "decoding", "angle", "all"


def main() -> None:
    """Make the sessions, run the rows, write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        halves(options.raw, Path(folder))
        run(Path(folder), options.splits, options.cores)
    page = ROOT / "docs/results/spikes.md"
    page.write_text(between(page.read_text(), "sessions", table(ROOT / "results" / DATASET, options.splits)))
    print(f"wrote {page}")


def halves(raw: Path, folder: Path) -> None:
    """Write two sessions in the release's layout."""
    name = f"full-{SESSION}-bin0.10-vel_thresh5.00.npz"
    whole = load_npz(raw / name, *ARRAYS)
    trials = np.unique(whole["trial_id"])
    for half, own in enumerate(np.array_split(trials, 2)):
        rows = np.isin(whole["trial_id"], own)
        arrays = {key: values[rows] for key, values in whole.items()}
        arrays["x"] = arrays["x"][:, half::2]
        np.savez(folder / name.replace(SESSION, f"half-{half + 1}"), **arrays)


def run(raw: Path, splits: int, cores: int) -> None:
    """The workflow on both."""
    changes = {
        "dataset": DATASET,
        "title": "Two halves of a session",
        "rows": ROWS,
        "split": {"repeats": splits, "repeats_per_job": splits},
        "tables": {"references": ["byol", "myow"], "curves": ["rates_centred", "byol", "byol_together"]},
    }
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(changes, file)
        file.flush()
        files = [str(ROOT / "config" / name) for name in ("monkey_reach.yaml", "together.yaml")]
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--nolock", "--quiet", "all"]
        command += ["--configfile", *files, file.name, "--config", f"raw={raw}"]
        subprocess.run(command, cwd=ROOT, check=True)


def table(results: Path, splits: int) -> str:
    """Accuracy by session, and the difference to the row that is trained on each session alone."""
    cells = pd.read_csv(results / "tables/decoding.csv", keep_default_na=False)
    wanted = {"task": TASK, "probe": PROBE, "label_budget": LABEL_BUDGET, "metric": "accuracy"}
    cells = cells[(cells[list(wanted)] == list(wanted.values())).all(axis=1)]
    cells = cells.set_index(["method", "animal", "reference"])
    sessions = sorted({animal for _, animal, _ in cells.index})
    lines = head(["Method"], [one for name in sessions for one in (name, "together minus apart")])
    for method in ROWS:
        row = []
        for animal in sessions:
            apart = method.removesuffix("_together")
            for reference in ("", apart):
                if (method, animal, reference) in cells.index and (not reference or method != apart):
                    own = cells.loc[(method, animal, reference)]
                    ends = (float(own[name]) for name in ("mean", "low", "high"))
                    row.append(interval(*ends, sign=bool(reference)))
                else:
                    row.append("–")
        label = cells.loc[(method, sessions[0], ""), "label"]
        lines.append(f"| {label} | " + " | ".join(row) + " |")
    made = (
        f"`python benchmarks/sessions.py --raw <folder>`: task {TASK}, probe {PROBE}, label budget {LABEL_BUDGET}; "
        f"accuracy, %, {splits} splits, one seed."
    )
    return "\n".join(lines) + f"\n\n{made}"


if __name__ == "__main__":
    main()
