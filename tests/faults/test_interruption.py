"""Every stage is struck by every fault in its middle; the same command then makes what an undisturbed run made."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from itertools import product
from pathlib import Path

import pytest

from matrix import FAULTS, STAGES, Stage
from neural_action.recordings.store import read_recording
from started import Workflow, content, kill_group, wait_for

pytestmark = pytest.mark.faults
SIGNALS = {
    "kill -9 of the workflow": signal.SIGKILL,
    "kill -9 of the job (its shell)": signal.SIGKILL,
    "kill -9 of the worker": signal.SIGKILL,
    "SIGTERM to the workflow": signal.SIGTERM,
    "SIGINT to all (Ctrl-C)": signal.SIGINT,
}
#: Of the disk that is filled; left free for the one line about it.
DISK, LEFT = 48 << 20, 8 << 10


@pytest.fixture
def disk(tmp_path):
    """Mounts a small disk at a folder."""
    mounted = []

    def mount(folder: Path) -> None:
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("mounting a small disk needs root")
        mounted.append(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def snapshot(undisturbed: Workflow, folder: Path, stage: Stage, mount=None) -> Workflow:
    """The finished run as it was before ``stage``, whose outputs are gone."""
    results = folder / "results"
    if mount is not None:
        results.mkdir(parents=True)
        mount(results)
    shutil.copytree(undisturbed.folder, folder, dirs_exist_ok=True)
    workflow = Workflow(folder)
    for output in stage.outputs:
        path = workflow.results / output
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return workflow


def targets(stage: Stage) -> list[str]:
    return ["--", *(f"results/tiny/{output}" for output in stage.outputs)]


def interrupted(workflow: Workflow, stage: Stage, point: tuple[str, str, int], kind: str = "stop"):
    """The workflow, started and stopped at ``point``, and the numbers of the worker and of its shell."""
    process = workflow.start(
        *targets(stage),
        FAULT_POINT="|".join(map(str, (stage.command, *point))),
        FAULT_KIND=kind,
        FAULT_FOLDER=str(workflow.folder),
    )
    reached = workflow.folder / "reached"
    if kind != "stop":
        return process, 0, 0
    if not wait_for(lambda: reached.exists() or process.poll() is not None) or not reached.exists():
        kill_group(process)
        pytest.fail(f"{stage.command} did not come to {point}: {workflow.said()[-3000:]}")
    worker, shell = map(int, reached.read_text().split())
    return process, worker, shell


def alive(number: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{number}/status").read_text()
    except FileNotFoundError:
        return False


def strike(fault: str, workflow: Workflow, process, worker: int, shell: int) -> None:
    """Send the signal, and wait for the workflow to end."""
    sent = SIGNALS[fault]
    if fault == "SIGINT to all (Ctrl-C)":
        os.killpg(process.pid, sent)
    else:
        victims = {"kill -9 of the job (its shell)": shell, "kill -9 of the worker": worker}
        os.kill(victims.get(fault, process.pid), sent)
    if fault == "SIGTERM to the workflow":
        (workflow.folder / "go").touch()
    process.wait(60)


def fill(folder: Path) -> Path:
    """A file that takes what the disk has left, up to a line."""
    free = os.statvfs(folder)
    filler = folder / "filler"
    filler.write_bytes(bytes(free.f_bavail * free.f_frsize - LEFT))
    return filler


def goes_on_as_if_nothing_had_been(workflow: Workflow, undisturbed: Workflow, stage: Stage) -> None:
    """The same command makes the same files, and nothing is left lying about."""
    (workflow.folder / "go").unlink(missing_ok=True)
    workflow.run(*targets(stage))
    for output in stage.outputs:
        assert content(workflow.results / output) == content(undisturbed.results / output), output
        if output.endswith(".manifest.json"):
            read_recording(workflow.results / output)
    left = [path for path in workflow.results.rglob(".*") if path.name.startswith(".") and path.name[1:2] != "s"]
    left += list(workflow.results.rglob(".scratch-*"))
    assert not left
    assert not (workflow.folder / "network").exists()


@pytest.mark.parametrize(("name", "fault"), list(product(STAGES, SIGNALS)))
def test_a_signal(undisturbed, tmp_path, name, fault):
    stage = STAGES[name]
    workflow = snapshot(undisturbed, tmp_path / "run", stage)
    process, worker, shell = interrupted(workflow, stage, stage.half)
    try:
        strike(fault, workflow, process, worker, shell)
        assert "Traceback" not in workflow.said()
        # At once, whatever the killed run left running.
        goes_on_as_if_nothing_had_been(workflow, undisturbed, stage)
        assert wait_for(lambda: not alive(worker), 10)
    finally:
        kill_group(process)


def one_line(workflow: Workflow, says: str) -> None:
    lines = [line for line in workflow.said().splitlines() if line.startswith("neural-action:")]
    assert len(lines) == 1, workflow.said()[-3000:]
    assert says in lines[0]
    assert "Traceback" not in workflow.said()


@pytest.mark.parametrize("name", STAGES)
def test_a_full_disk(undisturbed, tmp_path, disk, name):
    stage = STAGES[name]
    workflow = snapshot(undisturbed, tmp_path / "run", stage, disk)
    process, _, _ = interrupted(workflow, stage, stage.write)
    try:
        filler = fill(workflow.folder / "results")
        (workflow.folder / "go").touch()
        assert process.wait(60) != 0
        one_line(workflow, "")
        filler.unlink()
        goes_on_as_if_nothing_had_been(workflow, undisturbed, stage)
    finally:
        kill_group(process)


@pytest.mark.parametrize("name", STAGES)
def test_a_disk_that_turns_read_only(undisturbed, tmp_path, name):
    stage = STAGES[name]
    workflow = snapshot(undisturbed, tmp_path / "run", stage)
    process, _, _ = interrupted(workflow, stage, stage.write, "EROFS")
    try:
        assert process.wait(60) != 0
        one_line(workflow, "Read-only file system")
        goes_on_as_if_nothing_had_been(workflow, undisturbed, stage)
    finally:
        kill_group(process)


def test_a_run_that_is_killed_in_every_stage_ends_with_the_same_scores(undisturbed, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(undisturbed.folder, folder, ignore=shutil.ignore_patterns("results", ".snakemake", "done"))
    workflow = Workflow(folder)
    for stage in STAGES.values():
        # A resumed training has fewer checkpoints before it.
        first = "|".join((stage.command, *stage.half[:2], "0"))
        process = workflow.start(*targets(stage), FAULT_POINT=first, FAULT_FOLDER=str(folder))
        reached = folder / "reached"
        assert wait_for(reached.exists, 120), workflow.said()[-3000:]
        process.kill()
        process.wait()
        reached.unlink()
    workflow.run()
    for name in ("scores.csv", "scores_all.csv", "tables/action_recognition.csv"):
        assert content(workflow.results / name) == content(undisturbed.results / name)


def test_every_fault_is_tried():
    assert set(FAULTS) == {*SIGNALS, "disk full", "disk read-only"}
