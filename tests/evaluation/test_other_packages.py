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

from neural_action.config.dependencies import Dependencies
from neural_action.config.evaluation_settings import EvaluationSettings
from neural_action.config.load import complete, read_yaml, validate
from neural_action.config.settings import CebraSettings, MethodSettings, SplitSettings, WindowSettings
from neural_action.datasets.dataset import Source
from neural_action.datasets.frames import frame_arrays
from neural_action.datasets.layout import lay_out
from neural_action.datasets.protocols import split_table
from neural_action.datasets.windows import window_table
from neural_action.errors import InputError
from neural_action.evaluation.representation import represent
from neural_action.recordings.recording import Recording
from neural_action.recordings.store import write_store
from neural_action.stages import arrays

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


def recording(animal: str, trial: str) -> Recording:
    """Twenty frames of five units and of behaviour."""
    time, rng = np.arange(20) / 10.0, np.random.default_rng([ord(animal), int(trial)])
    return Recording(
        animal=animal,
        trial=trial,
        neural=rng.random((20, 5)).astype(np.float32),
        neural_time=time,
        behavior=rng.random((20, 2)).astype(np.float32),
        behavior_time=time,
        labels=(np.arange(20) % 2).astype(np.int8),
        neural_index=np.arange(20, dtype=np.int32),
        class_names=("walk", "rest"),
        behavior_names=("x", "y"),
        neural_rate=10.0,
        behavior_rate=10.0,
    )


@pytest.mark.parametrize(("units", "names"), [("own", {"neural-0", "neural-1"}), ("shared", {"neural"})])
def test_equally_many_units_are_exported_as_the_configuration_says(tmp_path, units, names):
    made = [recording(animal, trial) for animal in "AB" for trial in "12"]
    paths = []
    for one in made:
        path = tmp_path / one.animal / f"{one.trial}.json"
        write_store(one, path.with_suffix(".zarr"), path, dataset="d", steps={}, chunk_mb=1.0)
        paths.append(path)
    lay_out(paths, tmp_path / "dataset")
    split_table(made, SplitSettings(folds=2)).write(tmp_path / "splits.csv")
    content = {**read_yaml(ROOT / "config/worms.yaml"), "raw": "recordings"}
    content["windows"]["units"] = units
    settings = validate(complete(content, lambda name: ROOT / "config" / name))
    source = Source(tmp_path / "dataset", tmp_path / "splits.csv", ("fold-0",))
    arrays.run(Dependencies(settings, []).arrays, source, tmp_path / "arrays.npz")
    with np.load(tmp_path / "arrays.npz") as found:
        assert {name for name in found if "neural" in name} == {f"fold-0/{name}" for name in names}
