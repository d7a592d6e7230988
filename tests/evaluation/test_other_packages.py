"""Rows of other packages: what they are given, and animals that their training did not see."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from neural_action.config.evaluation_settings import EvaluationSettings
from neural_action.config.settings import CebraSettings, MethodSettings, WindowSettings
from neural_action.datasets.frames import frame_arrays
from neural_action.datasets.windows import window_table
from neural_action.errors import InputError
from neural_action.evaluation.representation import represent

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "workflow/scripts/cebra_frames.py"
ROW = MethodSettings(
    label="CEBRA",
    representation="external",
    external=CebraSettings(name="cebra", conditional="behavior", output_dimension=2),
)


class Echo:
    """In place of ``cebra.CEBRA``: embeds frames as the mean of their units, and knows the sessions that it fitted."""

    def __init__(self, **settings):
        self.dimension = settings["output_dimension"]

    def fit(self, neural, behavior=None):
        self.sessions = len(neural) if isinstance(neural, list) else 1

    def transform(self, neural, session_id=0):
        assert session_id < self.sessions
        return np.repeat(neural.mean(1, keepdims=True), self.dimension, 1)


@pytest.fixture
def script(monkeypatch):
    monkeypatch.setitem(sys.modules, "cebra", SimpleNamespace(CEBRA=Echo))
    spec = importlib.util.spec_from_file_location("cebra_frames", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def without(dataset, animal):
    """The dataset with nothing of one animal seen."""
    trials = [
        replace(trial, sees_input=trial.sees_input and trial.animal != animal) for trial in dataset.trials
    ]
    return replace(dataset, trials=tuple(trials))


def embedded(script, dataset, tmp_path, monkeypatch):
    """What the script makes of a dataset, and the windows."""
    np.savez(
        tmp_path / "arrays.npz", **{f"fold-0/{key}": value for key, value in frame_arrays(dataset).items()}
    )
    options = json.dumps(ROW.external.model_dump())
    given = ["--options", options, "--arrays", tmp_path / "arrays.npz", "--seed", 0]
    monkeypatch.setattr(
        sys, "argv", ["cebra_frames.py", *map(str, given), "--output", str(tmp_path / "f.npz")]
    )
    script.main()
    windows = window_table(dataset, WindowSettings(frames=16, poses=4), stride=4)
    return tmp_path / "f.npz", windows


def read(dataset, windows, frames):
    settings = EvaluationSettings(raw_pool_time=16)
    return represent(ROW, dataset, windows, settings, external=frames, split="fold-0")["external"]


def test_an_animal_that_training_did_not_see_has_no_numbers(script, dataset, tmp_path, monkeypatch, capsys):
    hidden = without(dataset, "B")
    found = read(hidden, *reversed(embedded(script, hidden, tmp_path, monkeypatch)))
    whole = read(dataset, *reversed(embedded(script, dataset, tmp_path, monkeypatch)))
    new = window_table(hidden, WindowSettings(frames=16, poses=4), stride=4).animal == 1
    assert np.isnan(found[new]).all()
    assert np.isfinite(whole).all()
    np.testing.assert_array_equal(found[~new], whole[~new])
    assert "B: was not seen in training, has no encoder and is left out" in capsys.readouterr().err


@pytest.mark.parametrize(("animal", "value"), [("A", np.nan), ("A", np.inf), ("B", np.inf)])
def test_frames_that_are_not_finite_are_a_line(script, dataset, tmp_path, monkeypatch, animal, value):
    hidden = without(dataset, "B")
    path, windows = embedded(script, hidden, tmp_path, monkeypatch)
    with np.load(path) as content:
        frames = content["fold-0"].copy()
    frames[next(trial.frames.start for trial in dataset.trials if trial.animal == animal)] = value
    np.savez(path, **{"fold-0": frames})
    with pytest.raises(InputError, match=r"fold-0 has shape \(1440, 2\) or is not finite"):
        read(hidden, windows, path)
