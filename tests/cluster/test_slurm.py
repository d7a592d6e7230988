"""The tiny workflow submitted to a real SLURM: the same scores as on this machine.

``tests/cluster/slurm.sh`` installs and starts one; without it these tests say so and are skipped.
"""

import os
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from running import LITTLE, job_table, snakemake

# Two folds, so that a job that is killed is one of two.
CHANGES = (
    LITTLE
    + """
rows: [random_guess, raw, swap_calcium]
split: {folds: 2}
training: {request_gpu: true}
"""
)
# A cluster of one node without accounting answers at once; the profile is made for larger ones.
QUICK = [
    "--slurm-status-command=squeue",
    "--slurm-no-account",
    "--slurm-init-seconds-before-status-checks=2",
    "--seconds-between-status-checks=2",
    "--latency-wait=15",
]
pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(
        shutil.which("sinfo") is None or subprocess.run(["sinfo"], capture_output=True).returncode != 0,
        reason="no SLURM answers; tests/cluster/slurm.sh installs and starts one",
    ),
]


def start(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Snakemake on the tiny data set, with results below ``folder``."""
    (folder / "changes.yaml").write_text(CHANGES)
    return snakemake(
        # With the commands come resources and numbers of jobs.
        *(
            *arguments,
            "--printshellcmds",
            "--configfile",
            "config/test/tiny.yaml",
            str(folder / "changes.yaml"),
        ),
        *("--config", f"results={folder}"),
        SLURM_CONF=os.environ.get("SLURM_CONF"),
    )


def run(folder: Path, *arguments: str) -> str:
    """Its output, once it has finished."""
    done = start(folder, *arguments)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def submitted(tmp_path_factory):
    """Results of a run through the profile, and what Snakemake said."""
    folder = tmp_path_factory.mktemp("slurm")
    return folder, run(folder, "--workflow-profile", "profiles/slurm", *QUICK)


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> pd.DataFrame:
    """Scores of a run on this machine."""
    folder = tmp_path_factory.mktemp("local")
    run(folder, "--cores", "2")
    return pd.read_csv(folder / "tiny/scores.csv")


def test_scores_are_those_of_a_local_run(submitted, local):
    scores = pd.read_csv(submitted[0] / "tiny/scores.csv")
    pd.testing.assert_frame_equal(scores, local, check_exact=True)


def test_short_jobs_are_submitted_in_groups(submitted):
    folder, said = submitted
    submissions = said.count("has been submitted with SLURM jobid")
    jobs = len(list((folder / "tiny/benchmarks").rglob("*.tsv")))
    evaluated = len(list((folder / "tiny/benchmarks/evaluate").rglob("*.tsv")))
    converted = len(list((folder / "tiny/benchmarks/convert").rglob("*.tsv")))
    assert evaluated == 6
    assert converted == 4
    assert submissions <= jobs - evaluated - converted + 1 + 3


def test_a_training_job_asks_for_a_gpu_and_falls_back_to_the_cpu(submitted):
    folder, said = submitted
    logs = list((folder / "tiny/logs/pretrain").rglob("*.log"))
    assert len(logs) == 2
    for log in logs:
        assert "device cpu" in log.read_text()
    assert "gpu=1" in said


def kill_a_running_job(rule: str, killed: list[str], given_up: threading.Event) -> None:
    """Wait for a job of ``rule`` to run, kill all its processes, and note its number in ``killed``."""
    while not given_up.is_set():
        queue = subprocess.run(
            ["squeue", "--noheader", "--states=RUNNING", "--format=%i %k"], capture_output=True, text=True
        )
        for line in queue.stdout.splitlines():
            number, comment = line.split(maxsplit=1)
            if f"rule_{rule}" in comment:
                subprocess.run(["scancel", "--full", "--signal=KILL", number], check=True)
                killed.append(number)
                return
        time.sleep(0.2)


def test_a_killed_job_is_submitted_again(submitted, local):
    """Killed while it trains; last of the tests on ``submitted``, whose results it makes anew in part."""
    folder, _ = submitted
    results = folder / "tiny"
    shutil.rmtree(results / "models/swap_calcium/fold-1/seed-0")
    for name in ("scores.csv", "tables/action_recognition.md"):
        (results / name).unlink()
    killed: list[str] = []
    given_up = threading.Event()
    killer = threading.Thread(target=kill_a_running_job, args=("pretrain", killed, given_up))
    killer.start()
    try:
        said = run(folder, "--workflow-profile", "profiles/slurm", *QUICK)
    finally:
        given_up.set()
        killer.join()
    jobs = job_table(said)
    assert (jobs["pretrain"], jobs["evaluate"]) == (1, 1)
    assert len(killed) == 1
    assert re.search(f"SLURM-job '{killed[0]}' failed", said)
    assert "Trying to restart job" in said
    pd.testing.assert_frame_equal(pd.read_csv(results / "scores.csv"), local, check_exact=True)


def test_a_partition_that_is_not_there_is_a_line(tmp_path):
    partition = ("--default-resources", "slurm_partition=nowhere")
    done = start(tmp_path, "--workflow-profile", "profiles/slurm", *QUICK, *partition)
    assert done.returncode != 0
    assert "invalid partition specified: nowhere" in done.stdout
    assert not list((tmp_path / "tiny").rglob("*.zarr/zarr.json"))
