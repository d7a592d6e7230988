"""Code hashes: change with the code of a stage, and with nothing else."""

import shutil
from pathlib import Path

import pytest

from neural_action import provenance


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package that a test may edit."""
    copy = tmp_path / "neural_action"
    shutil.copytree(provenance.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "PACKAGE", copy)
    provenance._parsed.cache_clear()
    yield copy
    provenance._parsed.cache_clear()


def hashes(stages=("convert", "neighbors", "pretrain", "evaluate", "tables")):
    provenance._parsed.cache_clear()
    return {stage: provenance.code_hash([f"neural_action.stages.{stage}"]) for stage in stages}


def edit(path: Path, text: str):
    path.write_text(path.read_text() + text)


@pytest.mark.parametrize(
    ("module", "changed"),
    [
        ("training/loop.py", {"pretrain"}),
        ("neighbors/index.py", {"neighbors", "pretrain"}),
        ("evaluation/metrics.py", {"evaluate"}),
        ("recordings/steps.py", {"convert"}),
        ("datasets/windows.py", {"pretrain", "evaluate"}),
    ],
)
def test_a_change_reaches_the_stages_that_import_it(package, module, changed):
    before = hashes()
    edit(package / module, "\nNEW = 1\n")
    after = hashes()
    assert {stage for stage in before if before[stage] != after[stage]} >= changed
    untouched = {"convert", "tables"} - changed
    assert all(before[stage] == after[stage] for stage in untouched)


def test_comments_and_docstrings_do_not_count(package):
    before = hashes()
    path = package / "training" / "loop.py"
    path.write_text(
        path.read_text().replace('"""The pretraining loop', '"""Another docstring', 1) + "\n# a comment\n"
    )
    assert hashes() == before
