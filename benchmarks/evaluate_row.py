"""CPU seconds of evaluating a trained row, beside the version before the evaluation was redesigned (7f922bb).

``python benchmarks/evaluate_row.py`` takes a run of the default dataset in this checkout, of which one trained row is
enough: ``snakemake --cores 2 -- results/simulated/models/simclr/fold-0/seed-0/scores.csv``. It makes a worktree
of the old version in a temporary folder, converts the same raw files there with the old commands, and runs the evaluate
stage of both on the same weights, in turn. Printed are user and system seconds of the whole process, imports included,
and their ratio, twice: with every task and probe of the configuration, and with those alone that the old version had.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neural_action.config.load import read_yaml

ROOT = Path(__file__).resolve().parent.parent
OLD = "7f922bb"
#: The kinds of probes that the old version read each task with.
OLD_PROBES = {
    "within": {"softmax"},
    "across": {"softmax"},
    "identity": {"softmax", "knn", "mlp"},
}
#: What a stage is given of the configuration, said by each version for itself.
SECTIONS = """
import sys
from pathlib import Path
from snakemake.utils import update_config
from neural_action.config.load import read_yaml, rows_file
from neural_action.config.plan import Plan
path, raw, row, *run = sys.argv[1:]
changes = read_yaml(Path(path))
config = read_yaml(Path(rows_file(changes)))
update_config(config, changes)
print(Plan({**config, "raw": raw}).evaluate_sections(row, *run))
"""


@dataclass(frozen=True)
class Side:
    """The evaluate stage of one version: its checkout, its configuration (JSON) and its other arguments."""

    name: str
    checkout: Path
    config: str
    arguments: list[str]

    def seconds(self, threads: int) -> float:
        """CPU seconds of one evaluation."""
        with tempfile.TemporaryDirectory() as folder:
            outputs = [f"--scores={folder}/scores.csv", f"--embedding={folder}/embedding.npz"]
            command = ["-m", "neural_action", "evaluate", "--config", self.config, "--threads", str(threads)]
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            python(self.checkout, *command, *outputs, *self.arguments)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Prepare both sides, run the pairs, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--configfile", default="config/config.yaml", help="in both versions, below a checkout"
    )
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--row", default="simclr")
    parser.add_argument("--run", default="fold-0", help="of protocol new_trials: fold-<number>")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--cores", type=int, default=1, help="for converting; evaluation has one thread")
    options = parser.parse_args()
    folder = options.results.resolve() / read_yaml(ROOT / options.configfile)["dataset"]
    weights = folder / f"models/{options.row}/{options.run}/seed-{options.seed}/model.safetensors"
    for path in (weights, folder / "splits.csv", folder / "dataset/dataset.json", folder / "raw"):
        if not path.exists():
            target = (
                f"results/{folder.name}/models/{options.row}/{options.run}/seed-{options.seed}/scores.csv"
            )
            made_by = f"snakemake --cores 1 --configfile {options.configfile} -- {target}"
            parser.error(f"{path} is missing; {made_by} makes it, if {options.row} is a row that is trained")
    with tempfile.TemporaryDirectory() as temporary:
        checkout = Path(temporary) / "old"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--detach", "--quiet", str(checkout), OLD], check=True)
        try:
            old = old_side(options, checkout, folder, weights)
            every = new_side(options, folder, weights)
            print(f"row {options.row}, {options.run}, {options.pairs} pairs; CPU seconds of one evaluation")
            compare(old, every, options.pairs)
            compare(old, as_before(every), options.pairs)
        finally:
            subprocess.run([*git, "remove", "--force", str(checkout)], check=True)


def old_side(options: argparse.Namespace, checkout: Path, folder: Path, weights: Path) -> Side:
    """The old version on recordings that it converted itself. ValueError if they are not those of the new version."""
    results = checkout / "results" / folder.name
    manifests = sorted(path.relative_to(folder) for path in folder.glob("recordings/*/*.manifest.json"))
    targets = [results / path for path in manifests]
    command = ["-m", "snakemake", "--cores", str(options.cores), "--nolock", "--quiet", "all"]
    command += ["--configfile", options.configfile, "--config", f"raw={folder / 'raw'}", "--"]
    python(
        checkout, *command, *(str(path.relative_to(checkout)) for path in (results / "folds.csv", *targets))
    )
    for name in manifests:
        one, other = (json.loads((where / name).read_text())["arrays"] for where in (folder, results))
        if one != other:
            raise ValueError(f"{name}: the versions convert its raw files to different arrays")
    given = [f"--folds={results / 'folds.csv'}", f"--holdout={options.run}"]
    config = sections(checkout, options, folder, options.run)
    shared = ["--method", options.row, "--seed", str(options.seed), "--weights", str(weights)]
    return Side(f"version {OLD}", checkout, config, [*given, *shared, *map(str, targets)])


def new_side(options: argparse.Namespace, folder: Path, weights: Path) -> Side:
    """This version, with every task and probe of the configuration."""
    given = [f"--dataset={folder / 'dataset'}", f"--splits={folder / 'splits.csv'}", f"--split={options.run}"]
    shared = ["--method", options.row, "--seed", str(options.seed), "--weights", str(weights)]
    return Side("this version", ROOT, sections(ROOT, options, folder), [*given, *shared])


def as_before(side: Side) -> Side:
    """This version with the tasks and probes of the old one."""
    config = json.loads(side.config)
    tasks = [task for task in config["evaluation"]["tasks"] if task in OLD_PROBES]
    config["evaluation"]["tasks"] = tasks
    kept = {}
    for name, probe in config["probes"].items():
        if own := [task for task in probe["tasks"] if task in tasks and probe["kind"] in OLD_PROBES[task]]:
            kept[name] = {**probe, "tasks": own}
    return Side(side.name, side.checkout, json.dumps({**config, "probes": kept}), side.arguments)


def compare(old: Side, new: Side, pairs: int) -> None:
    """Run both in turn; print what the new one reads, each pair and the median ratio."""
    config = json.loads(new.config)
    probes = (f"{name} ({', '.join(probe['tasks'])})" for name, probe in config["probes"].items())
    budgets = ", ".join(map(str, config["evaluation"]["label_budgets"]))
    print(f"\n{new.name}: probes {', '.join(probes)}; label budgets {budgets}")
    ratios = []
    for _ in range(pairs):
        before, after = old.seconds(1), new.seconds(1)
        ratios.append(after / before)
        print(f"{old.name} {before:6.2f} s  {new.name} {after:6.2f} s  ratio {ratios[-1]:.2f}", flush=True)
    print(f"median ratio {np.median(ratios):.2f}")


def sections(checkout: Path, options: argparse.Namespace, folder: Path, *run: str) -> str:
    """The configuration that the workflow of a version gives its evaluate stage, as JSON."""
    arguments = (options.configfile, str(folder / "raw"), options.row, *run)
    return python(checkout, "-c", SECTIONS, *arguments).stdout


def python(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python in a checkout, with its package. RuntimeError with what it says if it fails."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src")}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments[:3])} in {checkout}: {done.stdout}{done.stderr}")
    return done


if __name__ == "__main__":
    main()
