"""Do the rows keep their order on simulated flies that nothing was chosen on? Every row on fresh simulator seeds.

``python benchmarks/fresh_seeds.py`` simulates and runs each seed with the default configuration, one split of it. It
writes the scores, and the paired differences of the proposed rows, between the marks of ``docs/results/fresh_seeds.md``
(``<!-- fresh_seeds:scores -->``). With ``--preset`` it is another preset of the simulator, and another page; ``units``
takes ``config/units.yaml``. Seeds that are finished are not run again: results stand in
``results/simulated_seed_<seed>`` (of another preset, ``results/<preset>_seed_<seed>``).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from results_page import between, head

from neural_action.config.load import complete, merged, validate
from neural_action.config.settings import MethodSettings, Settings
from neural_action.evaluation.statistics import Estimate, holm, over_animals
from neural_action.recordings.simulate.presets import PRESETS
from neural_action.tables.document import EMPTY, interval

ROOT = Path(__file__).resolve().parent.parent
FOLD = 0
#: What is reported of every row: task, metric and heading. All by one probe with all labels.
PROBE, LABEL_BUDGET = "softmax", "all"
REPORTED = {
    "within": ("balanced_accuracy", "Within an animal"),
    "across": ("balanced_accuracy", "Animal left out"),
    "identity": ("accuracy", "Identity"),
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
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--only-table", action="store_true", help="take the scores that are there")
    options = parser.parse_args()
    if not options.only_table:
        for seed in options.seeds:
            run(options.preset, seed, options.cores, list(rows(options.preset)))
    scores = pd.concat([read(options.preset, seed, options.results) for seed in options.seeds])
    name = "fresh_seeds" if options.preset == "default" else f"fresh_seeds_{options.preset}"
    output = ROOT / f"docs/results/{name}.md"
    text = output.read_text()
    for mark, made in page(scores, rows(options.preset), options.preset, options.seeds).items():
        text = between(text, f"{name}:{mark}", made)
    output.write_text(text)
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


def run(preset: str, seed: int, cores: int, shown: list[str], more: Sequence[Path] = ()) -> None:
    """Simulate one seed, and run the rows ``shown`` to its scores by ``PROBE`` alone.

    ``more``: further configuration files.
    """
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
        command += ["--configfile", *map(str, (*files(preset), *more)), file.name, "--"]
        wanted = [f"results/{dataset(preset, seed)}/{name}" for name in ("scores.csv", "config.yaml")]
        subprocess.run([*command, *wanted], cwd=ROOT, check=True)


def read(preset: str, seed: int, results: Path = ROOT / "results") -> pd.DataFrame:
    """The scores of a seed that are reported: task, method, value, and the simulator's seed."""
    table = pd.read_csv(
        results / dataset(preset, seed) / "scores.csv", dtype={"animal": str, "label_budget": str}
    )
    chosen = (table["probe"] == PROBE) & (table["label_budget"] == LABEL_BUDGET)
    chosen &= (table["layer"] != "projection") & table["unit"].isna()
    chosen &= table["metric"] == table["task"].map({task: metric for task, (metric, _) in REPORTED.items()})
    return table[chosen].assign(simulation=seed)


def page(
    scores: pd.DataFrame, methods: dict[str, MethodSettings], preset: str, seeds: list[int]
) -> dict[str, str]:
    """Markdown of each mark: how it was made, the scores, and paired differences of the proposed rows by task."""
    by_seed = scores.pivot_table(index=["task", "method"], columns="simulation", values="value")[seeds]
    given = ", ".join(f"`config/{path.name}`" for path in files(preset))
    found = {
        "made": f"Simulator preset `{preset}`, seeds {seeds[0]} to {seeds[-1]}; {given}, protocol `new_trials`, split "
        f"`fold-{FOLD}`, one training seed; probe `{PROBE}`, label budget `{LABEL_BUDGET}`: `python "
        f"benchmarks/fresh_seeds.py --preset {preset} --seeds {' '.join(map(str, seeds))}`.",
        "scores": _scores(by_seed, methods),
    }
    return found | {task: _differences(by_seed.loc[task], methods) for task in COMPARED}


def _scores(by_seed: pd.DataFrame, methods: dict[str, MethodSettings]) -> str:
    """Markdown: mean and interval over datasets, of every row by task."""
    lines = head(["Method"], [heading for _, heading in REPORTED.values()])
    for name, row in methods.items():
        cells = []
        for task in REPORTED:
            if (task, name) not in by_seed.index:
                cells.append(EMPTY)
                continue
            value = _over_datasets(by_seed.loc[task, name])
            cells.append(interval(value.mean, max(value.low, 0.0), min(value.high, 1.0)))
        lines.append(f"| {row.label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _differences(table: pd.DataFrame, methods: dict[str, MethodSettings]) -> str:
    """Markdown: the proposed rows minus every other row that the task reads, paired by dataset."""
    proposals = [name for name, row in methods.items() if row.role == "proposed"]
    found = {
        (proposed, name): table.loc[proposed] - table.loc[name]
        for proposed in proposals
        for name in methods
        if name in table.index and name != proposed
    }
    wins = {pair: int(np.count_nonzero(np.asarray(difference) > 0)) for pair, difference in found.items()}
    estimates = {pair: _over_datasets(difference) for pair, difference in found.items()}
    adjusted = dict(zip(estimates, holm([estimate.p for estimate in estimates.values()]), strict=True))
    lines = head(["Method"], [f"{methods[proposed].label} minus it" for proposed in proposals])
    for name, row in methods.items():
        if name in table.index:
            cells = []
            for pair in ((proposed, name) for proposed in proposals):
                if pair not in found:
                    cells.append(EMPTY)
                    continue
                value = estimates[pair]
                star = r" \*" if adjusted[pair] < 0.05 else ""
                shown = interval(value.mean, value.low, value.high, sign=True)
                cells.append(f"{shown}{star} {wins[pair]} of {len(table.columns)}")
            lines.append(f"| {row.label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _over_datasets(values: pd.Series) -> Estimate:
    """Mean and t interval over datasets, which share nothing, as animals do in the tables."""
    made = {"animal": values.index.astype(str), "split": "", "seed": 0, "value": values.to_numpy()}
    return over_animals(pd.DataFrame(made))


if __name__ == "__main__":
    main()
