"""A machine's processors are never promised twice."""

import os
import subprocess
import sys
from pathlib import Path

import joblib
import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.workflow


@pytest.mark.parametrize("asked", [1, 64])
def test_jobs_share_the_cores_that_are_there(tmp_path, asked):
    there = joblib.cpu_count()
    assert there < 64
    command = [sys.executable, "-m", "snakemake", "--cores", str(asked), "--nolock"]
    command += ["--configfile", "config/test/tiny.yaml", "--config", f"results={tmp_path}"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [*command, "--", f"{tmp_path}/tiny/folds.csv"],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    said = f"{asked} cores were asked for, {there} are there: jobs share {there}." in done.stdout
    assert said == (asked > there)
    assert f"Provided cores: {min(asked, there)}\n" in done.stdout.replace(
        " (use --cores to define parallelism)", ""
    )
