"""Do the rows keep their order on simulated flies that nothing was chosen on? Every row on fresh simulator seeds.

``python benchmarks/fresh_seeds.py`` simulates and runs each seed with the default configuration, one fold of it, and
writes every score and the paired differences of Ours into ``docs/fresh_seeds.md``. With ``--preset`` it is another
preset of the simulator, and another page. Seeds that are finished are not run again: results stand in
``results/simulated_seed_<seed>`` (of another preset, ``results/<preset>_seed_<seed>``).
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
from scipy.special import stdtrit
from snakemake.utils import update_config

from neural_action.config.load import read_yaml, validate
from neural_action.config.settings import MethodSettings
from neural_action.tables.document import percent

ROOT = Path(__file__).resolve().parent.parent
FOLD = 0


def main() -> None:
    """Run the seeds and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(101, 111)))
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--preset", default="default", help="of the simulator")
    parser.add_argument("--output", type=Path, help="page to write")
    parser.add_argument("--only-table", action="store_true", help="take the scores that are there")
    options = parser.parse_args()
    if not options.only_table:
        for seed in options.seeds:
            run(options.preset, seed, options.cores, list(rows()))
    scores = pd.concat([read(options.preset, seed) for seed in options.seeds])
    name = "fresh_seeds" if options.preset == "default" else f"fresh_seeds_{options.preset}"
    output = options.output or ROOT / f"docs/{name}.md"
    output.write_text(page(scores, rows(), options.preset, options.seeds))
    print(f"wrote {output}")


def rows() -> dict[str, MethodSettings]:
    """The rows of the papers' tables that read neural activity, and chance."""
    config = {**read_yaml(ROOT / "config/methods.yaml")}
    update_config(config, read_yaml(ROOT / "config/config.yaml"))
    every = validate(config).methods
    return {
        name: row for name, row in every.items() if row.role != "reference" or row.representation == "none"
    }


def dataset(preset: str, seed: int) -> str:
    """The dataset of a simulator seed."""
    return f"{'simulated' if preset == 'default' else preset}_seed_{seed}"


def run(preset: str, seed: int, cores: int, shown: list[str]) -> None:
    """Simulate one seed, and run the rows ``shown`` to its scores."""
    changes = {
        "dataset": dataset(preset, seed),
        "simulation": {"preset": preset, "seed": seed},
        "split": {"test_folds": [FOLD]},
        "evaluation": {"tasks": ["across", "identity"], "label_budgets": ["all"]},
        "rows": shown,
    }
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(changes, file)
        file.flush()
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--nolock", "--quiet", "all"]
        command += ["--configfile", str(ROOT / "config/config.yaml"), file.name, "--"]
        subprocess.run([*command, f"results/{dataset(preset, seed)}/scores.csv"], cwd=ROOT, check=True)


def read(preset: str, seed: int) -> pd.DataFrame:
    """The scores of a seed by the linear probe: across animals, and identity."""
    table = pd.read_csv(ROOT / "results" / dataset(preset, seed) / "scores.csv", dtype={"animal": str})
    table = table[(table["probe"] == "softmax") & (table["layer"] != "projection")]
    action = (table["task"] == "across") & (table["metric"] == "balanced_accuracy")
    identity = (table["task"] == "identity") & (table["metric"] == "accuracy")
    return table[action | identity].assign(simulation=seed)


def page(scores: pd.DataFrame, methods: dict[str, MethodSettings], preset: str, seeds: list[int]) -> str:
    """Markdown: every score, and paired differences of Ours to every baseline."""
    by_seed = scores.pivot_table(index=["task", "method"], columns="simulation", values="value")
    lines = [
        "# Fresh seeds",
        "",
        f"Every row on {len(seeds)} simulated data sets whose seeds ({seeds[0]} to {seeds[-1]}) were not used while "
        f"anything was developed or chosen: preset {preset}, default configuration, protocol new_trials, "
        f"fold {FOLD}, one training seed. Made by `python benchmarks/fresh_seeds.py --preset {preset}`. "
        "**Simulated, not recorded**.",
        "",
    ]
    for task, title in (
        ("across", "Across animals, balanced accuracy, %"),
        ("identity", "Identity, accuracy of a linear probe, % (lower says less about the animal)"),
    ):
        table = by_seed.loc[task]
        lines += [f"## {title}", "", "| Method | " + " | ".join(map(str, seeds)) + " | mean |"]
        lines.append("| --- |" + " ---: |" * (len(seeds) + 1))
        for name, row in methods.items():
            if name in table.index:
                values = [
                    percent(value) for value in (*table.loc[name, seeds], table.loc[name, seeds].mean())
                ]
                lines.append(f"| {row.label} | " + " | ".join(values) + " |")
        lines.append("")
    lines += [
        "## Paired differences, across animals, points",
        "",
        "Mean over seeds [95 % interval, t over seeds, not corrected for the number of rows], and seeds where it is "
        "above 0.",
        "",
        "| Method | Ours minus it | seeds | Ours+ minus it | seeds |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    table = by_seed.loc["across"]
    for name, row in methods.items():
        cells = []
        for proposed in ("ours", "ours_plus"):
            difference = (table.loc[proposed, seeds] - table.loc[name, seeds]).to_numpy()
            cells += ["–", "–"] if proposed == name else [_interval(difference), _wins(difference)]
        lines.append(f"| {row.label} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _interval(values: np.ndarray) -> str:
    half = stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / np.sqrt(len(values))
    low, high = values.mean() - half, values.mean() + half
    return f"{percent(values.mean(), sign=True)} [{percent(low, sign=True)}, {percent(high, sign=True)}]"


def _wins(values: np.ndarray) -> str:
    return f"{int((values > 0).sum())} of {len(values)}"


if __name__ == "__main__":
    main()
