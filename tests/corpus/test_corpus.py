"""No broken input gives a traceback, a hang or a result: each of the corpus is the one line that is expected of it."""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path

import pytest

from broken import KINDS, Case, command, matches, written

FILES = sorted(path.stem for path in Path(__file__).parent.glob("broken_*.py"))
MODULES = {name: import_module(name) for name in FILES}
CASES = [(name, case) for name, module in MODULES.items() for case in module.CASES]


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    """A folder with good inputs of each module, made once."""
    made: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in made:
            made[name] = tmp_path_factory.mktemp(name)
            MODULES[name].make(made[name])
        return made[name]

    return make


@pytest.fixture
def folder(good, tmp_path):
    """A copy of the good inputs, to be spoiled."""

    def copy(name: str) -> Path:
        shutil.copytree(good(name), tmp_path / "input")
        return tmp_path / "input"

    return copy


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{n[7:]}-{c.kind}-{c.name}" for n, c in CASES])
def test_a_broken_input_is_one_line(folder, monkeypatch, capsys, name, case: Case):
    place = folder(name)
    case.spoil(place)
    status, lines = command(MODULES[name].arguments(place, case), monkeypatch, capsys)
    # Before it, a stage may have logged what it does.
    assert (status, sum(line.startswith("neural-action: ") for line in lines)) == (case.status, 1), lines
    assert matches(lines[-1], case.says), lines[-1]
    assert "Traceback" not in "".join(lines)
    assert len(lines[-1]) < 600
    assert written(place) == []


@pytest.mark.parametrize("name", FILES)
def test_the_unbroken_input_is_read(folder, monkeypatch, capsys, name):
    place, module = folder(name), MODULES[name]
    stages = sorted({case.config["stage"] for case in module.CASES if "stage" in case.config}) or [None]
    for stage in stages:
        case = Case("missing", "", lambda folder: None, "", {} if stage is None else {"stage": stage})
        status, lines = command(module.arguments(place, case), monkeypatch, capsys)
        assert status == 0, lines
        if getattr(module, "WRITES", True):
            assert written(place)
            shutil.rmtree(place / "out")


def test_the_corpus_is_large_and_named():
    assert len(CASES) >= 80
    assert len({(name, case.kind, case.name) for name, case in CASES}) == len(CASES)
    assert {case.kind for _, case in CASES} == set(KINDS)
