"""Snakemake as a user starts it, for every test that runs the workflow."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Where programs are found: rules call `python`, which is that of this environment, activated or not.
OWN_PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


#: After config/test/tiny.yaml: two animals of two short trials, to try how jobs run, not what they make.
LITTLE = """
simulation: {overrides: {animals: 2, trials: 2}}
calcium: {rest_seconds: 1.0}
"""


def snakemake(
    *arguments: str, folder: Path = ROOT, timeout: int = 900, **environment: str | None
) -> subprocess.CompletedProcess:
    """Snakemake in ``folder``, its output in ``stdout``; a variable of the environment that is None is not there."""
    # The plugin for SLURM asks for its settings at every start, and waits where no controller answers.
    variables = {**os.environ, "SLURM_CONF": os.devnull, "PATH": OWN_PATH, **environment}
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--nolock", *arguments],
        cwd=folder,
        env={name: value for name, value in variables.items() if value is not None},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )


def job_table(output: str) -> dict[str, int]:
    """Jobs of each rule, without `all`: from our logger's line of a run, or Snakemake's table of a dry run."""
    if "Job stats:" in output:
        lines = output.split("Job stats:")[1].split("total")[0].splitlines()[3:]
        pairs = [line.split() for line in lines if line.strip()]
    else:
        listed = re.search(r"^\d+ jobs: (.*)$", output, re.MULTILINE)
        pairs = [job.split()[::-1] for job in listed[1].split(", ")]
    return {rule: int(number) for rule, number in pairs if rule != "all"}


def copy_repository(folder: Path) -> None:
    """What the workflow needs of this repository, to be changed."""
    for name in ("workflow", "config", "src", "envs", "profiles"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder)
