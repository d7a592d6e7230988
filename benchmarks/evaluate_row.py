"""CPU seconds of evaluating a trained row, beside the version before the evaluation was redesigned (7f922bb).

``python benchmarks/evaluate_row.py`` runs the default dataset of the last commit and of the old one as far as the
scores of one trained row, each in a temporary folder, with a few training steps: more do not change the cost of an
evaluation. Then it repeats the evaluate stage of both in turn, with one thread. Printed are user and system seconds of
the whole process, imports included, and their ratio: with every task and probe of the configuration, and with those
alone that the old version had. The old stage embeds the windows, which pretraining does today, so a third comparison
embeds them too.
"""

from __future__ import annotations

import argparse
import csv
import json
import shlex
import sys
from pathlib import Path

import numpy as np
from default_run import CHANGES, OLD, checkouts, cpu_seconds, python, snakemake

#: The kinds of probes that the old version read each task with.
OLD_PROBES = {
    "within": {"softmax"},
    "across": {"softmax"},
    "identity": {"softmax", "knn", "mlp"},
}


def main() -> None:
    """Prepare both versions, run the pairs, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--row", default="simclr", help="a trained row")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--cores", type=int, default=1, help="for preparing; evaluation has one thread")
    parser.add_argument("--changes", **CHANGES)
    options = parser.parse_args()
    with checkouts({"old": OLD, "now": "HEAD"}) as folders:
        old, now = (evaluation(folder, options) for folder in folders.values())
        print(f"row {options.row}, {options.pairs} pairs; CPU seconds of one evaluation")

        def compare(name: str, command: list[str]) -> None:
            ratios = []
            for _ in range(options.pairs):
                before = cpu_seconds(folders["old"], old)
                after = cpu_seconds(folders["now"], command)
                ratios.append(after / before)
                print(f"{OLD} {before:6.2f} s  {name} {after:6.2f} s  ratio {ratios[-1]:.2f}", flush=True)
            print(f"median ratio {np.median(ratios):.2f}")

        compare("this version, all tasks and probes", now)
        compare("this version, tasks and probes of the old one", as_before(now))
        embeds = [part for part in as_before(now) if not part.startswith("--representation=")]
        compare("the same, embedding the windows", embeds)


def evaluation(checkout: Path, options: argparse.Namespace) -> list[str]:
    """The command of the row's evaluation in the first fold, from the workflow of a checkout, once its inputs exist."""
    target = f"results/simulated/models/{options.row}/fold-0/seed-0/scores.csv"
    command = snakemake(checkout, {"training": {"steps": 20}, **options.changes}, options.cores)
    python(checkout, [*command, "--", target])
    # Of every output, among others the command that makes it.
    jobs = csv.DictReader(
        python(checkout, [*command, "--detailed-summary", "--", target]).splitlines(),
        delimiter="\t",
        quoting=csv.QUOTE_NONE,
    )
    shell = next(job["shellcmd"] for job in jobs if job["output_file"] == target)
    return [sys.executable, *shlex.split(shell.partition(" 2> ")[0])[1:]]


def as_before(command: list[str]) -> list[str]:
    """The command with the tasks and probes of the old version."""
    at = command.index("--config") + 1
    config = json.loads(command[at])
    tasks = [task for task in config["evaluation"]["tasks"] if task in OLD_PROBES]
    config["evaluation"]["tasks"] = tasks
    kept = {}
    for name, probe in config["probes"].items():
        if own := [task for task in probe["tasks"] if task in tasks and probe["kind"] in OLD_PROBES[task]]:
            kept[name] = {**probe, "tasks": own}
    config["probes"] = kept
    return [*command[:at], json.dumps(config), *command[at + 1 :]]


if __name__ == "__main__":
    main()
