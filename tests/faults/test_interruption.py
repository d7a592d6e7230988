"""Every stage is struck by every fault in its middle; the same command then makes what an undisturbed run makes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest

from matrix import FAULTS, STAGES, Stage
from neural_action.recordings.store import read_recording
from started import Workflow, content, kill_group, wait_for

pytestmark = pytest.mark.faults
#: Every stage that computes with two threads instead of one, so that one job runs at once instead of two.
TWO_THREADS = (
    "--set-threads",
    *(f"{stage}=2" for stage in ("convert", "calcium", "neighbors", "syllables", "pretrain", "evaluate")),
)
#: Of the disk that is filled; left free for the one line about it: a page. An output that fits in there is written.
DISK, LEFT = 64 << 20, 4 << 10


@pytest.fixture
def disk(tmp_path):
    """Mounts a small disk at a folder; whether that is allowed."""
    mounted = []

    def mount(folder: Path) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            mounted.append(folder)
        return bool(mounted)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def targets(stage: Stage) -> list[str]:
    # Snakemake knows a store by its metadata.
    files = [f"{output}/zarr.json" if output.endswith(".zarr") else output for output in stage.outputs]
    return ["--", *(f"results/tiny/{file}" for file in files)]


def started(
    workflow: Workflow,
    stage: Stage,
    point: tuple[str, str, int],
    *arguments: str,
    kind: str = "stop",
):
    """The workflow, on its way to fail at ``point``."""
    for name in ("go", "reached"):
        (workflow.folder / name).unlink(missing_ok=True)
    return workflow.start(
        *arguments,
        *targets(stage),
        FAULT_POINT="|".join(map(str, (stage.command, *point))),
        FAULT_KIND=kind,
        FAULT_FOLDER=str(workflow.folder),
    )


def stopped(workflow: Workflow, stage: Stage, point: tuple[str, str, int], *arguments: str):
    """The workflow, stopped at ``point``, and the numbers of the worker and of its shell."""
    process, reached = started(workflow, stage, point, *arguments), workflow.folder / "reached"
    if not wait_for(lambda: reached.exists() or process.poll() is not None, 120) or not reached.exists():
        kill_group(process)
        pytest.fail(f"{stage.command} did not come to {point}: {workflow.said()[-3000:]}")
    return process, *map(int, reached.read_text().split())


def alive(number: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{number}/status").read_text()
    except FileNotFoundError:
        return False


def kill(workflow: Workflow, stage: Stage, victim: str) -> None:
    process, worker, shell = stopped(workflow, stage, stage.half)
    os.kill({"workflow": process.pid, "job": shell, "worker": worker}[victim], signal.SIGKILL)
    process.wait(120)
    assert "Traceback" not in workflow.said()
    # What was left running ends by itself, and need not be waited for.
    workflow.orphans.append(worker)


def interrupt(workflow: Workflow, stage: Stage) -> None:
    process, worker, _ = stopped(workflow, stage, stage.half)
    os.killpg(process.pid, signal.SIGINT)
    # A thread that writes meanwhile is not interrupted, and is waited for.
    time.sleep(1)
    (workflow.folder / "go").touch()
    process.wait(120)
    assert "Traceback" not in workflow.said()
    workflow.orphans.append(worker)


def terminate(workflow: Workflow, stage: Stage) -> None:
    process, _, _ = stopped(workflow, stage, stage.half)
    process.terminate()
    (workflow.folder / "go").touch()
    process.wait(120)
    assert "Traceback" not in workflow.said()


def one_line(workflow: Workflow) -> str:
    (line,) = (line for line in workflow.said().splitlines() if line.strip().startswith("neural-action:"))
    assert "Traceback" not in workflow.said()
    return line


def turn_read_only(workflow: Workflow, stage: Stage) -> None:
    assert started(workflow, stage, stage.write, kind="EROFS").wait(120) != 0
    assert "Read-only file system" in one_line(workflow)


def fill(workflow: Workflow, stage: Stage) -> None:
    process, _, _ = stopped(workflow, stage, stage.write)
    results = workflow.folder / "results"
    free, filler = os.statvfs(results), results / "filler"
    filler.write_bytes(bytes(free.f_bavail * free.f_frsize - LEFT))
    (workflow.folder / "go").touch()
    assert process.wait(120) != 0
    assert "No space left" in one_line(workflow) or "as on a full disk" in one_line(workflow)
    filler.unlink()


STRIKES = {
    "kill -9 of the workflow": lambda workflow, stage: kill(workflow, stage, "workflow"),
    "kill -9 of the job (its shell)": lambda workflow, stage: kill(workflow, stage, "job"),
    "kill -9 of the worker": lambda workflow, stage: kill(workflow, stage, "worker"),
    "SIGINT to all (Ctrl-C)": interrupt,
    "disk read-only": turn_read_only,
    "disk full": fill,
    # Last: here the job is finished.
    "SIGTERM to the workflow": terminate,
}


def test_killed_in_every_stage_and_with_two_threads_a_job_it_ends_with_the_same_scores(undisturbed, tmp_path):
    """The undisturbed run has one thread a job and two jobs at once; this one two threads, so one job at once."""
    folder = tmp_path / "run"
    shutil.copytree(
        undisturbed.folder, folder, ignore=shutil.ignore_patterns("results", ".snakemake", "done")
    )
    workflow = Workflow(folder)
    try:
        for stage in STAGES.values():
            process, _, _ = stopped(workflow, stage, stage.half, *TWO_THREADS)
            process.kill()
            process.wait()
        workflow.run(*TWO_THREADS)
    finally:
        workflow.end()
    log = next((workflow.results / "logs/pretrain/swap_calcium").rglob("*.log")).read_text()
    assert "device cpu, 2 threads" in log
    assert content(workflow.results / "splits.csv") == content(undisturbed.results / "splits.csv")
    # Sums of two threads are rounded in another order: the same windows are recognised, and losses agree.
    for name in ("scores.csv", "consistency.csv", "tables/action_recognition.csv"):
        one, other = (pd.read_csv(each.results / name) for each in (workflow, undisturbed))
        pd.testing.assert_frame_equal(one, other, check_exact=False, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", STAGES)
def test_one_fault_after_the_other_and_then_the_same_files(undisturbed, tmp_path, disk, name):
    """Each start after a fault is the same command at once, and comes as far as the next fault."""
    stage, folder = STAGES[name], tmp_path / "run"
    (folder / "results").mkdir(parents=True)
    small = disk(folder / "results")
    shutil.copytree(undisturbed.folder, folder, dirs_exist_ok=True)
    workflow, size = Workflow(folder), 0
    for output in stage.outputs:
        path = workflow.results / output
        size += sum(each.stat().st_size for each in (path, *path.rglob("*")))
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    try:
        for fault, strike in STRIKES.items():
            if fault != "disk full" or (small and size > LEFT):
                strike(workflow, stage)
        workflow.run(*targets(stage))
        assert wait_for(lambda: not any(map(alive, workflow.orphans)), 60)
    finally:
        workflow.end()
    for output in stage.outputs:
        assert content(workflow.results / output) == content(undisturbed.results / output), output
        if output.endswith(".manifest.json"):
            read_recording(workflow.results / output)
    hidden = [path for path in workflow.results.rglob(".*") if path.name != ".snakemake_timestamp"]
    assert not hidden
    assert not list(workflow.results.rglob("checkpoint*"))
    assert not (workflow.folder / "network").exists()


def test_small_disks_can_be_mounted(tmp_path, disk):
    if not disk(tmp_path):
        pytest.skip("mounting a small disk needs root: no disk was filled")


def test_every_fault_of_the_table_is_tried():
    assert set(STRIKES) == set(FAULTS)
