"""CPU seconds of the default run, stage by stage, beside an older commit.

``python benchmarks/default_run.py`` runs the last commit of this checkout and ``--against`` in turn, each in a
temporary folder of its own, and prints user and system seconds of all processes of a stage, Snakemake's own included,
and their ratio. With ``--fold`` it runs that fold alone, a quarter of the work. To try the script, change the
configuration of both, as with ``--changes '{simulation: {preset: tiny}, training: {steps: 20}}'``.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
#: The version before the first table was made faster.
OLD = "7f922bb"
#: An option of the benchmarks that compare two versions.
CHANGES: dict[str, Any] = {"type": yaml.safe_load, "default": {}, "help": "YAML, for both versions"}
#: Parts of a run and the rules that end them, of which none may need another; the last is what is left.
STAGES = {
    "simulation and conversion": ("convert",),
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
    parser.add_argument("--against", default=OLD, help="commit that this checkout is compared with")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--fold", type=int, help="that fold alone; default all")
    parser.add_argument("--changes", **CHANGES)
    options = parser.parse_args()
    fold = {} if options.fold is None else {"split": {"test_folds": [options.fold]}}
    with checkouts({"before": options.against, "now": "HEAD"}) as folders:
        print(f"{'CPU seconds':32}{'before':>10}{'now':>10}{'ratio':>8}")
        total = dict.fromkeys(folders, 0.0)
        for stage, rules in STAGES.items():
            until = ["--until", *rules] if rules else []
            spent = {}
            for name, folder in folders.items():
                command = snakemake(folder, {**fold, **options.changes}, options.cores)
                spent[name] = cpu_seconds(folder, [*command, *until])
                total[name] += spent[name]
            line(stage, spent)
        line("in all", total)


@contextmanager
def checkouts(commits: Mapping[str, str]) -> Iterator[dict[str, Path]]:
    """Worktrees of commits in a temporary folder, by name."""
    git = ["git", "-C", str(ROOT), "worktree"]
    with tempfile.TemporaryDirectory() as temporary:
        folders = {name: Path(temporary) / name for name in commits}
        try:
            for name, commit in commits.items():
                subprocess.run([*git, "add", "--detach", "--quiet", str(folders[name]), commit], check=True)
            yield folders
        finally:
            for folder in folders.values():
                if folder.exists():
                    subprocess.run([*git, "remove", "--force", str(folder)], check=True)


def snakemake(checkout: Path, changes: Mapping, cores: int) -> list[str]:
    """The command that runs the default dataset of a checkout, with a changed configuration."""
    (checkout / "changes.yaml").write_text(yaml.safe_dump(dict(changes)))
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--nolock"]
    return [*command, "--configfile", "config/config.yaml", "changes.yaml"]


def python(checkout: Path, command: list[str]) -> str:
    """Standard output of a command in a checkout, with its package. RuntimeError with what it says if it fails."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src")}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(command[:4])} in {checkout}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return done.stdout


def cpu_seconds(checkout: Path, command: list[str]) -> float:
    """User and system seconds of ``python``, of all its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    python(checkout, command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def line(name: str, spent: Mapping[str, float]) -> None:
    """Print one stage."""
    before, now = spent["before"], spent["now"]
    print(f"{name:32}{before:10.0f}{now:10.0f}{now / before:8.2f}", flush=True)


if __name__ == "__main__":
    main()
