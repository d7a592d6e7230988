"""CPU seconds of the default run, stage by stage, beside an older commit.

``python benchmarks/default_run.py`` runs this checkout and ``--against`` in turn, each in a temporary folder of its
own, and prints user and system seconds of all processes of a stage, Snakemake's own included, and their ratio. With
``--fold`` it runs that fold alone, a quarter of the work.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
#: Parts of a run and the rules that end them; the last is what is left.
STAGES = {
    "simulation and conversion": ("simulate", "convert"),
    "kernel, pose index, syllables": ("calcium", "neighbors", "syllables"),
    "pretraining": ("pretrain",),
    "evaluation": ("evaluate",),
    "tables, pictures, pages": (),
}


def main() -> None:
    """Run both and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--against", default="7f922bb", help="commit that this checkout is compared with")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--fold", type=int, help="that fold alone; default all")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        commits = {"before": options.against, "now": "HEAD"}
        folders = {name: Path(temporary) / name for name in commits}
        git = ["git", "-C", str(ROOT), "worktree"]
        for name, commit in commits.items():
            subprocess.run([*git, "add", "--detach", "--quiet", str(folders[name]), commit], check=True)
        try:
            fold = {} if options.fold is None else {"split": {"test_folds": [options.fold]}}
            print(f"{'CPU seconds':32}{'before':>10}{'now':>10}{'ratio':>8}")
            total = dict.fromkeys(commits, 0.0)
            for stage, rules in STAGES.items():
                spent = {
                    name: seconds(folder, rules, options.cores, fold) for name, folder in folders.items()
                }
                total = {name: total[name] + spent[name] for name in total}
                line(stage, spent)
            line("in all", total)
        finally:
            for folder in folders.values():
                subprocess.run([*git, "remove", "--force", str(folder)], check=True)


def seconds(checkout: Path, rules: tuple[str, ...], cores: int, changes: dict) -> float:
    """CPU seconds of the run as far as ``rules``; all that is left where there are none."""
    extra = checkout / "benchmark.yaml"
    extra.write_text(yaml.safe_dump({**changes, "results": "results"}))
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--nolock", "--quiet", "all"]
    command += ["--configfile", "config/config.yaml", extra.name]
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    until = ["--until", *rules] if rules else []
    subprocess.run([*command, *until], cwd=checkout, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def line(name: str, spent: dict[str, float]) -> None:
    """Print one stage."""
    before, now = spent["before"], spent["now"]
    print(f"{name:32}{before:10.0f}{now:10.0f}{now / before:8.2f}", flush=True)


if __name__ == "__main__":
    main()
