"""Disks that are full or read-only: a clear line, and the same command goes on where it stopped."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from running import LITTLE, OWN_PATH, ROOT, snakemake

pytestmark = pytest.mark.workflow


@pytest.fixture
def disk(tmp_path):
    """A disk of its own that holds one simulated animal but not two; ``change`` mounts it anew with options."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def change(options: str) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    if not change("size=10m"):
        pytest.skip("mounting a small disk needs root")
    yield folder, change
    subprocess.run(["umount", str(folder)], check=True)


def run(results: Path, *arguments: str) -> subprocess.CompletedProcess:
    """A run of the tiny workflow as far as its samples table, one job at a time."""
    return snakemake(
        *("--cores", "1", *arguments, "--configfile", "config/test/tiny.yaml"),
        *("--config", f"results={results}", "--", f"{results}/tiny/recordings.csv"),
        timeout=300,
    )


def test_a_full_disk_is_a_line_and_loses_nothing(disk):
    folder, change = disk
    stopped = run(folder)
    assert stopped.returncode != 0
    (line,) = (line for line in stopped.stdout.splitlines() if line.startswith("    neural-action:"))
    assert "No space left on device" in line or "as on a full disk" in line
    (done,) = (folder / "tiny/raw").glob("Fly*")
    before = {path: path.stat().st_mtime_ns for path in done.rglob("*") if path.is_file()}
    assert before

    assert change("remount,size=50m")
    again = run(folder)
    assert again.returncode == 0, again.stdout[-2000:]
    assert len(list((folder / "tiny/raw").glob("Fly*"))) == 3
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_read_only_disk_is_a_line(disk):
    folder, change = disk
    assert change("remount,ro")
    stopped = run(folder)
    assert stopped.returncode != 0
    assert f"{folder}/tiny: cannot be written to; expected a folder on a writable disk" in stopped.stdout
    assert "Traceback" not in stopped.stdout
    assert run(folder, "--dry-run").returncode == 0


def test_an_unknown_key_of_a_profile_is_a_line(tmp_path):
    (tmp_path / "profile").mkdir()
    (tmp_path / "profile/config.yaml").write_text("executer: slurm\n")
    stopped = run(tmp_path, "--workflow-profile", str(tmp_path / "profile"))
    assert stopped.returncode != 0
    assert stopped.stdout.splitlines()[-1].endswith("unrecognized arguments: --executer=slurm")


def test_results_that_are_deleted_meanwhile_are_made_again(tmp_path):
    results, little = tmp_path / "results", tmp_path / "little.yaml"
    little.write_text(LITTLE + "split: {folds: 2}\n")
    asked = [
        *("--cores", "1", "--configfile", "config/test/tiny.yaml", str(little)),
        *("--config", f"results={results}", "--", f"{results}/tiny/dataset/dataset.json"),
    ]
    said = tmp_path / "said"
    with said.open("w") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", "snakemake", "--nolock", *asked],
            cwd=ROOT,
            env={**os.environ, "PATH": OWN_PATH},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        end = time.monotonic() + 600
        while not list(results.glob("tiny/recordings/*/*.manifest.json")) and time.monotonic() < end:
            assert running.poll() is None, said.read_text()[-2000:]
            time.sleep(0.1)
        # A job may write a file while the folder is deleted.
        while results.exists():
            shutil.rmtree(results, ignore_errors=True)
        assert running.wait(300) != 0
    assert "No such file or directory" in said.read_text()
    assert "Traceback" not in said.read_text()
    again = snakemake(*asked)
    assert again.returncode == 0, again.stdout[-2000:]
    assert len(list(results.glob("tiny/recordings/*/*.manifest.json"))) == 4
