"""Scores do not depend on threads, nor on how many jobs run at once."""

from __future__ import annotations

import shutil

import pytest

from started import Workflow, content

pytestmark = pytest.mark.faults
STAGES = ("convert", "calcium", "neighbors", "syllables", "pretrain", "evaluate")


def test_two_threads_a_job_make_the_scores_of_one(undisturbed, tmp_path):
    """The undisturbed run has one thread a job and two jobs at once; this one two threads, so one job at once."""
    folder = tmp_path / "run"
    shutil.copytree(
        undisturbed.folder, folder, ignore=shutil.ignore_patterns("results", ".snakemake", "done")
    )
    workflow = Workflow(folder)
    try:
        workflow.run("--set-threads", *(f"{stage}=2" for stage in STAGES), "--", "results/tiny/scores.csv")
    finally:
        workflow.end()
    log = next((workflow.results / "logs/pretrain/ours").rglob("*.log")).read_text()
    assert "device cpu, 2 threads" in log
    assert content(workflow.results / "scores_all.csv") == content(undisturbed.results / "scores_all.csv")
