"""One writer an output, and what killed runs leave."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neural_action import processes
from neural_action.errors import InputError
from neural_action.files import atomic_write
from neural_action.processes import WORKFLOW, hold_folder, output_lock, package_folder

HOLDS = """
import sys, time
from neural_action.processes import output_lock
with output_lock(sys.argv[1]):
    print("in", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that writes an output."""
    command = [sys.executable, "-c", HOLDS, str(tmp_path / "model")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "in\n"
        yield process
        process.kill()


def test_a_second_writer_waits_for_the_first_and_says_so(holder, tmp_path, capsys):
    code = HOLDS.replace("time.sleep(60)", "pass")
    second = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "model")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert f"waiting for process {holder.pid} on " in second.stderr.readline()
    assert second.poll() is None
    holder.kill()
    assert second.communicate(timeout=30)[0] == "in\n"
    assert list(tmp_path.iterdir()) == []


def test_other_outputs_are_not_waited_for(holder, tmp_path):
    with output_lock(tmp_path / "other"):
        assert holder.poll() is None


def test_a_stale_lock_of_this_machine_is_removed(tmp_path):
    file, removed = hold_folder(tmp_path)
    assert not removed
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks/0.input.lock").write_text("x\n")
    # While that run lives, the lock is its own.
    other, removed = hold_folder(tmp_path)
    assert not removed
    other.close()
    file.close()
    file, removed = hold_folder(tmp_path)
    file.close()
    assert removed
    assert not (tmp_path / "locks").exists()


def test_the_lock_of_another_machine_is_left(tmp_path):
    (tmp_path / "neural-action.lock").write_text("another machine")
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks/0.input.lock").write_text("x\n")
    file, removed = hold_folder(tmp_path)
    file.close()
    assert not removed
    assert (tmp_path / "locks/0.input.lock").exists()


def test_a_folder_that_cannot_be_written_to_is_a_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        InputError, match=r"file/.snakemake: cannot be written to \(Not a directory\); expected"
    ):
        hold_folder(tmp_path / "file/.snakemake")


def test_jobs_find_a_package_of_a_checkout_where_it_is(tmp_path):
    found = package_folder(tmp_path)
    assert found == Path(processes.__file__).resolve().parents[1]
    assert list(tmp_path.iterdir()) == []


def test_jobs_find_an_installed_package_without_its_neighbours(tmp_path, monkeypatch):
    for environment in ("old", "new"):
        package = tmp_path / environment / "site-packages/neural_action"
        package.mkdir(parents=True)
        (package.parent / "numpy").mkdir()
        monkeypatch.setattr(processes, "__file__", str(package / "processes.py"))
        for _ in range(2):
            found = package_folder(tmp_path / ".snakemake")
            assert [entry.name for entry in found.iterdir()] == ["neural_action"]
            assert (found / "neural_action").resolve() == package.resolve()


def test_leftovers_of_killed_writers_are_removed(tmp_path):
    for name in (".table.csv.123.part.csv", ".other.csv.123.part.csv"):
        (tmp_path / name).touch()
    with atomic_write(tmp_path / "table.csv") as partial:
        partial.write_text("x")
    assert {path.name for path in tmp_path.iterdir()} == {"table.csv", ".other.csv.123.part.csv"}


def test_an_orphan_publishes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("neural_action.files.orphaned", lambda: True)
    with pytest.raises(OSError, match="not written"), atomic_write(tmp_path / "table.csv") as partial:
        partial.write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_a_job_ends_with_its_workflow_and_a_command_by_hand_does_not(tmp_path):
    """A stand-in for Snakemake is killed; of two children, the one that follows it ends."""
    child = (
        "import time; from neural_action.processes import follow_workflow; follow_workflow(); time.sleep(60)"
    )
    parent = (
        "import os, subprocess, sys, time\n"
        f"for number in (str(os.getpid()), ''):\n"
        f"    child = subprocess.Popen([sys.executable, '-c', {child!r}], env={{**os.environ, {WORKFLOW!r}: number}})\n"
        "    print(child.pid, flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        job, by_hand = (int(process.stdout.readline()) for _ in range(2))
        # Both are past their imports.
        time.sleep(2)
        process.kill()
    end = time.monotonic() + 30
    while running(job) and time.monotonic() < end:
        time.sleep(0.05)
    try:
        assert not running(job)
        assert running(by_hand)
    finally:
        os.kill(by_hand, signal.SIGKILL)


def running(number: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    done = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(number)], capture_output=True, text=True, check=False
    )
    return bool(done.stdout.strip()) and not done.stdout.startswith("Z")


def test_without_a_workflow_nothing_is_followed(monkeypatch):
    monkeypatch.delenv(WORKFLOW, raising=False)
    processes.follow_workflow()
    assert not processes.orphaned()


@pytest.mark.parametrize("kind", ["link", "hard link", "fifo", "dangling"])
def test_a_lock_that_is_another_file_is_refused_and_nothing_is_written(tmp_path, kind):
    other = tmp_path / "other"
    other.write_text("dear\n")
    for lock, take in (
        (tmp_path / ".model.lock", lambda: output_lock(tmp_path / "model").__enter__()),
        (tmp_path / "neural-action.lock", lambda: hold_folder(tmp_path)),
    ):
        if kind == "link":
            lock.symlink_to(other)
        elif kind == "hard link":
            os.link(other, lock)
        elif kind == "fifo":
            os.mkfifo(lock)
        else:
            lock.symlink_to(tmp_path / "made")
        with pytest.raises((OSError, InputError), match=r"lock"):
            take()
        lock.unlink()
    assert other.read_text() == "dear\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other"]


def test_snakemakes_locks_are_not_looked_for_behind_a_link(tmp_path):
    held, _ = hold_folder(tmp_path / "workflow")
    held.close()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/dear").write_text("x")
    (tmp_path / "workflow/locks").symlink_to(tmp_path / "elsewhere")
    assert hold_folder(tmp_path / "workflow")[1] is False
    assert (tmp_path / "elsewhere/dear").exists()
