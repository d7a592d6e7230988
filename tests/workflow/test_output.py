"""What a run says: a line a job, how long the rest takes, and of a job that failed the end of its log."""

import logging
import os
from pathlib import Path

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from running import ROOT, snakemake
from snakemake_logger_plugin_neural_action import Formatter, Jobs


class Clock:
    """Seconds as the test sets them."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def ran(jobs: Jobs, clock: Clock, number: int, rule: str, seconds: float) -> str | None:
    """The line of a job that ran ``seconds`` by itself."""
    jobs.start(number, rule, {"method": "swap_calcium", "run": "fold-0", "seed": "1"})
    clock.now += seconds
    return jobs.finish(number)


def said(
    formatter: Formatter, event: LogEvent | None, level: int = logging.INFO, text: str = "", **content
) -> str:
    """The text of a record."""
    record = logging.makeLogRecord({"msg": text, "levelno": level, **content})
    if event is not None:
        record.event = event
    return formatter.format(record)


def test_a_job_is_a_line_with_its_count_name_and_time():
    clock = Clock()
    jobs = Jobs(clock)
    assert jobs.plan({"pretrain": 10, "all": 1, "total": 11}) == "10 jobs: 10 pretrain"
    assert (
        ran(jobs, clock, 5, "pretrain", 30.0)
        == " 1 of 10  pretrain swap_calcium fold-0 seed 1, 30 s  about 4 min left"
    )
    assert [ran(jobs, clock, number, "pretrain", 30.0) for number in range(9)][-1].endswith("seed 1, 30 s")
    jobs.start(99, "all", {})
    assert jobs.finish(99) is None


@pytest.mark.parametrize(("at_once", "minutes"), [(1, 8), (2, 4)])
def test_remaining_time_is_that_of_the_jobs_at_once(at_once, minutes):
    clock = Clock()
    jobs = Jobs(clock)
    jobs.plan({"pretrain": 10})
    for number in range(at_once):
        jobs.start(number, "pretrain", {})
    clock.now = 60.0
    for number in range(at_once):
        jobs.finish(number)
    left = round((10 - at_once) / at_once)
    assert abs(left - minutes) <= 1
    assert jobs.remaining() == f"about {(10 - at_once) / at_once:.0f} min left"


def test_before_every_rule_has_run_the_remaining_time_is_a_bound():
    clock = Clock()
    jobs = Jobs(clock)
    jobs.plan({"convert": 5, "pretrain": 3})
    assert ran(jobs, clock, 0, "convert", 60.0).endswith("more than 4 min left")
    assert ran(jobs, clock, 1, "pretrain", 60.0).endswith("about 6 min left")


def test_warnings_and_errors_are_said_and_how_snakemake_works_is_not():
    formatter = Formatter()
    assert said(formatter, None, text="Building DAG of jobs...") == ""
    assert said(formatter, LogEvent.SHELLCMD, text="python -m neural_action convert") == ""
    assert said(formatter, None, text="Creating conda environment envs/cebra.yaml...") != ""
    assert said(formatter, None, level=logging.WARNING, text="5 cores") == "5 cores"
    assert said(formatter, LogEvent.ERROR, level=logging.ERROR, text="no such file") == "no such file"


def test_a_failed_job_shows_the_end_of_its_log_and_where_the_rest_is(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    formatter = Formatter()
    said(formatter, LogEvent.JOB_INFO, jobid=3, rule_name="convert", wildcards={"animal": "Fly1"})
    text = said(formatter, LogEvent.JOB_ERROR, jobid=3, rule_name="convert", log=[str(log)], rule_msg=None)
    assert text.startswith("FAILED  convert Fly1\n")
    assert "line 85" in text
    assert "line 84" not in text
    assert text.endswith(f"line 99\n    the whole log: {log}")
    gone = said(
        formatter, LogEvent.JOB_ERROR, jobid=4, rule_name="x", log=[str(tmp_path / "b")], rule_msg="killed"
    )
    assert "cannot be read: No such file" in gone
    assert gone.endswith("killed")


@pytest.mark.workflow
def test_a_run_says_a_line_a_job(tmp_path):
    little = tmp_path / "little.yaml"
    little.write_text("simulation: {overrides: {animals: 2, trials: 2}}\nsplit: {folds: 2}\n")
    asked = ("--cores", "2", "--configfile", "config/test/tiny.yaml", str(little))
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])

    def run(*arguments: str):
        return snakemake(*asked, "--config", f"results={tmp_path}", *arguments, timeout=300, PYTHONPATH=path)

    done = run("--", f"{tmp_path}/tiny/splits.csv")
    assert done.returncode == 0, done.stdout
    lines = [line for line in done.stdout.splitlines() if " of 7  " in line]
    assert [line.split("  ")[0].strip() for line in lines] == [f"{number} of 7" for number in range(1, 8)]
    assert len(done.stdout.splitlines()) < 13
    (file,) = (
        Path(line.split(": ")[1]) for line in done.stdout.splitlines() if line.startswith("Complete log")
    )
    assert "rule splits:" in file.read_text()

    (tmp_path / "tiny/raw/Fly1").rename(tmp_path / "tiny/raw/Gone")
    (tmp_path / "tiny/raw/Fly1").mkdir()
    manifest = f"{tmp_path}/tiny/recordings/Fly1/001.manifest.json"
    failed = run("--", manifest)
    assert failed.returncode != 0
    assert "FAILED  convert Fly1 trial 001\n    neural-action: " in failed.stdout
    assert "CalledProcessError" not in failed.stdout
    assert f"the whole log: {tmp_path}/tiny/logs/convert/Fly1/001.log" in failed.stdout
    assert "rule convert:" in run("--printshellcmds", "--dry-run", "--", manifest).stdout
