"""Snakemake as a user starts and stops it, and results compared without how long they took."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from running import OWN_PATH

TINY = ("--configfile", "config/test/tiny.yaml", "run.yaml")


@dataclass
class Workflow:
    """A copy of the repository with results of the tiny data set, and Snakemake in it as a user starts it."""

    folder: Path
    #: Process groups that were started, and processes that a fault left without a parent.
    groups: list[subprocess.Popen] = field(default_factory=list)
    orphans: list[int] = field(default_factory=list)

    @property
    def results(self) -> Path:
        """Where the workflow writes."""
        return self.folder / "results/tiny"

    def start(self, *arguments: str, cores: int = 2, **environment: str) -> subprocess.Popen:
        """Start it in a process group of its own, its output into a file."""
        variables = {
            **os.environ,
            "PATH": OWN_PATH,
            "SLURM_CONF": os.devnull,
            "FAULT_NETWORK": str(self.folder / "network"),
            "PYTHONPATH": str(self.folder / "src"),
            **environment,
        }
        with (self.folder / "said").open("w") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "snakemake", *TINY, "--cores", str(cores), *arguments],
                cwd=self.folder,
                env=variables,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # A shell lets what it starts in the background ignore it.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
        self.groups.append(process)
        return process

    def said(self) -> str:
        """What it has printed so far."""
        return (self.folder / "said").read_text()

    def run(self, *arguments: str, **options) -> str:
        """Start it and wait; its output, once it has ended well."""
        process = self.start(*arguments, **options)
        try:
            assert process.wait(3600) == 0, self.said()[-4000:]
        finally:
            kill_group(process)
        return self.said()

    def end(self) -> None:
        """End whatever is left of all runs."""
        for process in self.groups:
            kill_group(process)


def kill_group(process: subprocess.Popen) -> None:
    """End whatever is left of a run."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(condition, seconds: float = 60.0) -> bool:
    """Whether ``condition`` comes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def content(path: Path) -> object:
    """What a file or folder of results says, without how long it took to say it."""
    if path.suffix == ".zarr":
        return sorted(str(file.relative_to(path)) for file in path.rglob("*"))
    if path.is_dir():
        return {
            str(file.relative_to(path)): content(file) for file in sorted(path.rglob("*")) if file.is_file()
        }
    if path.suffix == ".npz":
        with np.load(path) as file:
            return {name: (file[name].shape, file[name].tobytes()) for name in sorted(file)}
    if path.suffix == ".json":
        return {
            key: value for key, value in json.loads(path.read_text()).items() if not key.startswith("seconds")
        }
    if path.name == "log.csv":
        return pd.read_csv(path).drop(columns="windows_per_second").to_csv()
    return path.read_bytes()
