"""Do the rows keep their order on simulated flies that nothing was chosen on? Every row on fresh simulator seeds.

``python benchmarks/fresh_seeds.py`` simulates and runs each seed with the default configuration, one split of it. It
writes every score, and the paired differences of the proposed rows, into ``docs/results/fresh_seeds.md``. With
``--preset`` it is another preset of the simulator, and another page; ``units`` takes ``config/units.yaml``. Seeds that
are finished are not run again: results stand in ``results/simulated_seed_<seed>`` (of another preset,
``results/<preset>_seed_<seed>``).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import yaml

from neural_action.config.load import complete, merged, validate
from neural_action.config.settings import MethodSettings, Settings
from neural_action.evaluation.statistics import Estimate, holm, over_animals
from neural_action.recordings.simulate.presets import PRESETS
from neural_action.tables.document import EMPTY, interval, percent, probability

ROOT = Path(__file__).resolve().parent.parent
FOLD = 0
#: What is reported of every row: task, metric and heading. All by one probe with all labels.
PROBE, LABEL_BUDGET = "softmax", "all"
REPORTED = {
    "within": ("balanced_accuracy", "Within an animal, balanced accuracy, %"),
    "across": ("balanced_accuracy", "Animal left out, balanced accuracy, %"),
    "identity": ("accuracy", "Identity, accuracy, % (lower says less about the animal)"),
}
COMPARED = ("within", "across")
REFERENCES = ("random_guess", "raw", "ridge", "canonical", "behavior", "labels_alone")


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
            run(options.preset, seed, options.cores, list(rows(options.preset)))
    scores = pd.concat([read(options.preset, seed) for seed in options.seeds])
    name = "fresh_seeds" if options.preset == "default" else f"fresh_seeds_{options.preset}"
    output = options.output or ROOT / f"docs/results/{name}.md"
    output.write_text(page(scores, rows(options.preset), options.preset, options.seeds))
    print(f"wrote {output}")


def rows(preset: str) -> dict[str, MethodSettings]:
    """Every row that reads neural activity, chance, and what behaviour alone tells."""
    every = settings(preset).methods
    return {name: row for name, row in every.items() if row.role != "reference" or name in REFERENCES}


def files(preset: str) -> list[Path]:
    """Configuration files of a preset: the default's encoders read images, which the preset of units has not."""
    return [
        ROOT / "config" / name for name in ("config.yaml", *(["units.yaml"] if PRESETS[preset].units else []))
    ]


def settings(preset: str) -> Settings:
    """The configuration of a preset."""
    return validate(complete(merged(files(preset)), lambda name: ROOT / "config" / name))


def dataset(preset: str, seed: int) -> str:
    """The dataset of a simulator seed."""
    return f"{'simulated' if preset == 'default' else preset}_seed_{seed}"


def run(preset: str, seed: int, cores: int, shown: list[str]) -> None:
    """Simulate one seed, and run the rows ``shown`` to its scores by ``PROBE`` alone."""
    changes = {
        "dataset": dataset(preset, seed),
        "simulation": {"preset": preset, "seed": seed},
        "split": {"test_folds": [FOLD]},
        "evaluation": {"tasks": list(REPORTED), "label_budgets": [LABEL_BUDGET]},
        "rows": shown,
        "probes": {name: {"tasks": []} for name in settings(preset).probes if name != PROBE},
    }
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(changes, file)
        file.flush()
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--nolock", "--quiet", "all"]
        command += ["--configfile", *map(str, files(preset)), file.name, "--"]
        subprocess.run([*command, f"results/{dataset(preset, seed)}/scores.csv"], cwd=ROOT, check=True)


def read(preset: str, seed: int) -> pd.DataFrame:
    """The scores of a seed that are reported: task, method, value, and the simulator's seed."""
    path = ROOT / "results" / dataset(preset, seed) / "scores.csv"
    table = pd.read_csv(path, dtype={"animal": str, "label_budget": str})
    chosen = (table["probe"] == PROBE) & (table["label_budget"] == LABEL_BUDGET)
    chosen &= (table["layer"] != "projection") & table["unit"].isna()
    chosen &= table["metric"] == table["task"].map({task: metric for task, (metric, _) in REPORTED.items()})
    return table[chosen].assign(simulation=seed)


def page(scores: pd.DataFrame, methods: dict[str, MethodSettings], preset: str, seeds: list[int]) -> str:
    """Markdown: every score, and paired differences of the proposed rows to every other row."""
    by_seed = scores.pivot_table(index=["task", "method"], columns="simulation", values="value")
    configured = (
        "default configuration" if len(files(preset)) == 1 else f"with config/{files(preset)[-1].name}"
    )
    lines = [
        "# Fresh seeds" if preset == "default" else f"# Fresh seeds of the preset {preset}",
        "",
        f"Every row on {len(seeds)} simulated datasets whose seeds ({seeds[0]} to {seeds[-1]}) were not used while "
        f"anything was developed or chosen: preset {preset}, {configured}, protocol new_trials, "
        f"split fold-{FOLD}, one training seed; probe {PROBE}, label budget {LABEL_BUDGET}. "
        f"Made by `python benchmarks/fresh_seeds.py --preset {preset} --seeds {' '.join(map(str, seeds))}`. "
        "**Simulated, not recorded**.",
        "",
    ]
    for task, (_, title) in REPORTED.items():
        table = by_seed.loc[task]
        lines += [
            f"## {title} (task {task}, probe {PROBE}, label budget {LABEL_BUDGET})",
            "",
            "| Method | " + " | ".join(map(str, seeds)) + " | mean |",
        ]
        lines.append("| --- |" + " ---: |" * (len(seeds) + 1))
        for name, row in methods.items():
            if name in table.index:
                values = [
                    percent(value) for value in (*table.loc[name, seeds], table.loc[name, seeds].mean())
                ]
                lines.append(f"| {row.label} | " + " | ".join(values) + " |")
        lines.append("")
    for task in COMPARED:
        lines += _differences(by_seed.loc[task], task, methods, seeds)
    return "\n".join(lines) + "\n"


def _differences(
    table: pd.DataFrame, task: str, methods: dict[str, MethodSettings], seeds: list[int]
) -> list[str]:
    """Markdown: the proposed rows minus every other row that the task reads, paired by dataset."""
    proposals = [name for name, row in methods.items() if row.role == "proposed"]
    found = {
        (proposed, name): table.loc[proposed, seeds] - table.loc[name, seeds]
        for proposed in proposals
        for name in methods
        if name in table.index and name != proposed
    }
    estimates = {pair: _over_data_sets(difference) for pair, difference in found.items()}
    adjusted = dict(zip(estimates, holm([estimate.p for estimate in estimates.values()]), strict=True))
    heads = [f"{methods[proposed].label} minus it | p | datasets" for proposed in proposals]
    lines = [
        f"## Paired differences, points (task {task}, probe {PROBE}, label budget {LABEL_BUDGET})",
        "",
        "Mean over simulated datasets [95 % t interval over them], p adjusted by Holm over this table, and in how "
        "many datasets it is above 0.",
        "",
        f"| Method | {' | '.join(heads)} |",
        "| --- |" + " ---: |" * (3 * len(proposals)),
    ]
    for name, row in methods.items():
        if name in table.index:
            cells = []
            for pair in ((proposed, name) for proposed in proposals):
                if pair not in found:
                    cells += [EMPTY] * 3
                    continue
                value, wins = estimates[pair], int((found[pair] > 0).sum())
                cells += [interval(value.mean, value.low, value.high, sign=True), probability(adjusted[pair])]
                cells.append(f"{wins} of {len(seeds)}")
            lines.append(f"| {row.label} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _over_data_sets(difference: pd.Series) -> Estimate:
    """Mean and t interval over datasets, which share nothing, as animals do in the tables."""
    made = {"animal": difference.index.astype(str), "split": "", "seed": 0, "value": difference.to_numpy()}
    return over_animals(pd.DataFrame(made))


if __name__ == "__main__":
    main()
